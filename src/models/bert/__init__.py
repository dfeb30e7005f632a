"""BERT (Devlin et al. 2018, https://arxiv.org/abs/1810.04805): a Transformer's encoder, reading both ways."""

from ...cards import Card, Weights
from ...initialization import Normal

CARD = Card(
    model_type="bert",
    config="BertConfig",
    tokenizers=("BertTokenizer", "BertTokenizerFast"),
    bases=("BertPreTrainedModel",),
    models={
        "base": "BertModel",
        "sequence-classification": "BertForSequenceClassification",
    },
    weights=Weights(
        prefix="bert",
        heads=("classifier", "cls", "qa_outputs"),
        optional=("pooler",),
        input_embeddings="embeddings.word_embeddings",
        initializers={"embeddings.word_embeddings.weight": Normal(zero_row="pad_token_id")},
        ignored={"embeddings.position_ids": "counts 0, 1, 2, ...; computed where it is used"},
    ),
)
