"""ALBERT (Lan et al. 2019, https://arxiv.org/abs/1909.11942): BERT with one set of weights for all layers."""

from ...cards import Card, Pruning, Tie, Weights
from ...initialization import ZEROS, Normal

CARD = Card(
    model_type="albert",
    config="AlbertConfig",
    tokenizers=("AlbertTokenizer", "AlbertTokenizerFast"),
    bases=("AlbertPreTrainedModel",),
    models={
        "base": "AlbertModel",
        "pretraining": "AlbertForPreTraining",
        "masked-lm": "AlbertForMaskedLM",
        "sequence-classification": "AlbertForSequenceClassification",
        "multiple-choice": "AlbertForMultipleChoice",
        "token-classification": "AlbertForTokenClassification",
        "question-answering": "AlbertForQuestionAnswering",
    },
    weights=Weights(
        prefix="albert",
        heads=("classifier", "predictions", "qa_outputs", "sop_classifier"),
        optional=("pooler",),
        input_embeddings="embeddings.word_embeddings",
        output_embeddings="predictions.decoder",
        tied=(
            Tie("predictions.decoder.weight", to="embeddings.word_embeddings.weight", when="tie_word_embeddings"),
            Tie("predictions.decoder.bias", to="predictions.bias"),
        ),
        per_token=("embeddings.word_embeddings.weight", "predictions.decoder.weight", "predictions.bias"),
        per_head=Pruning(
            rows=tuple(
                f"encoder.albert_layer_groups.{{}}.albert_layers.{{}}.attention.{part}"
                for part in ("query", "key", "value")
            ),
            columns=("encoder.albert_layer_groups.{}.albert_layers.{}.attention.dense",),
            in_groups="inner_group_num",
        ),
        initializers={
            "embeddings.word_embeddings.weight": Normal(zero_row="pad_token_id"),
            "predictions.bias": ZEROS,
        },
        native_names={
            "tensorflow": {
                "embeddings.word_embeddings.weight": "embeddings/word_embeddings/weight",
                # TensorFlow's files have the bias twice, and its models add the decoder's
                "predictions.bias": "predictions/decoder/bias",
                "predictions.decoder.bias": "predictions/bias",
            },
        },
        native_shared={"predictions": "albert/embeddings"},
        ignored={"embeddings.position_ids": "counts 0, 1, 2, ...; computed where it is used"},
    ),
)

__getattr__ = CARD.export
