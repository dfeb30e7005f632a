"""T5 (Raffel et al. 2019, https://arxiv.org/abs/1910.10683): every task as text to text."""

from ...cards import Card, Pruning, Tie, Weights
from ...initialization import Constant, Normal

SELF_ATTENTION = "encoder.block.{}.layer.0.SelfAttention"

CARD = Card(
    model_type="t5",
    config="T5Config",
    tokenizers=("T5Tokenizer", "T5TokenizerFast"),
    bases=("T5PreTrainedModel",),
    models={
        "base": "T5Model",
        "seq2seq-lm": "T5ForConditionalGeneration",
        "text-encoding": "T5EncoderModel",
        "question-answering": "T5ForQuestionAnswering",
        "sequence-classification": "T5ForSequenceClassification",
        "token-classification": "T5ForTokenClassification",
    },
    weights=Weights(
        prefix="transformer",
        heads=("lm_head", "qa_outputs", "classification_head", "classifier"),
        parts=("decoder",),
        input_embeddings="shared",
        output_embeddings="lm_head",
        tied=(
            Tie("encoder.embed_tokens.weight", to="shared.weight"),
            Tie("decoder.embed_tokens.weight", to="shared.weight"),
            Tie("lm_head.weight", to="shared.weight", when="tie_word_embeddings"),
        ),
        per_token=("shared.weight", "lm_head.weight"),
        per_head=Pruning(
            rows=tuple(f"{SELF_ATTENTION}.{part}" for part in ("q", "k", "v")), columns=(f"{SELF_ATTENTION}.o",)
        ),
        initializers={
            "shared.weight": Normal("initializer_factor"),
            "lm_head.weight": Normal("initializer_factor"),
            "*.block.*.layer.*.*Attention.q.weight": Normal("query_range"),
            "*.block.*.layer.*.*Attention.[kv].weight": Normal("width_range"),
            "*.block.*.layer.*.*Attention.o.weight": Normal("heads_range"),
            "*.block.*.layer.*.SelfAttention.relative_attention_bias.weight": Normal("width_range"),
            "*.block.*.layer.*.DenseReluDense.wi*.weight": Normal("width_range"),
            "*.block.*.layer.*.DenseReluDense.wo.weight": Normal("inner_range"),
            "*.block.*.layer.*.layer_norm.weight": Constant("initializer_factor"),
            "*.final_layer_norm.weight": Constant("initializer_factor"),
            "qa_outputs.weight": Normal("width_range"),
            "classification_head.*.weight": Normal("width_range"),
            "classifier.weight": Normal("initializer_factor"),
        },
        native_bare=False,
        native_shared={"encoder": "shared", "decoder": "shared"},
        ignored={
            "decoder.block.0.layer.1.EncDecAttention.relative_attention_bias.weight": (
                "a bias between positions of two texts, which the first checkpoints hold and no model reads"
            )
        },
    ),
)

__getattr__ = CARD.export
