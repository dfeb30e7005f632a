"""Sizes of images as options say them: a number, a pair, or a dict of sides."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ..fields import short
from ..files.errors import InputError, three_beats

#: The sides that a size may name together.
SIDES: tuple[frozenset[str], ...] = (
    frozenset({"height", "width"}),
    frozenset({"shortest_edge"}),
    frozenset({"shortest_edge", "longest_edge"}),
    frozenset({"longest_edge"}),
    frozenset({"max_height", "max_width"}),
)
#: No side is longer: an image of such sides takes all memory.
LONGEST_SIDE = 2**16


def get_size_dict(
    size: int | Sequence[int] | Mapping[str, int] | None = None,
    max_size: int | None = None,
    height_width_order: bool = True,
    default_to_square: bool = True,
    param_name: str = "size",
) -> dict[str, int]:
    """A size as a dict of sides.

    Args:
        size: A number, the sides of a square or the shorter side; a pair; or such a dict already.
        max_size: What the longer side is cut to where a number is the shorter side.
        height_width_order: Whether a pair begins with the height.
        default_to_square: Whether a number is both sides.
        param_name: What the option is called, for the error.

    Raises:
        InputError: It names no size.
    """
    found = _sides(size, max_size, height_width_order, default_to_square)
    if found is None or frozenset(found) not in SIDES or not all(map(_is_side, found.values())):
        expected = f"one of {', '.join(' and '.join(sorted(sides)) for sides in SIDES)}, each from 1 to {LONGEST_SIDE}"
        raise InputError(three_beats(f"{param_name} is {short(size)}", expected, "Correct the option."))
    return found


def _sides(size: Any, max_size: int | None, height_width_order: bool, default_to_square: bool) -> dict[str, int] | None:
    if isinstance(size, Mapping):
        return dict(size)
    if isinstance(size, int):
        if default_to_square:
            return {"height": size, "width": size} if max_size is None else None
        return {"shortest_edge": size} if max_size is None else {"shortest_edge": size, "longest_edge": max_size}
    if isinstance(size, (list, tuple)) and len(size) == 2:
        height, width = size if height_width_order else reversed(size)
        return {"height": height, "width": width}
    return {"longest_edge": max_size} if size is None and max_size is not None else None


def _is_side(number: Any) -> bool:
    return isinstance(number, int) and not isinstance(number, bool) and 1 <= number <= LONGEST_SIDE


def sides(size: Mapping[str, int], *names: str) -> tuple[int, ...]:
    """The sides of these names.

    Raises:
        InputError: The size names others.
    """
    if set(size) != set(names):
        found, expected = f"size has {', '.join(size) or 'no sides'}", " and ".join(names)
        raise InputError(three_beats(found, expected, "Correct the option of the call or of preprocessor_config.json."))
    return tuple(size[name] for name in names)
