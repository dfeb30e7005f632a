"""What the steps of a chat template cost: filters, tests, methods and operators, each by the data that it touches.

What is not listed is not available. A cost is an upper bound, worked out without doing the step: from the lengths of
what goes in, and of what comes out where that is longer.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sized
from typing import Any

from .budget import CHARACTERS, weigh

Cost = Callable[..., int]

#: Characters that one character can become in `repr` or JSON.
_ESCAPED = 12
#: Arithmetic on larger whole numbers is refused: it takes longer than the number of its digits.
_LARGEST_BITS = 2**14
_TOO_MUCH = 2**64
_NUMBERS = re.compile(r"\d+")
_LINE_ENDS = "\n\r\v\f\x1c\x1d\x1e\x85\u2028\u2029"
#: Shorter texts are searched in the plain way, each place again from its start; in longer ones, short parts are.
_PLAIN_SEARCH = 2500
_SHORT_PART = 100
_ENCODINGS = frozenset({"utf8", "utf16", "utf32", "ascii", "latin1"})


# -- simple costs --------------------------------------------------------------------------------------------


def free(*args: Any, **kwargs: Any) -> int:
    """A step that looks at no data."""
    return 1


def whole(*args: Any, **kwargs: Any) -> int:
    """A step that looks at all that it is given, a few times."""
    total = 1
    for value in args:
        total += weigh(value)
    for value in kwargs.values():
        total += weigh(value)
    return total


def times(factor: int) -> Cost:
    """A step that does so more often, or whose answer is so much longer."""
    return lambda *args, **kwargs: factor * whole(*args, **kwargs)


def each(value: Any, *args: Any, **kwargs: Any) -> int:
    """A step that takes a sequence apart, but not what is in it."""
    return _length(value) + 1


def square(*args: Any, **kwargs: Any) -> int:
    """A step that looks at all characters again for each of them."""
    return CHARACTERS * whole(*args, **kwargs) ** 2


def ordered(value: Any, *args: Any, **kwargs: Any) -> int:
    """A step that sorts."""
    return whole(value) * (1 + _length(value).bit_length())


def printed(value: Any) -> int:
    """The cost of a value as text."""
    return weigh(value) if isinstance(value, (str, bytes)) else _ESCAPED * weigh(value)


def _length(value: Any) -> int:
    return len(value) if isinstance(value, Sized) else 1


def _number(value: Any) -> int:
    """The size of a number that says how long something is to be."""
    if isinstance(value, float):
        return int(min(abs(value), 1e18))
    return abs(value) if isinstance(value, int) else 0


def _characters(count: int) -> int:
    return 1 + count // CHARACTERS


# -- texts ---------------------------------------------------------------------------------------------------


def wide(text: Any, width: Any = 80, *args: Any, **kwargs: Any) -> int:
    """Filling a text up to a width."""
    return whole(text, *args) + _characters(_number(width))


def found(text: Any, part: Any = None, *args: Any) -> int:
    """Looking for a text in another."""
    if not (isinstance(text, (str, bytes)) and isinstance(part, (str, bytes))):
        return whole(text, part)
    again = len(part) if len(text) < _PLAIN_SEARCH else min(len(part), _SHORT_PART)
    return 1 + len(text) * (4 + again) // (4 * CHARACTERS)


def found_backwards(text: Any, part: Any = None, *args: Any) -> int:
    """Looking for a text in another from its end, which the language does in the plain way."""
    length = len(part) if isinstance(part, (str, bytes)) else 1
    return whole(text) * (1 + length // 4)


def parted(text: Any, sep: Any = None, maxsplit: Any = -1) -> int:
    """Splitting a text."""
    if isinstance(sep, str) and sep:
        return found_backwards(text, sep) + text.count(sep)
    return whole(text) + len(text) // 2


def lines(text: Any, keepends: Any = False) -> int:
    """Splitting a text into lines."""
    return whole(text) * len(_LINE_ENDS) + sum(map(text.count, _LINE_ENDS))


def replaced(text: Any, old: Any = "", new: Any = "", *args: Any, **kwargs: Any) -> int:
    """Putting a text in the places of another."""
    if isinstance(text, str) and isinstance(old, str) and isinstance(new, str):
        return found(text, old) + _characters(text.count(old) * len(new))
    return printed(text) * CHARACTERS * (printed(old) + printed(new))


def stripped(text: Any, chars: Any = None) -> int:
    """Taking characters off a text's ends."""
    return whole(text) * (1 + (len(chars) if isinstance(chars, str) else 0) // 4)


def joined(sep: Any, values: Any) -> int:
    """Texts put together with another between them."""
    return printed(values) + weigh(sep) * _length(values)


def indented(text: Any, width: Any = 4, *args: Any, **kwargs: Any) -> int:
    """A text with something before each line."""
    size = len(width) if isinstance(width, str) else _number(width)
    if not isinstance(text, str):
        return _characters(size)
    return lines(text) + _characters(size * (1 + sum(map(text.count, _LINE_ENDS))))


def wrapped(text: Any, width: Any = 79, long_words: Any = True, end: Any = "", hyphens: Any = True) -> int:
    """A text broken into lines: a long word is cut again from its start for each of them."""
    if not isinstance(text, str):
        return 1
    count = 2 * len(text) // max(1, _number(width)) + text.count("\n") + 1
    return whole(text) * count + weigh(end) * count


def translated(text: Any, table: Any = None) -> int:
    """A text with each character looked up."""
    longest = max(map(weigh, table.values()), default=1) if isinstance(table, Mapping) else 1
    return whole(table) + len(text) * (1 + longest)


def encoded(text: Any, encoding: Any = "utf-8", errors: Any = "strict") -> int:
    """A text as bytes, or bytes as a text; some encodings of the language take quadratic time."""
    known = str(encoding).lower().replace("-", "").replace("_", "")
    return 4 * whole(text) if known in _ENCODINGS and errors in ("strict", "ignore", "replace") else _TOO_MUCH


def filled_in(template: Any, *args: Any, **kwargs: Any) -> int:
    """The operator `%` of texts: each field may be as wide as it says, or as its argument says."""
    if not isinstance(template, (str, bytes)):
        return whole(template, *args)
    text = template if isinstance(template, str) else template.decode("latin-1")
    values = sum(map(printed, (*args, *kwargs.values())))
    widest = max((_number(value) for value in args), default=0) if "*" in text else 0
    return whole(template) + text.count("%") * (values + _characters(widest)) + _characters(widths(text))


def widths(specification: str) -> int:
    """The sum of the numbers in a format."""
    return sum(int(number[:18]) for number in _NUMBERS.findall(specification))


# -- lists ---------------------------------------------------------------------------------------------------


def batched(value: Any, count: Any = 1, fill_with: Any = None) -> int:
    """Values in groups of a size, the last one filled up."""
    return each(value) + _number(count)


def summed(value: Any, attribute: Any = None, start: Any = 0) -> int:
    """Values added up; lists are copied at every step."""
    plain = all(isinstance(item, (int, float)) for item in (*value, start)) if isinstance(value, list) else False
    return whole(value, start) * (1 if plain else 1 + _length(value))


# -- numbers -------------------------------------------------------------------------------------------------


def rounded(value: Any, precision: Any = 0, *args: Any) -> int:
    """A number rounded: it is multiplied by a power of ten."""
    if isinstance(value, (int, float)):
        return 1 + _number(precision) ** 2
    return operated("*", value, 10 ** min(_number(precision), 18))


def counted(value: Any, default: Any = 0, base: Any = 10) -> int:
    """A text as a number: what has so many digits that it takes long is none."""
    return whole(value) if not isinstance(value, str) or len(value) <= _LARGEST_BITS // 4 else _TOO_MUCH


def arithmetic(operator: str, left: int, right: int) -> int:
    """An operation on whole numbers."""
    bits, others = left.bit_length(), right.bit_length()
    if operator == "**":
        result = bits * right if right > 0 else 0
    else:
        result = bits + others
    return 1 if max(result, bits, others) <= _LARGEST_BITS else _TOO_MUCH


def operated(operator: str, left: Any, right: Any) -> int:
    """An operation on any two values."""
    if operator == "+" and type(left) is str and type(right) is str:
        return _characters(len(left) + len(right))
    if isinstance(left, int) and isinstance(right, int):
        return arithmetic(operator, left, right)
    if operator == "%" and isinstance(left, (str, bytes)):
        return filled_in(left, *(right if isinstance(right, tuple) else (right,)))
    if operator == "*":
        for value, count in ((left, right), (right, left)):
            if isinstance(value, (str, bytes)) and isinstance(count, int):
                return _characters(len(value) * max(count, 0))
            if isinstance(value, (list, tuple)) and isinstance(count, int):
                return 1 + len(value) * max(count, 0)
    if operator == "+" and isinstance(left, (list, tuple)):
        return each(left) + each(right)
    return whole(left, right)


def compared(operator: str, left: Any, right: Any) -> int:
    """Whether two values are equal, in order, or one in the other."""
    if operator == "in" or operator == "notin":
        if isinstance(right, str):
            return found(right, left)
        if isinstance(right, Mapping):
            return weigh(left)
    return weigh(left) + weigh(right)


# -- the tables ----------------------------------------------------------------------------------------------

FILTERS: Mapping[str, Cost] = {
    **dict.fromkeys(("attr", "count", "d", "default", "first", "items", "last", "length", "random"), free),
    **dict.fromkeys(("map", "reject", "rejectattr", "select", "selectattr"), free),
    **dict.fromkeys(("abs", "capitalize", "filesizeformat", "float", "lower", "max", "min", "upper"), whole),
    **dict.fromkeys(("truncate",), whole),
    **dict.fromkeys(("dictsort", "groupby", "sort"), ordered),
    **dict.fromkeys(("e", "escape", "forceescape", "safe", "string", "title", "unique", "urlencode"), times(_ESCAPED)),
    **dict.fromkeys(("wordcount", "xmlattr"), times(CHARACTERS)),
    **dict.fromkeys(("striptags", "urlize"), square),
    "batch": batched,
    "center": wide,
    "format": filled_in,
    "indent": indented,
    "int": counted,
    "join": lambda values, sep="", attribute=None: joined(sep, values),
    "list": each,
    "pprint": times(512),
    "replace": replaced,
    "reverse": lambda value: weigh(value) if isinstance(value, str) else 1,
    "round": rounded,
    "slice": batched,
    "sum": summed,
    "tojson": free,  # pays for itself
    "trim": stripped,
    "wordwrap": wrapped,
}

TESTS: Mapping[str, Cost] = {
    **dict.fromkeys(("boolean", "callable", "defined", "escaped", "false", "float", "integer", "iterable"), free),
    **dict.fromkeys(("mapping", "none", "number", "sameas", "sequence", "string", "true", "undefined"), free),
    **dict.fromkeys(("filter", "test", "lower", "upper"), whole),
    **dict.fromkeys(("even", "odd"), lambda value: operated("%", value, 2)),
    **dict.fromkeys(("eq", "equalto", "==", "ne", "!=", "lt", "lessthan", "<", "le", "<="), whole),
    **dict.fromkeys(("gt", "greaterthan", ">", "ge", ">="), whole),
    "divisibleby": lambda value, other: operated("%", value, other),
    "in": lambda value, values: compared("in", value, values),
}

_TEXT: Mapping[str, Cost] = {
    **dict.fromkeys(("capitalize", "lower", "swapcase", "title", "upper", "startswith", "endswith"), whole),
    **dict.fromkeys(("isalnum", "isalpha", "isascii", "isdecimal", "isdigit", "isidentifier", "islower"), whole),
    **dict.fromkeys(("isnumeric", "isprintable", "isspace", "istitle", "isupper"), whole),
    **dict.fromkeys(("removeprefix", "removesuffix", "format", "format_map"), whole),
    **dict.fromkeys(("center", "ljust", "rjust", "zfill"), wide),
    **dict.fromkeys(("count", "find", "index", "partition"), found),
    **dict.fromkeys(("rfind", "rindex", "rpartition"), found_backwards),
    **dict.fromkeys(("split", "rsplit"), parted),
    **dict.fromkeys(("strip", "lstrip", "rstrip"), stripped),
    "casefold": times(3),
    "encode": encoded,
    "expandtabs": lambda text, tabsize=8: whole(text) + _characters(text.count("\t") * _number(tabsize)),
    "join": joined,
    "replace": replaced,
    "splitlines": lines,
    "translate": translated,
}
_LIST: Mapping[str, Cost] = {**dict.fromkeys(("count", "index"), whole), "copy": each}
_SET: Mapping[str, Cost] = dict.fromkeys(
    ("copy", "difference", "intersection", "isdisjoint", "issubset", "issuperset", "symmetric_difference", "union"),
    whole,
)

#: Type of a value -> its methods, and what they cost. (Those that change a value, the sandbox refuses.)
METHODS: Mapping[type, Mapping[str, Cost]] = {
    str: _TEXT,
    bytes: {"decode": encoded},
    bool: {},
    int: dict.fromkeys(("bit_count", "bit_length", "conjugate"), whole),
    float: dict.fromkeys(("conjugate", "hex", "is_integer"), whole),
    complex: {},
    list: _LIST,
    tuple: _LIST,
    range: {"count": each, "index": each},
    dict: {**dict.fromkeys(("get", "items", "keys", "values"), lambda owner, *args: whole(*args)), "copy": each},
    set: _SET,
    frozenset: _SET,
}
