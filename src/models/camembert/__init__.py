"""CamemBERT (Martin et al. 2019, https://arxiv.org/abs/1911.03894): RoBERTa for French, on SentencePiece."""

from dataclasses import replace

from ..roberta import CARD as ROBERTA

CARD = replace(
    ROBERTA,
    model_type="camembert",
    config="CamembertConfig",
    tokenizers=("CamembertTokenizer", "CamembertTokenizerFast"),
    bases=("CamembertPreTrainedModel",),
    models={
        "base": "CamembertModel",
        "causal-lm": "CamembertForCausalLM",
        "masked-lm": "CamembertForMaskedLM",
        "sequence-classification": "CamembertForSequenceClassification",
        "multiple-choice": "CamembertForMultipleChoice",
        "token-classification": "CamembertForTokenClassification",
        "question-answering": "CamembertForQuestionAnswering",
    },
)

__getattr__ = CARD.export
