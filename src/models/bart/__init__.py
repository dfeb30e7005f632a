"""BART (Lewis et al. 2019, https://arxiv.org/abs/1910.13461): an encoder and a decoder that learned to mend text."""

from ...cards import Card, Tie, Weights
from ...initialization import ZEROS, Normal

CARD = Card(
    model_type="bart",
    config="BartConfig",
    tokenizers=("BartTokenizer", "BartTokenizerFast"),
    bases=("BartPreTrainedModel", "BartDecoderPreTrainedModel"),
    models={
        "base": "BartModel",
        "denoising": "BartForConditionalGeneration",
        "sequence-classification": "BartForSequenceClassification",
        "question-answering": "BartForQuestionAnswering",
        "causal-lm": "BartForCausalLM",
    },
    aliases={f"{framework}BartPretrainedModel": f"{framework}BartPreTrainedModel" for framework in ("", "TF", "Flax")},
    weights=Weights(
        prefix="model",
        heads=("lm_head", "final_logits_bias", "classification_head", "qa_outputs"),
        parts=("encoder",),
        input_embeddings="shared",
        output_embeddings="lm_head",
        tied=(
            Tie("encoder.embed_tokens.weight", to="shared.weight"),
            Tie("decoder.embed_tokens.weight", to="shared.weight"),
            Tie("lm_head.weight", to="shared.weight", when="tie_word_embeddings"),
            # in the decoder alone
            Tie("shared.weight", to="decoder.embed_tokens.weight"),
            Tie("lm_head.weight", to="decoder.embed_tokens.weight", when="tie_word_embeddings"),
        ),
        per_token=("shared.weight", "decoder.embed_tokens.weight", "lm_head.weight"),
        token_biases=("final_logits_bias",),
        deviation="init_std",
        initializers={
            "shared.weight": Normal("init_std", zero_row="pad_token_id"),
            "decoder.embed_tokens.weight": Normal("init_std", zero_row="pad_token_id"),
            "final_logits_bias": ZEROS,
        },
        native_names={"tensorflow": {"model.shared": "model.shared/model.shared"}},
        native_layers={"model.shared": "model"},
        native_index=".",
    ),
)

__getattr__ = CARD.export
