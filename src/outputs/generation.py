"""What `generate` answers when it is asked for more than the tokens.

One type for every search without beams and one for every search with them, each with a form for a decoder alone and
one for an encoder with a decoder; the names that 4.x gave to single searches are other names of these.

The shapes below: B prompts times sequences returned for each, R rows of a step (B, or the prompts times the beams),
L prompt and new tokens, V vocabulary. In every type, one entry for each step:

    scores                                one [R, V] float32, as processed and warped
    logits                                one [R, V] float32, as the model gave them
    attentions, hidden_states             one tuple over the layers
    decoder_*, cross_attentions           the same, of the decoder
    encoder_attentions, -_hidden_states   one tuple over the layers: the encoder runs once
"""

from __future__ import annotations

from typing import Any

from .base import ModelOutput


class GenerateDecoderOnlyOutput(ModelOutput):
    """sequences: [B, L]; scores, logits: one [R, V] a step."""

    sequences: Any = None
    scores: Any = None
    logits: Any = None
    attentions: Any = None
    hidden_states: Any = None
    past_key_values: Any = None


class GenerateEncoderDecoderOutput(ModelOutput):
    """sequences: [B, L]; scores, logits: one [R, V] a step."""

    sequences: Any = None
    scores: Any = None
    logits: Any = None
    encoder_attentions: Any = None
    encoder_hidden_states: Any = None
    decoder_attentions: Any = None
    cross_attentions: Any = None
    decoder_hidden_states: Any = None
    past_key_values: Any = None


class GenerateBeamDecoderOnlyOutput(ModelOutput):
    """sequences: [B, L]; sequences_scores: [B]; scores, logits: one [R, V] a step; beam_indices: [B, L - prompt].

    `beam_indices` names the row of each step's scores that a token of the sequence was chosen from, -1 after its end.
    """

    sequences: Any = None
    sequences_scores: Any = None
    scores: Any = None
    logits: Any = None
    beam_indices: Any = None
    attentions: Any = None
    hidden_states: Any = None
    past_key_values: Any = None


class GenerateBeamEncoderDecoderOutput(ModelOutput):
    """sequences: [B, L]; sequences_scores: [B]; scores, logits: one [R, V] a step; beam_indices: [B, L - prompt]."""

    sequences: Any = None
    sequences_scores: Any = None
    scores: Any = None
    logits: Any = None
    beam_indices: Any = None
    encoder_attentions: Any = None
    encoder_hidden_states: Any = None
    decoder_attentions: Any = None
    cross_attentions: Any = None
    decoder_hidden_states: Any = None
    past_key_values: Any = None


class FlaxGreedySearchOutput(ModelOutput):
    """sequences: [B, L]. Flax' `generate` answers with it even where no dict is asked for."""

    sequences: Any = None


class FlaxBeamSearchOutput(ModelOutput):
    """sequences: [B, L]; scores: [B], of the whole sequences."""

    sequences: Any = None
    scores: Any = None


FlaxSampleOutput = FlaxGreedySearchOutput

GreedySearchDecoderOnlyOutput = GenerateDecoderOnlyOutput
SampleDecoderOnlyOutput = GenerateDecoderOnlyOutput
ContrastiveSearchDecoderOnlyOutput = GenerateDecoderOnlyOutput
GreedySearchEncoderDecoderOutput = GenerateEncoderDecoderOutput
SampleEncoderDecoderOutput = GenerateEncoderDecoderOutput
ContrastiveSearchEncoderDecoderOutput = GenerateEncoderDecoderOutput
BeamSearchDecoderOnlyOutput = GenerateBeamDecoderOnlyOutput
BeamSampleDecoderOnlyOutput = GenerateBeamDecoderOnlyOutput
BeamSearchEncoderDecoderOutput = GenerateBeamEncoderDecoderOutput
BeamSampleEncoderDecoderOutput = GenerateBeamEncoderDecoderOutput
