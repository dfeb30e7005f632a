"""Refusals of the tokenizers that users of the ecosystem catch under other names than `ValueError`."""

from __future__ import annotations

from ..files.errors import InputError


class ArgumentTypeError(InputError, TypeError):
    """An argument of the wrong type, or one that the method does not have."""


class MisuseError(InputError, AssertionError):
    """A request that this kind of tokenizer cannot answer, or a special token of an unknown kind."""


class UnavailableError(InputError, NotImplementedError):
    """A feature that only the fast tokenizers have."""


class UnknownIdError(InputError, IndexError):
    """An id that the vocabulary does not have."""


class PositionError(InputError, IndexError, AttributeError):
    """A position in an encoding that does not exist, or is counted from the end."""


class MissingFieldError(InputError, KeyError):
    """A field that an encoding does not have."""

    def __str__(self) -> str:
        return str(self.args[0])  # KeyError would show the message with quotes around it


class EmptyError(InputError, IndexError):
    """A list in which there is nothing, where there must be something."""
