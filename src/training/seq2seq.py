"""Batches for models of an encoder and a decoder."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ..losses import IGNORED
from ..tokenization import BatchEncoding, PreTrainedTokenizerBase


@dataclass
class DataCollatorForSeq2Seq:
    """Makes a batch of several texts and what is to be written of each, both filled up to one length.

    Attributes:
        tokenizer: Fills up what is read, and says on which side.
        model: Makes `decoder_input_ids` of the labels, if it can.
        padding: As for the tokenizer's `pad`.
        max_length: The length for `padding="max_length"`, of texts and of labels.
        pad_to_multiple_of: Round lengths up to a multiple of this.
        label_pad_token_id: What labels are filled up with; -100 takes no part in the loss.
        return_tensors: "pt", "tf", "jax" or "np".
    """

    tokenizer: PreTrainedTokenizerBase
    model: Any = None
    padding: Any = True
    max_length: int | None = None
    pad_to_multiple_of: int | None = None
    label_pad_token_id: int = IGNORED
    return_tensors: str = "pt"

    def __call__(self, features: Sequence[Mapping[str, Any]], return_tensors: str | None = None) -> BatchEncoding:
        """A batch of examples.

        Args:
            features: For each example the tokenizer's answer, and its tokens to be written under `labels` (or `label`).
            return_tensors: As the attribute of this name if None.

        Raises:
            InputError: There is no tensor of the rows: they differ in length, and are not to be filled up.
        """
        form = return_tensors or self.return_tensors
        name = "label" if "label" in features[0] else "labels"
        texts = [{key: value for key, value in feature.items() if key != name} for feature in features]
        batch = self.tokenizer.pad(
            texts,
            padding=self.padding,
            max_length=self.max_length,
            pad_to_multiple_of=self.pad_to_multiple_of,
            return_tensors=form,
        )
        labels = [feature.get(name) for feature in features]
        if any(row is None for row in labels):
            batch["labels"] = None
            return batch
        rows = self._filled([[int(token) for token in row] for row in labels if row is not None])
        batch["labels"] = BatchEncoding({"labels": rows}, tensor_type=form)["labels"]
        if hasattr(self.model, "prepare_decoder_input_ids_from_labels"):
            batch["decoder_input_ids"] = self.model.prepare_decoder_input_ids_from_labels(labels=batch["labels"])
        return batch

    def _filled(self, rows: list[list[int]]) -> list[list[int]]:
        """Labels of one length, if they are to be."""
        padding = str(getattr(self.padding, "value", self.padding))
        if padding in ("False", "do_not_pad"):
            return rows
        length = max(map(len, rows))
        if padding == "max_length" and self.max_length is not None:
            length = self.max_length
        multiple = self.pad_to_multiple_of or 1
        length = -(-length // multiple) * multiple
        filling = [[self.label_pad_token_id] * (length - len(row)) for row in rows]
        if self.tokenizer.padding_side == "left":
            return [fill + row for fill, row in zip(filling, rows, strict=True)]
        return [row + fill for fill, row in zip(filling, rows, strict=True)]
