"""Enumeration of strings that behaves alike in all Python versions since 3.10."""

from __future__ import annotations

from enum import Enum


class TextEnum(str, Enum):
    """Enumeration whose members are their string values, in format() and str() too."""

    __str__ = str.__str__
