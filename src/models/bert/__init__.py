"""BERT (Devlin et al. 2018, https://arxiv.org/abs/1810.04805): a Transformer's encoder, reading both ways."""

from ...cards import Card, Pruning, Tie, Weights
from ...initialization import ZEROS, Normal

CARD = Card(
    model_type="bert",
    config="BertConfig",
    tokenizers=("BertTokenizer", "BertTokenizerFast"),
    bases=("BertPreTrainedModel",),
    models={
        "base": "BertModel",
        "pretraining": "BertForPreTraining",
        "causal-lm": "BertLMHeadModel",
        "masked-lm": "BertForMaskedLM",
        "next-sentence-prediction": "BertForNextSentencePrediction",
        "sequence-classification": "BertForSequenceClassification",
        "multiple-choice": "BertForMultipleChoice",
        "token-classification": "BertForTokenClassification",
        "question-answering": "BertForQuestionAnswering",
    },
    aliases={"FlaxBertForCausalLM": "FlaxBertLMHeadModel"},
    weights=Weights(
        prefix="bert",
        heads=("classifier", "cls", "qa_outputs"),
        optional=("pooler",),
        input_embeddings="embeddings.word_embeddings",
        output_embeddings="cls.predictions.decoder",
        tied=(
            Tie("cls.predictions.decoder.weight", to="embeddings.word_embeddings.weight", when="tie_word_embeddings"),
            Tie("cls.predictions.decoder.bias", to="cls.predictions.bias"),
        ),
        per_token=("embeddings.word_embeddings.weight", "cls.predictions.decoder.weight", "cls.predictions.bias"),
        per_head=Pruning(
            rows=tuple(f"encoder.layer.{{}}.attention.self.{part}" for part in ("query", "key", "value")),
            columns=("encoder.layer.{}.attention.output.dense",),
        ),
        initializers={
            "embeddings.word_embeddings.weight": Normal(zero_row="pad_token_id"),
            "cls.predictions.bias": ZEROS,
        },
        native_names={
            "tensorflow": {
                "embeddings.word_embeddings.weight": "embeddings/word_embeddings/weight",
                "cls.predictions": "mlm___cls/predictions",
                "cls.seq_relationship": "nsp___cls/seq_relationship",
            },
        },
        native_shared={"mlm___cls": "bert/embeddings"},
        ignored={"embeddings.position_ids": "counts 0, 1, 2, ...; computed where it is used"},
    ),
)

__getattr__ = CARD.export
