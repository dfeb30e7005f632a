"""What models answer, one set of types for the three frameworks.

An output holds whichever framework's arrays it was given, and a field that the call did not ask for is absent.
`TFBaseModelOutput` and `FlaxBaseModelOutput` are other names of `BaseModelOutput`.

The shapes below: B batch, T target length, S source length, D width, N heads, L labels, V vocabulary, K choices,
C channels, Y and X the image. In every type:

    loss                                  [], present if labels were given
    hidden_states                         one [B, T, D] for the embeddings and one per layer
    attentions, cross_attentions          one [B, N, T, S] per layer
    decoder_*, encoder_*                  the same, of the one or the other stack
    past_key_values                       the cache: keys and values of earlier positions
"""

from __future__ import annotations

from typing import Any

from .base import ModelOutput as ModelOutput
from .base import Wanted as Wanted
from .base import dotted as dotted
from .base import flatten as flatten
from .base import register_pytrees as register_pytrees
from .base import unflatten as unflatten
from .generation import BeamSampleDecoderOnlyOutput as BeamSampleDecoderOnlyOutput
from .generation import BeamSampleEncoderDecoderOutput as BeamSampleEncoderDecoderOutput
from .generation import BeamSearchDecoderOnlyOutput as BeamSearchDecoderOnlyOutput
from .generation import BeamSearchEncoderDecoderOutput as BeamSearchEncoderDecoderOutput
from .generation import ContrastiveSearchDecoderOnlyOutput as ContrastiveSearchDecoderOnlyOutput
from .generation import ContrastiveSearchEncoderDecoderOutput as ContrastiveSearchEncoderDecoderOutput
from .generation import FlaxBeamSearchOutput as FlaxBeamSearchOutput
from .generation import FlaxGreedySearchOutput as FlaxGreedySearchOutput
from .generation import FlaxSampleOutput as FlaxSampleOutput
from .generation import GenerateBeamDecoderOnlyOutput as GenerateBeamDecoderOnlyOutput
from .generation import GenerateBeamEncoderDecoderOutput as GenerateBeamEncoderDecoderOutput
from .generation import GenerateDecoderOnlyOutput as GenerateDecoderOnlyOutput
from .generation import GenerateEncoderDecoderOutput as GenerateEncoderDecoderOutput
from .generation import GreedySearchDecoderOnlyOutput as GreedySearchDecoderOnlyOutput
from .generation import GreedySearchEncoderDecoderOutput as GreedySearchEncoderDecoderOutput
from .generation import SampleDecoderOnlyOutput as SampleDecoderOnlyOutput
from .generation import SampleEncoderDecoderOutput as SampleEncoderDecoderOutput


def __getattr__(name: str) -> type[ModelOutput]:
    """The types under the names that TensorFlow's and Flax' users know: `TFBaseModelOutput` is `BaseModelOutput`."""
    known = globals().get(name) or globals().get(name.removeprefix("TF").removeprefix("Flax"))
    if isinstance(known, type) and issubclass(known, ModelOutput):
        return known
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


# ---- the bare model -----------------------------------------------------------------------------------------


class BaseModelOutput(ModelOutput):
    """last_hidden_state: [B, T, D]."""

    last_hidden_state: Any = None
    hidden_states: Any = None
    attentions: Any = None


class BaseModelOutputWithNoAttention(ModelOutput):
    """last_hidden_state: [B, C, Y, X], from convolutions."""

    last_hidden_state: Any = None
    hidden_states: Any = None


class BaseModelOutputWithPast(ModelOutput):
    """last_hidden_state: [B, T, D]."""

    last_hidden_state: Any = None
    past_key_values: Any = None
    hidden_states: Any = None
    attentions: Any = None


class BaseModelOutputWithCrossAttentions(ModelOutput):
    """last_hidden_state: [B, T, D]."""

    last_hidden_state: Any = None
    hidden_states: Any = None
    attentions: Any = None
    cross_attentions: Any = None


class BaseModelOutputWithPastAndCrossAttentions(ModelOutput):
    """last_hidden_state: [B, T, D]."""

    last_hidden_state: Any = None
    past_key_values: Any = None
    hidden_states: Any = None
    attentions: Any = None
    cross_attentions: Any = None


class BaseModelOutputWithPooling(ModelOutput):
    """last_hidden_state: [B, T, D]; pooler_output: [B, D]."""

    last_hidden_state: Any = None
    pooler_output: Any = None
    hidden_states: Any = None
    attentions: Any = None


