"""What Flax models of an encoder and a decoder share: how each stack runs alone, and their heads.

Shape letters: B batch, T target length, E source length, D width, L labels.
"""

from __future__ import annotations

import inspect
from typing import Any

import jax.numpy as jnp
from jax import Array

from ...losses import question_answering_loss, sequence_classification_loss
from ...outputs import (
    BaseModelOutputWithPastAndCrossAttentions,
    CausalLMOutputWithCrossAttentions,
    ModelOutput,
    Seq2SeqQuestionAnsweringModelOutput,
    Seq2SeqSequenceClassifierOutput,
)
from ..seq2seq import EncoderDecoder, headed_output, tokens_of
from . import ops
from .cache import Cache
from .checks import check_ends
from .heads import ClassificationHead, PlainHead, last_where
from .layers import Dense
from .model import FlaxModuleModel

#: What `decode` calls the places of its tokens, where positions are absolute.
POSITIONS = "decoder_position_ids"


class FlaxEncoderDecoder(EncoderDecoder, FlaxModuleModel):
    """A Flax model of an encoder and a decoder.

    Its module's call takes the arguments of both, and has a method `encode` that runs the encoder alone. An
    architecture's class has `__call__`, `encode` and `decode` with the arguments that its users know.
    """

    def get_encoder(self) -> Any:
        """The method that runs the encoder alone."""
        return getattr(self, "encode")  # noqa: B009

    def get_decoder(self) -> Any:
        """The method that runs the decoder alone."""
        return getattr(self, "decode")  # noqa: B009

    def prepare_decoder_input_ids_from_labels(self, labels: Any) -> Array:
        """What the decoder reads to predict labels [B, T]: see `shift_tokens_right`."""
        return super().prepare_decoder_input_ids_from_labels(jnp.asarray(labels))

    def decoder_output(self, output: ModelOutput, return_dict: bool | None) -> Any:
        """What `decode` answers: the decoder's part of an output of both stacks."""
        names = {"decoder_hidden_states": "hidden_states", "decoder_attentions": "attentions"}
        is_scored = "logits" in output
        output_type = CausalLMOutputWithCrossAttentions if is_scored else BaseModelOutputWithPastAndCrossAttentions
        kept = {str(name): value for name, value in output.items() if not name.startswith("encoder_")}
        fields = {names.get(name, name): value for name, value in kept.items()}
        return self.wanted(None, None, return_dict).answer(output_type(**fields))

    def init_cache(self, batch_size: int, max_length: int, encoder_outputs: Any = None) -> Cache:
        """A cache with room for `max_length` tokens of the decoder, to pass to `decode` as `past_key_values`.

        Args:
            batch_size: B.
            max_length: How many tokens there is room for.
            encoder_outputs: Unused: its keys and values are computed in the first call.

        Raises:
            InputError: The model reads no sequences that long.
        """
        return Cache.preallocated(self.config, batch_size, max_length, self.dtype)

    def prepare_inputs_for_generation(
        self,
        decoder_input_ids: Array,
        max_length: int,
        attention_mask: Array | None = None,
        decoder_attention_mask: Array | None = None,
        encoder_outputs: Any = None,
        **kwargs: Any,
    ) -> dict[str, Any]:
        """The arguments of a first `decode`, for a loop of one's own: a cache, and a mask for all its room.

        Args:
            decoder_input_ids: [B, P] what the texts begin with.
            max_length: How many tokens a text may have.
            attention_mask: [B, E] of what the encoder read.
            decoder_attention_mask: [B, P].
            encoder_outputs: What `encode` answered.
            kwargs: Further arguments of the call.
        """
        batch, length = decoder_input_ids.shape
        seen = jnp.ones((batch, length), jnp.int32) if decoder_attention_mask is None else decoder_attention_mask
        inputs = {
            "past_key_values": self.init_cache(batch, max_length, encoder_outputs),
            "encoder_outputs": encoder_outputs,
            "encoder_attention_mask": attention_mask,
            "decoder_attention_mask": jnp.ones((batch, max_length), jnp.int32).at[:, :length].set(seen),
            **kwargs,
        }
        if POSITIONS in inspect.signature(getattr(self, "decode")).parameters:  # noqa: B009
            inputs[POSITIONS] = jnp.clip(jnp.cumsum(seen, -1) - 1, 0)
        return inputs

    def update_inputs_for_generation(self, model_outputs: Any, model_kwargs: dict[str, Any]) -> dict[str, Any]:
        """The arguments of the next `decode` from those of the last one and its output."""
        inputs = {**model_kwargs, "past_key_values": model_outputs.past_key_values}
        if POSITIONS in inputs:
            inputs[POSITIONS] = inputs[POSITIONS][:, -1:] + 1
        return inputs


class Seq2SeqHead(PlainHead):
    """A backbone of two stacks and what reads the decoder's hidden states."""

    def encode(self, **inputs: Any) -> Any:
        """Run the encoder alone."""
        return getattr(self, self.prefix).encode(**inputs)


class Seq2SeqSequenceClassification(Seq2SeqHead):
    """A classifier of whole sequences, on the decoder's last position whose token ends one.

    labels: [B] class indices; [B] or [B, L] targets for regression; [B, L] zeros and ones for several labels each.
    """

    def setup(self) -> None:
        config = self.config
        self.make_backbone()
        self.classification_head = ClassificationHead(
            config.d_model, config.num_labels, config.classifier_dropout, dtype=self.dtype
        )

    def run_backbone(self, **inputs: Any) -> Any:
        ends = tokens_of(inputs) == self.config.eos_token_id
        check_ends(ends)
        outputs = super().run_backbone(**inputs)
        outputs.last_hidden_state = last_where(outputs.last_hidden_state, ends)  # [B, D]
        return outputs

    def read(self, outputs: Any, deterministic: bool, labels: Array | None = None) -> ModelOutput:
        logits = self.classification_head(outputs.last_hidden_state, deterministic)  # [B, L]
        loss = sequence_classification_loss(logits, labels, self.config, ops)
        return headed_output(Seq2SeqSequenceClassifierOutput, outputs, loss=loss, logits=logits)


class Seq2SeqQuestionAnswering(Seq2SeqHead):
    """Two scores for every token of the decoder: that the answer starts there, and that it ends there.

    start_positions, end_positions: [B]; a position outside the sequence does not count.
    """

    labels = ("start_positions", "end_positions")

    def setup(self) -> None:
        self.make_backbone()
        self.qa_outputs = Dense(2, in_features=self.config.d_model, dtype=self.dtype)

    def read(
        self,
        outputs: Any,
        deterministic: bool,
        start_positions: Array | None = None,
        end_positions: Array | None = None,
    ) -> ModelOutput:
        scores = self.qa_outputs(outputs.last_hidden_state)
        start, end = scores[..., 0], scores[..., 1]  # [B, T] each
        loss = question_answering_loss(start, end, start_positions, end_positions, ops)
        output_type = Seq2SeqQuestionAnsweringModelOutput
        return headed_output(output_type, outputs, loss=loss, start_logits=start, end_logits=end)
