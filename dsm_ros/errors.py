"""Errors that a user can cause and correct."""


class DsmError(Exception):
    """Invalid input; the message says in one line what is wrong and what to do."""


class SequenceError(DsmError):
    """A recording that cannot be read with the given options."""


class ImageError(SequenceError):
    """An image of a recording that cannot be read."""


class MapError(DsmError):
    """A map that cannot be opened, built or changed."""


class ModelError(DsmError):
    """Weights that are missing, damaged or made for another network."""
