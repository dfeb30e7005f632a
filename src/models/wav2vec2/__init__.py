"""Wav2Vec2 (Baevski et al. 2020, https://arxiv.org/abs/2006.11477): speech from waveforms, learned without texts."""

from ...cards import Card, Weights
from ...initialization import ZEROS, Constant, FanIn, Normal, Uniform

CARD = Card(
    model_type="wav2vec2",
    config="Wav2Vec2Config",
    tokenizers=("Wav2Vec2CTCTokenizer", "Wav2Vec2Tokenizer"),
    feature_extractors=("Wav2Vec2FeatureExtractor",),
    processors=("Wav2Vec2Processor", "Wav2Vec2ProcessorWithLM"),
    bases=("Wav2Vec2PreTrainedModel",),
    models={
        "base": "Wav2Vec2Model",
        "pretraining": "Wav2Vec2ForPreTraining",
        "masked-lm": "Wav2Vec2ForMaskedLM",
        "ctc": "Wav2Vec2ForCTC",
        "audio-classification": "Wav2Vec2ForSequenceClassification",
        "audio-frame-classification": "Wav2Vec2ForAudioFrameClassification",
        "audio-xvector": "Wav2Vec2ForXVector",
    },
    weights=Weights(
        prefix="wav2vec2",
        heads=(
            "quantizer", "project_hid", "project_q", "lm_head", "projector", "classifier", "layer_weights", "tdnn",
            "feature_extractor.weight", "feature_extractor.bias", "objective",
        ),
        optional=("masked_spec_embed",),
        native_index=".",
        initializers={
            "masked_spec_embed": Uniform(),
            "feature_extractor.conv_layers.*.conv.weight": FanIn(2**0.5),
            "feature_projection.projection.weight": FanIn(is_uniform=True),
            "feature_projection.projection.bias": FanIn(size="feature_width", is_uniform=True),
            "encoder.pos_conv_embed.conv.parametrizations.weight.original0": Constant("positional_length"),
            "encoder.pos_conv_embed.conv.parametrizations.weight.original1": FanIn(is_uniform=True),
            "encoder.pos_conv_embed.conv.bias": ZEROS,
            "adapter.layers.*.conv.weight": FanIn(2**0.5),
            "quantizer.codevectors": Uniform(),
            "quantizer.weight_proj.weight": Normal(1.0),
            "project_hid.weight": FanIn(is_uniform=True),
            "project_hid.bias": FanIn(size="hidden_size", is_uniform=True),
            "project_q.weight": FanIn(is_uniform=True),
            "project_q.bias": FanIn(size="codevector_dim", is_uniform=True),
            "layer_weights": Constant("layer_share"),
            "objective.weight": Normal(1.0),
        },
    ),
)  # fmt: skip

__getattr__ = CARD.export
