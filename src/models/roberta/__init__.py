"""RoBERTa (Liu et al. 2019, https://arxiv.org/abs/1907.11692): BERT trained longer, on more, without pairs."""

from ...cards import Card, Pruning, Tie, Weights
from ...initialization import ZEROS, Normal

CARD = Card(
    model_type="roberta",
    config="RobertaConfig",
    tokenizers=("RobertaTokenizer", "RobertaTokenizerFast"),
    bases=("RobertaPreTrainedModel",),
    models={
        "base": "RobertaModel",
        "causal-lm": "RobertaForCausalLM",
        "masked-lm": "RobertaForMaskedLM",
        "sequence-classification": "RobertaForSequenceClassification",
        "multiple-choice": "RobertaForMultipleChoice",
        "token-classification": "RobertaForTokenClassification",
        "question-answering": "RobertaForQuestionAnswering",
    },
    weights=Weights(
        prefix="roberta",
        heads=("classifier", "lm_head", "qa_outputs"),
        optional=("pooler",),
        input_embeddings="embeddings.word_embeddings",
        output_embeddings="lm_head.decoder",
        tied=(
            Tie("lm_head.decoder.weight", to="embeddings.word_embeddings.weight", when="tie_word_embeddings"),
            Tie("lm_head.decoder.bias", to="lm_head.bias"),
        ),
        per_token=("embeddings.word_embeddings.weight", "lm_head.decoder.weight", "lm_head.bias"),
        per_head=Pruning(
            rows=tuple(f"encoder.layer.{{}}.attention.self.{part}" for part in ("query", "key", "value")),
            columns=("encoder.layer.{}.attention.output.dense",),
        ),
        initializers={
            "embeddings.word_embeddings.weight": Normal(zero_row="pad_token_id"),
            "embeddings.position_embeddings.weight": Normal(zero_row="pad_token_id"),
            "lm_head.bias": ZEROS,
        },
        native_names={
            "tensorflow": {"embeddings.word_embeddings.weight": "embeddings/word_embeddings/weight"},
        },
        native_shared={"lm_head": "roberta/embeddings"},
        ignored={"embeddings.position_ids": "counts 0, 1, 2, ...; computed where it is used"},
    ),
)

__getattr__ = CARD.export