class BaseModelOutputWithPoolingAndNoAttention(ModelOutput):
    """last_hidden_state: [B, C, Y, X]; pooler_output: [B, C]."""

    last_hidden_state: Any = None
    pooler_output: Any = None
    hidden_states: Any = None


class BaseModelOutputWithPoolingAndCrossAttentions(ModelOutput):
    """last_hidden_state: [B, T, D]; pooler_output: [B, D]."""

    last_hidden_state: Any = None
    pooler_output: Any = None
    hidden_states: Any = None
    past_key_values: Any = None
    attentions: Any = None
    cross_attentions: Any = None


class BaseModelOutputWithPoolingAndProjection(ModelOutput):
    """last_hidden_state: [B, T, D]; pooler_output: [B, D]; projection_state: one [B, D] per projection."""

    last_hidden_state: Any = None
    pooler_output: Any = None
    hidden_states: Any = None
    attentions: Any = None
    projection_state: Any = None


# ---- language models ----------------------------------------------------------------------------------------


class CausalLMOutput(ModelOutput):
    """logits: [B, T, V]."""

    loss: Any = None
    logits: Any = None
    hidden_states: Any = None
    attentions: Any = None


class CausalLMOutputWithPast(ModelOutput):
    """logits: [B, T, V]."""

    loss: Any = None
    logits: Any = None
    past_key_values: Any = None
    hidden_states: Any = None
    attentions: Any = None


class CausalLMOutputWithCrossAttentions(ModelOutput):
    """logits: [B, T, V]."""

    loss: Any = None
    logits: Any = None
    past_key_values: Any = None
    hidden_states: Any = None
    attentions: Any = None
    cross_attentions: Any = None


class MaskedLMOutput(ModelOutput):
    """logits: [B, T, V]."""

    loss: Any = None
    logits: Any = None
    hidden_states: Any = None
    attentions: Any = None


class BertForPreTrainingOutput(ModelOutput):
    """loss: [], the sum of both; prediction_logits: [B, T, V]; seq_relationship_logits: [B, 2]."""

    loss: Any = None
    prediction_logits: Any = None
    seq_relationship_logits: Any = None
    hidden_states: Any = None
    attentions: Any = None


class AlbertForPreTrainingOutput(ModelOutput):
    """loss: [], the sum of both; prediction_logits: [B, T, V]; sop_logits: [B, L], the first for the right order."""

    loss: Any = None
    prediction_logits: Any = None
    sop_logits: Any = None
    hidden_states: Any = None
    attentions: Any = None


class ElectraForPreTrainingOutput(ModelOutput):
    """logits: [B, T], how sure each token is to be a replaced one."""

    loss: Any = None
    logits: Any = None
    hidden_states: Any = None
    attentions: Any = None


class GPT2DoubleHeadsModelOutput(ModelOutput):
    """logits: [B, K, T, V]; mc_logits: [B, K]; mc_loss: [], that of the choices."""

    loss: Any = None
    mc_loss: Any = None
    logits: Any = None
    mc_logits: Any = None
    past_key_values: Any = None
    hidden_states: Any = None
    attentions: Any = None


class OpenAIGPTDoubleHeadsModelOutput(ModelOutput):
    """logits: [B, K, T, V]; mc_logits: [B, K]; mc_loss: [], that of the choices."""

    loss: Any = None
    mc_loss: Any = None
    logits: Any = None
    mc_logits: Any = None
    hidden_states: Any = None
    attentions: Any = None


# ---- classification -----------------------------------------------------------------------------------------


class NextSentencePredictorOutput(ModelOutput):
    """logits: [B, 2], the first for a sentence that follows."""

    loss: Any = None
    logits: Any = None
    hidden_states: Any = None
    attentions: Any = None


class SequenceClassifierOutput(ModelOutput):
    """logits: [B, L]."""

    loss: Any = None
    logits: Any = None
    hidden_states: Any = None
    attentions: Any = None


class SequenceClassifierOutputWithPast(ModelOutput):
    """logits: [B, L]."""

    loss: Any = None
    logits: Any = None
    past_key_values: Any = None
    hidden_states: Any = None
    attentions: Any = None


class TokenClassifierOutput(ModelOutput):
    """logits: [B, T, L]."""

    loss: Any = None
    logits: Any = None
    hidden_states: Any = None
    attentions: Any = None


class MultipleChoiceModelOutput(ModelOutput):
    """logits: [B, K]."""

    loss: Any = None
    logits: Any = None
    hidden_states: Any = None
    attentions: Any = None


# ---- question answering -------------------------------------------------------------------------------------


