"""GPT (Radford et al. 2018): the first Transformer's decoder that was trained to continue texts."""

from ...cards import Card

CARD = Card(model_type="openai-gpt", tokenizers=("OpenAIGPTTokenizer", "OpenAIGPTTokenizerFast"))

__getattr__ = CARD.export
