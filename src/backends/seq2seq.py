"""What models of an encoder and a decoder share, whatever their framework."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..files.errors import InputError, three_beats
from ..generation.arrays import ops_of
from ..losses import IGNORED
from ..outputs import BaseModelOutput, ModelOutput


def shift_tokens_right(input_ids: Any, pad_token_id: int | None, decoder_start_token_id: int | None) -> Any:
    """What a decoder reads to write some tokens: the start token, and all of them but the last.

    Args:
        input_ids: [B, T], an array of any framework; labels, where -100 stands for padding, will do too.
        pad_token_id: The token that is padding.
        decoder_start_token_id: The token that every text starts with.

    Raises:
        InputError: One of the two is not set.
    """
    for name, token in (("pad_token_id", pad_token_id), ("decoder_start_token_id", decoder_start_token_id)):
        if token is None:
            found = f"tokens to shift and no {name}"
            raise InputError(three_beats(found, "a token", f"Set config.{name}, or give decoder_input_ids."))
    ops = ops_of(input_ids)
    start = ops.full((ops.shape(input_ids)[0], 1), decoder_start_token_id, input_ids)
    shifted = ops.concatenate([start, input_ids[:, :-1]], 1)
    return ops.where(shifted == IGNORED, ops.full((), pad_token_id, shifted), shifted)


def as_encoder_output(encoder_outputs: Any) -> BaseModelOutput | None:
    """What an encoder answered, in whichever form it comes: an output, a mapping, or a tuple or list; None stays.

    Raises:
        InputError: It is something else, or holds no hidden states.
    """
    if encoder_outputs is None:
        return None
    if isinstance(encoder_outputs, Mapping):
        given = {name: encoder_outputs.get(name) for name in BaseModelOutput._fields}
        output = BaseModelOutput(**given)
    elif isinstance(encoder_outputs, (tuple, list)):
        output = BaseModelOutput(*encoder_outputs[: len(BaseModelOutput._fields)])
    else:
        output = BaseModelOutput()
    if output.last_hidden_state is None:
        found = f"encoder_outputs of type {type(encoder_outputs).__name__} without hidden states"
        raise InputError(three_beats(found, "what the encoder answered", "Call get_encoder(), in Flax encode()."))
    return output


def joined_output(output_type: type[ModelOutput], decoded: Any, encoded: BaseModelOutput, **head: Any) -> Any:
    """The output of both stacks.

    Args:
        output_type: A type with the fields of both.
        decoded: What the decoder answered.
        encoded: What the encoder answered.
        head: The fields that come from elsewhere, such as `logits`.
    """
    return output_type(
        **head,
        past_key_values=decoded.past_key_values,
        decoder_hidden_states=decoded.hidden_states,
        decoder_attentions=decoded.attentions,
        cross_attentions=decoded.cross_attentions,
        encoder_last_hidden_state=encoded.last_hidden_state,
        encoder_hidden_states=encoded.hidden_states,
        encoder_attentions=encoded.attentions,
    )


def headed_output(output_type: type[ModelOutput], outputs: Any, **head: Any) -> Any:
    """The output of a model with a head: what the bare model answered, and the head's own fields.

    Args:
        output_type: Its type.
        outputs: What the bare model answered.
        head: The head's fields.
    """
    kept = {name: value for name, value in outputs.items() if name in output_type._fields}
    return output_type(**{**kept, **head})


def tokens_of(inputs: Mapping[str, Any]) -> Any:
    """The tokens that the encoder reads, for a head that looks for the one that ends them.

    Raises:
        InputError: There are embeddings alone.
    """
    if inputs.get("input_ids") is None:
        found = "a classifier of sequences without input_ids"
        raise InputError(three_beats(found, "tokens, to see where a sequence ends", "Give input_ids."))
    return inputs["input_ids"]


class EncoderDecoder:
    """What a model of two stacks can say of them, whatever its framework."""

    config: Any
    base_model: Any

    def get_encoder(self) -> Any:
        """The stack that reads."""
        return self.base_model.encoder

    def get_decoder(self) -> Any:
        """The stack that writes."""
        return self.base_model.decoder

    def prepare_decoder_input_ids_from_labels(self, labels: Any) -> Any:
        """What the decoder reads to predict labels [B, T]: see `shift_tokens_right`."""
        return shift_tokens_right(labels, self.config.pad_token_id, self.config.decoder_start_token_id)
