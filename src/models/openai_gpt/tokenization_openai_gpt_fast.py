"""GPT's tokenizer on the `tokenizers` library, from tokenizer.json or built from vocab.json and merges.txt."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any, ClassVar

from tokenizers import Tokenizer, decoders, normalizers, pre_tokenizers

from ...tokenization import PreTrainedTokenizerFast
from ...tokenization.building import add_in_order, bpe_backend, model_files
from ...tokenization.saving import BACKEND_FILE
from ...tokenization.special_tokens import Token
from .tokenization_openai_gpt import END_OF_WORD, OpenAIGPTTokenizer


class OpenAIGPTTokenizerFast(PreTrainedTokenizerFast):
    """GPT's tokenizer on the `tokenizers` library.

    Args:
        vocab_file: The vocabulary, a vocab.json; read when there is no tokenizer.json.
        merges_file: The merges, a merges.txt; read when there is no tokenizer.json.
        tokenizer_file: A tokenizer.json.
        unk_token: What stands for a piece that the vocabulary lacks.
        kwargs: As for every tokenizer; `from_slow` ignores tokenizer.json.

    Raises:
        FileError: A file is missing or damaged.
    """

    vocab_files_names: ClassVar[dict[str, str]] = {
        **OpenAIGPTTokenizer.vocab_files_names,
        "tokenizer_file": BACKEND_FILE,
    }
    optional_files: ClassVar[frozenset[str]] = frozenset()
    model_input_names = ["input_ids", "attention_mask"]
    slow_tokenizer_class = OpenAIGPTTokenizer

    def __init__(
        self,
        vocab_file: str | os.PathLike[str] | None = None,
        merges_file: str | os.PathLike[str] | None = None,
        tokenizer_file: str | os.PathLike[str] | None = None,
        unk_token: Token = "<unk>",
        **kwargs: Any,
    ) -> None:
        if kwargs.pop("from_slow", False):
            tokenizer_file = None
        if tokenizer_file is None and kwargs.get("tokenizer_object") is None:
            self._tokenizer = openai_gpt_backend(vocab_file, merges_file, {**kwargs, "unk_token": unk_token})
        super().__init__(tokenizer_file=tokenizer_file, unk_token=unk_token, **kwargs)

    @property
    def do_lower_case(self) -> bool:
        """Whether the text is lower-cased: always."""
        return True

    def _vocabulary_contents(self) -> dict[str, str | bytes]:
        return model_files(self._tokenizer)


def openai_gpt_backend(
    vocab_file: str | os.PathLike[str] | None,
    merges_file: str | os.PathLike[str] | None,
    settings: Mapping[str, Any],
) -> Tokenizer:
    """The `tokenizers` pipeline that does what `OpenAIGPTTokenizer` does.

    Raises:
        FileError: A file cannot be read, or is damaged.
        InputError: The library cannot build it from them.
    """
    unknown = str(settings["unk_token"])
    backend = bpe_backend(vocab_file, merges_file, unk_token=unknown, end_of_word_suffix=END_OF_WORD)
    backend.normalizer = normalizers.BertNormalizer(lowercase=True)
    backend.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    backend.decoder = decoders.BPEDecoder(suffix=END_OF_WORD)
    add_in_order(backend, settings)
    return backend
