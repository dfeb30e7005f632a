"""The encodings of the `tokenizers` library as the fields of an answer: lists, or one array for each field.

Rows that are to become arrays are filled up here, not in the library: their masks need no lists of numbers then.
"""

from __future__ import annotations

from collections.abc import Sequence
from operator import attrgetter
from typing import Any, NamedTuple

import numpy as np
from tokenizers import Encoding

from .options import TensorType, Wanted
from .tensors import as_plain_numbers, filled_array


class Filling(NamedTuple):
    """How rows are filled up to one width.

    Attributes:
        width: The length of every row.
        side: `left` or `right`.
        token, index, type_id: What the fields are filled up with.
    """

    width: int
    side: str
    token: str
    index: int
    type_id: int

    def fill(self, rows: Sequence[Encoding]) -> None:
        """Fill up encodings, in place."""
        for row in rows:
            row.pad(self.width, direction=self.side, pad_id=self.index, pad_type_id=self.type_id, pad_token=self.token)


def as_lists(rows: Sequence[Encoding], wanted: Wanted) -> dict[str, list[Any]]:
    """The wanted fields as lists [B][T]."""
    fields: dict[str, list[Any]] = {"input_ids": [row.ids for row in rows]}
    if wanted.token_type_ids:
        fields["token_type_ids"] = [row.type_ids for row in rows]
    if wanted.attention_mask:
        fields["attention_mask"] = [row.attention_mask for row in rows]
    if wanted.special_tokens_mask:
        fields["special_tokens_mask"] = [row.special_tokens_mask for row in rows]
    if wanted.offsets_mapping:
        fields["offset_mapping"] = [row.offsets for row in rows]
    if wanted.length:
        fields["length"] = [len(row) for row in rows]
    return fields


def as_arrays(rows: Sequence[Encoding], wanted: Wanted, filling: Filling, kind: TensorType) -> dict[str, Any]:
    """The wanted fields as arrays [B, T] of whole numbers, in a framework's own type for them.

    The rows are not filled up yet, and not longer than that.
    """
    lengths = np.fromiter(map(len, rows), dtype=np.int64, count=len(rows))
    places = np.arange(filling.width)
    if filling.side == "right":
        taken = places < lengths[:, None]  # [B, T]
    else:
        taken = places >= filling.width - lengths[:, None]

    def column(name: str, value: int) -> np.ndarray:
        return as_plain_numbers(filled_array(map(attrgetter(name), rows), taken, value), kind)

    fields: dict[str, Any] = {"input_ids": column("ids", filling.index)}
    if wanted.token_type_ids:
        fields["token_type_ids"] = column("type_ids", filling.type_id)
    if wanted.attention_mask:
        fields["attention_mask"] = taken.astype(np.int32 if kind is TensorType.TENSORFLOW else np.int64)
    if wanted.special_tokens_mask:
        fields["special_tokens_mask"] = column("special_tokens_mask", 1)
    if wanted.length:
        fields["length"] = [filling.width] * len(rows)
    return fields
