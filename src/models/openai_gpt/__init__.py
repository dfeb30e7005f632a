"""GPT (Radford et al. 2018): the first Transformer's decoder that was trained to continue texts."""

from ...cards import Card, Pruning, Tie, Weights

CARD = Card(
    model_type="openai-gpt",
    config="OpenAIGPTConfig",
    tokenizers=("OpenAIGPTTokenizer", "OpenAIGPTTokenizerFast"),
    bases=("OpenAIGPTPreTrainedModel",),
    models={
        "base": "OpenAIGPTModel",
        "causal-lm": "OpenAIGPTLMHeadModel",
        "double-heads": "OpenAIGPTDoubleHeadsModel",
        "sequence-classification": "OpenAIGPTForSequenceClassification",
    },
    weights=Weights(
        prefix="transformer",
        heads=("lm_head", "multiple_choice_head", "score"),
        input_embeddings="tokens_embed",
        output_embeddings="lm_head",
        tied=(Tie("lm_head.weight", to="tokens_embed.weight", when="tie_word_embeddings"),),
        per_token=("tokens_embed.weight", "lm_head.weight"),
        per_head=Pruning(rows=("h.{}.attn.c_attn",), columns=("h.{}.attn.c_proj",), fused=3),
        native_names={"tensorflow": {"tokens_embed.weight": "tokens_embed/weight"}},
        ignored={
            "h.*.attn.bias": "a triangle of ones: which token sees which is computed where it is used",
            "position_ids": "counts 0, 1, 2, ...; computed where it is used",
        },
    ),
)

__getattr__ = CARD.export
