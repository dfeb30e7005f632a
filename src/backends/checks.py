"""Checks of a call's inputs, by shape and, where they are at hand, by value; the same message in every framework."""

from __future__ import annotations

import logging
from collections.abc import Sequence

from ..configuration import PretrainedConfig
from ..files.errors import InputError, three_beats

logger = logging.getLogger(__name__)


def check_token_shape(shape: Sequence[int | None], what: str = "input_ids") -> None:
    """Refuse token ids that are not [batch, length].

    Raises:
        InputError: The shape is another one.
    """
    if len(shape) != 2:
        remedy = "Add a batch dimension: ids[None]." if len(shape) == 1 else "Flatten the leading dimensions."
        raise InputError(three_beats(f"{what} of shape {list(shape)}", "[batch, length]", remedy))


def check_range(lowest: int, highest: int, rows: int, what: str) -> None:
    """Refuse indices that a table does not have.

    Raises:
        InputError: An index is below zero or not below `rows`.
    """
    if lowest < 0 or highest >= rows:
        wrong = lowest if lowest < 0 else highest
        raise InputError(
            three_beats(
                f"{what} contain {wrong}", f"0 to {rows - 1}", "Check that tokenizer and model belong together."
            )
        )


def check_length(length: int, longest: int) -> None:
    """Refuse a sequence that is longer than the table of positions.

    Raises:
        InputError: It is.
    """
    if length > longest:
        raise InputError(
            three_beats(
                f"a sequence of {length} tokens", f"at most {longest}", "Truncate it: truncation=True, max_length=..."
            )
        )


def check_mask_shape(shape: Sequence[int | None], expected: Sequence[int | None]) -> None:
    """Refuse an attention mask that does not go with [batch, length] inputs; a size that is not known yet may be any.

    Raises:
        InputError: The mask is neither [batch, length] nor [batch, queries, length].
    """
    batch, length = expected
    fits = len(shape) in (2, 3) and shape[0] in (batch, 1, None) and shape[-1] in (length, None)
    if not fits and None not in expected:
        raise InputError(
            three_beats(
                f"an attention_mask of shape {list(shape)}",
                f"[{batch}, {length}] or [{batch}, queries, {length}]",
                "Make it the tokenizer's, one number per token.",
            )
        )


def check_choices(shape: Sequence[int | None], axes: int, what: str) -> None:
    """Refuse inputs of a multiple-choice model that have no axis of choices.

    Raises:
        InputError: They have not.
    """
    if len(shape) != axes:
        remedy = "Give each row its choices: one sequence for each."
        raise InputError(three_beats(f"{what} of shape {list(shape)}", "[batch, choices, length]", remedy))


def check_divides(size: int, length: int) -> None:
    """Refuse a feed-forward chunk that does not divide the sequence.

    Raises:
        InputError: It does not.
    """
    if length % size:
        found = f"a sequence of {length} tokens with chunk_size_feed_forward {size}"
        raise InputError(three_beats(found, f"a multiple of {size}", "Pad the sequence, or set the option to 0."))


def check_cross_attention(
    encoder_hidden_states: object, config: PretrainedConfig, is_decoder: bool | None = None
) -> None:
    """Refuse an encoder's hidden states for a decoder that has no layers to attend to them.

    Args:
        encoder_hidden_states: What was given.
        config: The model's configuration.
        is_decoder: Whether the model is a decoder; as the configuration says if None.

    Raises:
        InputError: It has none.
    """
    is_decoder = config.is_decoder if is_decoder is None else is_decoder
    if encoder_hidden_states is not None and is_decoder and not config.add_cross_attention:
        remedy = "Make the model with add_cross_attention=True."
        raise InputError(three_beats("got encoder_hidden_states", "a decoder with cross-attention", remedy))


def warn_unless_decoder(config: PretrainedConfig, what: str) -> None:
    """Say that a model that predicts the next token can see it."""
    if not config.is_decoder:
        logger.warning("%s without is_decoder=True: every position sees those that follow it.", what)


def check_one_of(input_ids: object, inputs_embeds: object, whose: str = "") -> None:
    """Refuse a call with both token ids and embeddings, or with neither.

    Args:
        input_ids: The tokens.
        inputs_embeds: The embeddings.
        whose: What stands before the arguments' names, such as `decoder_`.

    Raises:
        InputError: Both or neither were given.
    """
    if (input_ids is None) == (inputs_embeds is None):
        both, neither = "both {0}input_ids and {0}inputs_embeds", "neither {0}input_ids nor {0}inputs_embeds"
        given = (neither if input_ids is None else both).format(whose)
        raise InputError(three_beats(f"got {given}", "exactly one of the two", "Give one of them."))


def check_padding(batch: int | None, padding: int | None) -> None:
    """Refuse several sequences for a classifier that must know where each ends, and has no token that says so.

    Raises:
        InputError: There is none.
    """
    if padding is None and batch is not None and batch > 1:
        remedy = "Set config.pad_token_id, or give one sequence at a time."
        raise InputError(three_beats(f"{batch} sequences and no pad_token_id", "a token that ends them", remedy))


def check_ends(counts: Sequence[int]) -> None:
    """Refuse sequences for a classifier that reads the token which ends each, if one has none or more than another.

    Args:
        counts: How many such tokens each sequence has.

    Raises:
        InputError: They are not all as many, or none.
    """
    if counts and (min(counts) == 0 or min(counts) != max(counts)):
        found = f"sequences with {min(counts)} to {max(counts)} tokens eos_token_id"
        raise InputError(three_beats(found, "the same number in each, and one at least", "Let the tokenizer add them."))
