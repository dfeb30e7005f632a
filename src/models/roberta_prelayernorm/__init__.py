"""RoBERTa-PreLayerNorm (Ott et al. 2019, https://arxiv.org/abs/1904.01038): RoBERTa that normalizes first."""

from dataclasses import replace

from ..roberta import CARD as ROBERTA

CARD = replace(
    ROBERTA,
    model_type="roberta-prelayernorm",
    config="RobertaPreLayerNormConfig",
    tokenizers=(),
    tokenizers_of="roberta",
    bases=("RobertaPreLayerNormPreTrainedModel",),
    models={
        "base": "RobertaPreLayerNormModel",
        "causal-lm": "RobertaPreLayerNormForCausalLM",
        "masked-lm": "RobertaPreLayerNormForMaskedLM",
        "sequence-classification": "RobertaPreLayerNormForSequenceClassification",
        "multiple-choice": "RobertaPreLayerNormForMultipleChoice",
        "token-classification": "RobertaPreLayerNormForTokenClassification",
        "question-answering": "RobertaPreLayerNormForQuestionAnswering",
    },
    weights=replace(
        ROBERTA.weights,
        prefix="roberta_prelayernorm",
        native_shared={"lm_head": "roberta_prelayernorm/embeddings"},
    ),
)

__getattr__ = CARD.export
