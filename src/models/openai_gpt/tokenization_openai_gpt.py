"""GPT's tokenizer in pure Python: BERT's words in lower case, then byte-pair encoding; nothing around the sequences."""

from __future__ import annotations

import os
from typing import Any

from ...tokenization.bpe import BytePairTokenizer
from ...tokenization.special_tokens import Token
from ...tokenization.wordpiece import BasicTokenizer

#: What the last piece of a word ends with.
END_OF_WORD = "</w>"


class OpenAIGPTTokenizer(BytePairTokenizer):
    """GPT's tokenizer in pure Python.

    Args:
        vocab_file: The vocabulary, a vocab.json.
        merges_file: The merges, a merges.txt.
        unk_token: What stands for a piece that the vocabulary lacks.
        kwargs: As for every tokenizer.

    Raises:
        FileError: A file cannot be read, or is damaged.
    """

    model_input_names = ["input_ids", "attention_mask"]

    def __init__(
        self,
        vocab_file: str | os.PathLike[str],
        merges_file: str | os.PathLike[str],
        unk_token: Token = "<unk>",
        **kwargs: Any,
    ) -> None:
        self.nlp = BasicTokenizer(do_lower_case=True)
        self._read(vocab_file, merges_file)
        super().__init__(unk_token=unk_token, **kwargs)

    @property
    def do_lower_case(self) -> bool:
        """Whether the text is lower-cased: always."""
        return True

    def _words_of(self, text: str) -> list[str]:
        return self.nlp.tokenize(text)

    def _pieces(self, word: str) -> list[str]:
        return self._encoding.merge([*word[:-1], word[-1:] + END_OF_WORD])

    def convert_tokens_to_string(self, tokens: list[str]) -> str:
        """Tokens joined to a text, with a space after each word."""
        return "".join(tokens).replace(END_OF_WORD, " ").strip()
