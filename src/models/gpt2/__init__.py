"""GPT-2 (Radford et al. 2019): a Transformer's decoder that continues a text."""

from ...cards import Card, Pruning, Tie, Weights
from ...initialization import Normal

#: Why buffers that old checkpoints carry are not read.
TRIANGLE = "a triangle of ones: which token sees which is computed where it is used"
HIDING = "the score of a token that is not seen, computed where it is used"

CARD = Card(
    model_type="gpt2",
    config="GPT2Config",
    tokenizers=("GPT2Tokenizer", "GPT2TokenizerFast"),
    bases=("GPT2PreTrainedModel",),
    models={
        "base": "GPT2Model",
        "causal-lm": "GPT2LMHeadModel",
        "double-heads": "GPT2DoubleHeadsModel",
        "sequence-classification": "GPT2ForSequenceClassification",
        "token-classification": "GPT2ForTokenClassification",
        "question-answering": "GPT2ForQuestionAnswering",
    },
    weights=Weights(
        prefix="transformer",
        heads=("lm_head", "multiple_choice_head", "score", "classifier", "qa_outputs"),
        input_embeddings="wte",
        output_embeddings="lm_head",
        tied=(Tie("lm_head.weight", to="wte.weight", when="tie_word_embeddings"),),
        per_token=("wte.weight", "lm_head.weight"),
        per_head=Pruning(rows=("h.{}.attn.c_attn",), columns=("h.{}.attn.c_proj",), fused=3),
        initializers={"h.*.*.c_proj.weight": Normal("residual_range")},
        ignored={
            **dict.fromkeys(("h.*.attn.bias", "h.*.crossattention.bias"), TRIANGLE),
            **dict.fromkeys(("h.*.attn.masked_bias", "h.*.crossattention.masked_bias"), HIDING),
        },
    ),
)

__getattr__ = CARD.export
