"""Enumeration whose members are texts, for every Python since 3.10."""

from __future__ import annotations

from enum import Enum


class TextEnum(str, Enum):
    """Enumeration whose members are their values wherever a text is expected, in format() and str() too."""

    __str__ = str.__str__
