"""The one strict JSON loader. Checkpoint files are hostile until read: all is bounded before it is parsed.

The standard parser is kept for the parsing itself; what it tolerates and other readers do not (duplicate
keys, NaN, infinities), or what it cannot survive (deep nesting, numbers of thousands of digits), is refused.
"""

from __future__ import annotations

import json
import math
import os
import re
import stat
from itertools import accumulate
from typing import Any

from .errors import FileError, file_error

#: The largest document read unless the caller says otherwise: twice the largest tokenizer.json in common use.
MAX_BYTES = 64 * 2**20
#: The deepest nesting accepted unless the caller says otherwise; real files stay below 20.
MAX_DEPTH = 64
#: The longest run of digits in a number: the largest float64, written out, has 309.
MAX_DIGITS = 400

# Possessive, and content with a missing end: otherwise an unterminated string costs quadratic time.
_STRING = re.compile(rb'"[^"\\]*+(?:\\.[^"\\]*+)*+"?', re.DOTALL)
#: Half a surrogate pair, or the half of a whole one, as an escape.
_SURROGATE = re.compile(rb"\\u[dD][89a-fA-F]")
_LONG_NUMBER = re.compile(rb"[0-9]{%d}" % (MAX_DIGITS + 1))
_NOT_BRACKETS = bytes(set(range(256)) - set(b"[]{}"))
_STEP = {ord("["): 1, ord("{"): 1, ord("]"): -1, ord("}"): -1}


def load_json(
    path: str | os.PathLike[str],
    *,
    max_bytes: int = MAX_BYTES,
    max_depth: int = MAX_DEPTH,
    allow_nan: bool = False,
) -> Any:
    """Read one JSON file, its size checked before a byte of it is.

    Args:
        path: A regular file; a link to one is followed.
        max_bytes: The largest file accepted.
        max_depth: The deepest nesting of arrays and objects accepted.
        allow_nan: Accept `NaN`, `Infinity` and numbers beyond float64, as Python's own writer emits them.

    Raises:
        FileError: The file cannot be read, or `parse_json` refuses what it holds.
    """
    source = os.fspath(path)
    return parse_json(
        _read(source, max_bytes), source=source, max_bytes=max_bytes, max_depth=max_depth, allow_nan=allow_nan
    )


def load_json_object(
    path: str | os.PathLike[str],
    *,
    max_bytes: int = MAX_BYTES,
    max_depth: int = MAX_DEPTH,
    allow_nan: bool = False,
) -> dict[str, Any]:
    """`load_json` for a file that must hold one object: a configuration, an index, a vocabulary.

    Raises:
        FileError: As `load_json`, or the document is not an object.
    """
    value = load_json(path, max_bytes=max_bytes, max_depth=max_depth, allow_nan=allow_nan)
    if not isinstance(value, dict):
        raise _refusal(os.fspath(path), f"holds a JSON {_kind(value)}", "one JSON object, in braces")
    return value


