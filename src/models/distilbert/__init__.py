"""DistilBERT (Sanh et al. 2019, https://arxiv.org/abs/1910.01108): BERT with half the layers, taught by BERT."""

from ...cards import Card, Pruning, Tie, Weights
from ...initialization import Normal, Sinusoids

CARD = Card(
    model_type="distilbert",
    config="DistilBertConfig",
    tokenizers=("DistilBertTokenizer", "DistilBertTokenizerFast"),
    bases=("DistilBertPreTrainedModel",),
    models={
        "base": "DistilBertModel",
        "masked-lm": "DistilBertForMaskedLM",
        "sequence-classification": "DistilBertForSequenceClassification",
        "multiple-choice": "DistilBertForMultipleChoice",
        "token-classification": "DistilBertForTokenClassification",
        "question-answering": "DistilBertForQuestionAnswering",
    },
    weights=Weights(
        prefix="distilbert",
        heads=("vocab_transform", "vocab_layer_norm", "vocab_projector", "pre_classifier", "classifier", "qa_outputs"),
        input_embeddings="embeddings.word_embeddings",
        output_embeddings="vocab_projector",
        position_embeddings="embeddings.position_embeddings",
        tied=(Tie("vocab_projector.weight", to="embeddings.word_embeddings.weight", when="tie_word_embeddings"),),
        per_token=("embeddings.word_embeddings.weight", "vocab_projector.weight", "vocab_projector.bias"),
        per_head=Pruning(
            rows=tuple(f"transformer.layer.{{}}.attention.{part}_lin" for part in "qkv"),
            columns=("transformer.layer.{}.attention.out_lin",),
        ),
        initializers={
            "embeddings.word_embeddings.weight": Normal(zero_row="pad_token_id"),
            "embeddings.position_embeddings.weight": Sinusoids(when="sinusoidal_pos_embds"),
        },
        native_names={"tensorflow": {"embeddings.word_embeddings.weight": "embeddings/word_embeddings/weight"}},
        native_shared={"vocab_projector": "distilbert/embeddings"},
        ignored={"embeddings.position_ids": "counts 0, 1, 2, ...; computed where it is used"},
    ),
)

__getattr__ = CARD.export