class QuestionAnsweringModelOutput(ModelOutput):
    """start_logits, end_logits: [B, T]."""

    loss: Any = None
    start_logits: Any = None
    end_logits: Any = None
    hidden_states: Any = None
    attentions: Any = None


# ---- sequence to sequence -----------------------------------------------------------------------------------


class Seq2SeqModelOutput(ModelOutput):
    """last_hidden_state: [B, T, D], the decoder's; encoder_last_hidden_state: [B, S, D]."""

    last_hidden_state: Any = None
    past_key_values: Any = None
    decoder_hidden_states: Any = None
    decoder_attentions: Any = None
    cross_attentions: Any = None
    encoder_last_hidden_state: Any = None
    encoder_hidden_states: Any = None
    encoder_attentions: Any = None


class Seq2SeqLMOutput(ModelOutput):
    """logits: [B, T, V]; encoder_last_hidden_state: [B, S, D]."""

    loss: Any = None
    logits: Any = None
    past_key_values: Any = None
    decoder_hidden_states: Any = None
    decoder_attentions: Any = None
    cross_attentions: Any = None
    encoder_last_hidden_state: Any = None
    encoder_hidden_states: Any = None
    encoder_attentions: Any = None


class Seq2SeqSequenceClassifierOutput(ModelOutput):
    """logits: [B, L]; encoder_last_hidden_state: [B, S, D]."""

    loss: Any = None
    logits: Any = None
    past_key_values: Any = None
    decoder_hidden_states: Any = None
    decoder_attentions: Any = None
    cross_attentions: Any = None
    encoder_last_hidden_state: Any = None
    encoder_hidden_states: Any = None
    encoder_attentions: Any = None


class Seq2SeqQuestionAnsweringModelOutput(ModelOutput):
    """start_logits, end_logits: [B, T]; encoder_last_hidden_state: [B, S, D]."""

    loss: Any = None
    start_logits: Any = None
    end_logits: Any = None
    past_key_values: Any = None
    decoder_hidden_states: Any = None
    decoder_attentions: Any = None
    cross_attentions: Any = None
    encoder_last_hidden_state: Any = None
    encoder_hidden_states: Any = None
    encoder_attentions: Any = None


# ---- vision -------------------------------------------------------------------------------------------------


class BackboneOutput(ModelOutput):
    """feature_maps: one [B, C, Y, X] per stage asked for."""

    feature_maps: Any = None
    hidden_states: Any = None
    attentions: Any = None


class ImageClassifierOutput(ModelOutput):
    """logits: [B, L]."""

    loss: Any = None
    logits: Any = None
    hidden_states: Any = None
    attentions: Any = None


class ImageClassifierOutputWithNoAttention(ModelOutput):
    """logits: [B, L]."""

    loss: Any = None
    logits: Any = None
    hidden_states: Any = None


class SemanticSegmenterOutput(ModelOutput):
    """logits: [B, L, Y, X], smaller than the image."""

    loss: Any = None
    logits: Any = None
    hidden_states: Any = None
    attentions: Any = None


class DepthEstimatorOutput(ModelOutput):
    """predicted_depth: [B, Y, X]."""

    loss: Any = None
    predicted_depth: Any = None
    hidden_states: Any = None
    attentions: Any = None


class MaskedImageModelingOutput(ModelOutput):
    """reconstruction: [B, C, Y, X]."""

    loss: Any = None
    reconstruction: Any = None
    hidden_states: Any = None
    attentions: Any = None


# ---- audio --------------------------------------------------------------------------------------------------


class Wav2Vec2BaseModelOutput(ModelOutput):
    """last_hidden_state: [B, T, D]; extract_features: [B, T, C], what the convolutions give."""

    last_hidden_state: Any = None
    extract_features: Any = None
    hidden_states: Any = None
    attentions: Any = None


class Wav2Vec2ForPreTrainingOutput(ModelOutput):
    """projected_states, projected_quantized_states: [B, T, P], the prediction and the truth of each frame.

    codevector_perplexity: [], how many entries of the codebooks are in use; contrastive_loss, diversity_loss: [], what
    `loss` is made of.
    """

    loss: Any = None
    projected_states: Any = None
    projected_quantized_states: Any = None
    codevector_perplexity: Any = None
    hidden_states: Any = None
    attentions: Any = None
    contrastive_loss: Any = None
    diversity_loss: Any = None


class XVectorOutput(ModelOutput):
    """logits: [B, L]; embeddings: [B, D], to compare speakers by."""

    loss: Any = None
    logits: Any = None
    embeddings: Any = None
    hidden_states: Any = None
    attentions: Any = None
