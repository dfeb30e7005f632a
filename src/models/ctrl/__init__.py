"""CTRL (Keskar et al. 2019, https://arxiv.org/abs/1909.05858): a decoder of texts that begin with their kind."""

from ...cards import Card, Pruning, Tie, Weights

CARD = Card(
    model_type="ctrl",
    config="CTRLConfig",
    tokenizers=("CTRLTokenizer",),
    bases=("CTRLPreTrainedModel",),
    models={
        "base": "CTRLModel",
        "causal-lm": "CTRLLMHeadModel",
        "sequence-classification": "CTRLForSequenceClassification",
    },
    weights=Weights(
        prefix="transformer",
        heads=("lm_head", "classifier"),
        input_embeddings="w",
        output_embeddings="lm_head",
        tied=(Tie("lm_head.weight", to="w.weight", when="tie_word_embeddings"),),
        per_token=("w.weight", "lm_head.weight", "lm_head.bias"),
        per_head=Pruning(
            rows=tuple(f"h.{{}}.multi_head_attention.{part}" for part in ("Wq", "Wk", "Wv")),
            columns=("h.{}.multi_head_attention.dense",),
        ),
        native_plain=("ffn",),
        native_rows=("lm_head.bias",),
    ),
)

__getattr__ = CARD.export
