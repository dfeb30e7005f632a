"""The error family. Every refusal of this library is one of these, and also the built-in error users catch.

A message has three beats: what was found, what was expected, what to do. `three_beats` joins them, so that
no message forgets one.
"""

from __future__ import annotations

import difflib
import os
from collections.abc import Iterable


class TriformersError(Exception):
    """Base of every error that this library raises on purpose."""

    #: Keras appends every argument of the call to an error without this mark; a message here is complete as it is.
    _keras_call_info_injected = True


class InputError(TriformersError, ValueError):
    """An argument of a call that cannot be right: its shape, its range, its type."""


class ConfigurationError(TriformersError, ValueError):
    """A configuration whose values cannot describe a model."""


class FileError(TriformersError, OSError, ValueError):
    """A file that is missing, damaged or not to be trusted; the message names file, field and reason."""


class CheckpointError(FileError):
    """A checkpoint whose tensors do not fit the model they are loaded into."""


class UnknownNameError(TriformersError, AttributeError):
    """A public name, model type or class that this version does not have."""


class MissingDependencyError(TriformersError, ImportError):
    """A library that this feature needs is not installed; the message names the extra that brings it."""


def three_beats(found: str, expected: str, remedy: str) -> str:
    """Join the three parts of an error message into one line."""
    return f"{found}; expected {expected}. {remedy}"


def file_error(path: str | os.PathLike[str], found: str, expected: str, remedy: str) -> FileError:
    """The error about one file or folder: what was found begins with its path."""
    return FileError(three_beats(f"{os.fspath(path)} {found}", expected, remedy))


def closest(word: str, candidates: Iterable[str], count: int = 3) -> list[str]:
    """The at most `count` candidates nearest to `word`, best first: what an error message offers instead."""
    return difflib.get_close_matches(word, list(candidates), n=count, cutoff=0.5)
