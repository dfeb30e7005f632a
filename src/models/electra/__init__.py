"""ELECTRA (Clark et al. 2020, https://arxiv.org/abs/2003.10555): BERT that learned which words were put in."""

from ...cards import Card, Pruning, Tie, Weights
from ...initialization import ZEROS, Normal

CARD = Card(
    model_type="electra",
    config="ElectraConfig",
    tokenizers=("ElectraTokenizer", "ElectraTokenizerFast"),
    bases=("ElectraPreTrainedModel",),
    models={
        "base": "ElectraModel",
        "pretraining": "ElectraForPreTraining",
        "causal-lm": "ElectraForCausalLM",
        "masked-lm": "ElectraForMaskedLM",
        "sequence-classification": "ElectraForSequenceClassification",
        "multiple-choice": "ElectraForMultipleChoice",
        "token-classification": "ElectraForTokenClassification",
        "question-answering": "ElectraForQuestionAnswering",
    },
    weights=Weights(
        prefix="electra",
        heads=(
            "classifier",
            "discriminator_predictions",
            "generator_lm_head",
            "generator_predictions",
            "qa_outputs",
            "sequence_summary",
        ),
        input_embeddings="embeddings.word_embeddings",
        output_embeddings="generator_lm_head",
        tied=(Tie("generator_lm_head.weight", to="embeddings.word_embeddings.weight", when="tie_word_embeddings"),),
        per_token=("embeddings.word_embeddings.weight", "generator_lm_head.weight", "generator_lm_head.bias"),
        per_head=Pruning(
            rows=tuple(f"encoder.layer.{{}}.attention.self.{part}" for part in ("query", "key", "value")),
            columns=("encoder.layer.{}.attention.output.dense",),
        ),
        initializers={
            "embeddings.word_embeddings.weight": Normal(zero_row="pad_token_id"),
            "generator_lm_head.bias": ZEROS,
        },
        native_names={
            "tensorflow": {"embeddings.word_embeddings.weight": "embeddings/word_embeddings/weight"},
        },
        native_shared={"generator_lm_head": "electra/embeddings"},
        ignored={"embeddings.position_ids": "counts 0, 1, 2, ...; computed where it is used"},
    ),
)

__getattr__ = CARD.export