def parse_json(
    data: str | bytes,
    *,
    source: str,
    max_bytes: int = MAX_BYTES,
    max_depth: int = MAX_DEPTH,
    allow_nan: bool = False,
) -> Any:
    """Parse one JSON document strictly.

    Args:
        data: The document; bytes are UTF-8, with or without a byte order mark.
        source: What error messages call it: a path, or a path and a field.
        max_bytes: The longest document accepted, in UTF-8.
        max_depth: The deepest nesting of arrays and objects accepted.
        allow_nan: Accept `NaN`, `Infinity` and numbers beyond float64.

    Raises:
        FileError: It is not JSON, exceeds a bound, repeats a key, or holds a number that is none.
    """
    raw = _encode(data, source)
    if len(raw) > max_bytes:
        raise _too_large(source, len(raw), max_bytes)
    text = _decode(raw, source)
    _check_structure(raw, source, max_depth)

    def constant(word: str) -> float:
        if allow_nan:
            return float(word)
        raise _refusal(source, f"holds the constant {word}", "finite numbers only")

    def number(digits: str) -> float:
        value = float(digits)
        if math.isinf(value) and not allow_nan:
            raise _refusal(source, f"holds the number {digits[:40]}", "numbers that fit into float64")
        return value

    def unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        found = dict(pairs)
        if len(found) < len(pairs):
            raise _refusal(source, f"gives the key {_repeated(pairs)!r} twice", "every key of an object once")
        return found

    try:
        value = json.loads(text, parse_constant=constant, parse_float=number, object_pairs_hook=unique)
        if _SURROGATE.search(raw):
            json.dumps(value, ensure_ascii=False).encode("utf-8")  # which a lone one cannot be
        return value
    except FileError:
        raise
    except UnicodeEncodeError:
        raise _refusal(source, "holds half a surrogate pair, a lone surrogate", "Unicode text") from None
    except json.JSONDecodeError as error:
        where = f"line {error.lineno}, column {error.colno}"
        raise _refusal(source, f"is not JSON ({error.msg} at {where})", "one complete JSON document") from None
    except RecursionError:
        # The caller's own stack may be nearly used up: even the permitted depth can then be too much.
        raise _refusal(source, "is nested too deeply for this call stack", "shallower nesting") from None
    except ValueError as error:
        raise _refusal(source, f"holds a value that cannot be read ({error})", "plain JSON values") from None


def _read(source: str, max_bytes: int) -> bytes:
    """The bytes of a regular file: at most `max_bytes`, or one more if it grew since it was measured."""
    try:
        status = os.stat(source)
        if not stat.S_ISREG(status.st_mode):  # opening a pipe would wait for ever
            kind = "a directory" if stat.S_ISDIR(status.st_mode) else "not a regular file"
            raise _refusal(source, f"is {kind}", "a JSON file")
        if status.st_size > max_bytes:
            raise _too_large(source, status.st_size, max_bytes)
        with open(source, "rb") as file:
            return file.read(max_bytes + 1)
    except FileError:
        raise
    except (OSError, ValueError) as error:  # ValueError: a path with a NUL in it
        reason = getattr(error, "strerror", None) or str(error)
        raise _refusal(source, f"cannot be read ({reason})", "a readable JSON file") from error


def _encode(data: str | bytes, source: str) -> bytes:
    if isinstance(data, bytes):
        return data
    try:
        return data.encode("utf-8")
    except UnicodeEncodeError as error:
        raise _refusal(source, f"holds a lone surrogate at character {error.start}", "Unicode text") from None


def _decode(raw: bytes, source: str) -> str:
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise _refusal(source, f"is not UTF-8 (byte {error.start}: {error.reason})", "JSON in UTF-8") from None
    if not text or text.isspace():
        raise _refusal(source, "is empty", "one JSON document")
    return text


def _check_structure(raw: bytes, source: str, max_depth: int) -> None:
    """Bound nesting and digits without parsing.

    Strings are cut out first; up to the first place where the document is not JSON, what is left then has
    exactly the brackets and numbers that the parser will meet.
    """
    structure = _STRING.sub(b"", raw)
    if _LONG_NUMBER.search(structure):
        raise _refusal(source, f"holds a number of more than {MAX_DIGITS} digits", "numbers that fit into float64")
    brackets = structure.translate(None, _NOT_BRACKETS)
    depth = max(accumulate(map(_STEP.__getitem__, brackets)), default=0)
    if depth > max_depth:
        raise _refusal(source, f"is nested {depth} levels deep", f"at most {max_depth} levels")


def _repeated(pairs: list[tuple[str, Any]]) -> str:
    seen: set[str] = set()
    return next(key for key, _ in pairs if key in seen or seen.add(key))


def _kind(value: object) -> str:
    names = {list: "array", str: "string", bool: "boolean", int: "number", float: "number"}
    return names.get(type(value), "null")


def _too_large(source: str, size: int, max_bytes: int) -> FileError:
    return _refusal(source, f"has {size} bytes", f"at most {max_bytes}")


def _refusal(source: str, found: str, expected: str) -> FileError:
    return file_error(source, found, expected, "Correct the file, or fetch or save it again.")
