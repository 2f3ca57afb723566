"""The errors a user can cause and can mend."""


class DsmError(Exception):
    """Bad input: the message says in one line what is wrong and what to do."""


class SequenceError(DsmError):
    """A recording that cannot be read as asked."""


class ImageError(SequenceError):
    """One image of a recording that cannot be read."""


class MapError(DsmError):
    """A map that cannot be opened, built or changed as asked."""


class ModelError(DsmError):
    """Weights that are missing, damaged or of another kind."""
