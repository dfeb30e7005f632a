"""Wav2Vec2's tokenizer: characters, and from what CTC predicts for each frame back to a text with places in time."""

from __future__ import annotations

import os
import warnings
from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby
from typing import Any, ClassVar, NamedTuple

from tokenizers import AddedToken

from ...files.errors import InputError, closest, three_beats
from ...files.strict_json import load_json_object
from ...outputs import ModelOutput
from ...tokenization import PreTrainedTokenizer
from ...tokenization.decoding import tighten
from ...tokenization.options import TensorType
from ...tokenization.reading import MAX_BYTES
from ...tokenization.saving import CONFIG_FILE, dump_json
from ...tokenization.special_tokens import Token
from ...tokenization.vocabularies import VOCABULARY_FILE, check_ids
from .feature_extraction_wav2vec2 import VALUES, Wav2Vec2FeatureExtractor, normalized, sounds_of


class Wav2Vec2CTCTokenizerOutput(ModelOutput):
    """text: one or several; char_offsets, word_offsets: where the characters and the words of each are, in frames."""

    text: Any = None
    char_offsets: Any = None
    word_offsets: Any = None


class _Run(NamedTuple):
    """A token that was predicted for some frames in a row."""

    token: str
    start: int
    end: int


class Wav2Vec2CTCTokenizer(PreTrainedTokenizer):
    """Wav2Vec2's tokenizer, in pure Python only.

    Args:
        vocab_file: The vocabulary, a vocab.json; it may hold one for each language.
        bos_token, eos_token, unk_token, pad_token: The special tokens; the padding token is CTC's blank.
        word_delimiter_token: What stands between words.
        replace_word_delimiter_char: What becomes of it in a decoded text.
        do_lower_case: Whether decoded texts are in lower case; texts to encode are taken in upper case.
        target_lang: The language, where the vocabulary holds several.
        kwargs: As for every tokenizer.

    Raises:
        FileError: The vocabulary cannot be read, or is damaged.
        InputError: The vocabulary does not have the language.
    """

    vocab_files_names: ClassVar[dict[str, str]] = {
        "vocab_file": VOCABULARY_FILE,
        "tokenizer_config_file": CONFIG_FILE,
    }
    optional_files: ClassVar[frozenset[str]] = frozenset({"tokenizer_config_file"})
    model_input_names = ["input_ids", "attention_mask"]
    config_types: ClassVar[dict[str, tuple[type, ...]]] = {
        "do_lower_case": (bool,),
        "replace_word_delimiter_char": (str,),
        "target_lang": (str, type(None)),
    }

    def __init__(
        self,
        vocab_file: str | os.PathLike[str],
        bos_token: Token = "<s>",
        eos_token: Token = "</s>",
        unk_token: Token = "<unk>",
        pad_token: Token = "<pad>",
        word_delimiter_token: Token = "|",
        replace_word_delimiter_char: str = " ",
        do_lower_case: bool = False,
        target_lang: str | None = None,
        **kwargs: Any,
    ) -> None:
        self._word_delimiter_token = str(word_delimiter_token)
        self.do_lower_case = do_lower_case
        self.replace_word_delimiter_char = replace_word_delimiter_char
        self.target_lang = target_lang
        self.vocab = _read_vocabularies(vocab_file)
        self.encoder, self.decoder = self._of_language(target_lang)
        super().__init__(
            unk_token=unk_token,
            bos_token=bos_token,
            eos_token=eos_token,
            pad_token=pad_token,
            do_lower_case=do_lower_case,
            word_delimiter_token=word_delimiter_token,
            replace_word_delimiter_char=replace_word_delimiter_char,
            target_lang=target_lang,
            **kwargs,
        )
        self._keep_whole()

    # -- the vocabulary --------------------------------------------------------------------------------------

    @property
    def word_delimiter_token(self) -> str:
        """What stands between words."""
        return self._word_delimiter_token

    @word_delimiter_token.setter
    def word_delimiter_token(self, value: Token) -> None:
        self._word_delimiter_token = str(value)

    @property
    def word_delimiter_token_id(self) -> int | None:
        """The id of what stands between words."""
        return self.convert_tokens_to_ids(self.word_delimiter_token)

    @word_delimiter_token_id.setter
    def word_delimiter_token_id(self, value: int) -> None:
        self._word_delimiter_token = self.convert_ids_to_tokens(value)

    @property
    def vocab_size(self) -> int:
        """The size of the vocabulary without added tokens."""
        return len(self.decoder)

    def get_vocab(self) -> dict[str, int]:
        """Token -> id, added tokens included."""
        return {**self.encoder, **self._added_tokens_encoder}

    def set_target_lang(self, target_lang: str) -> None:
        """Take the vocabulary of another language.

        Raises:
            InputError: There is none of that language, or there is one vocabulary alone.
        """
        self.encoder, self.decoder = self._of_language(target_lang)
        self.target_lang = self.init_kwargs["target_lang"] = target_lang
        self._keep_whole()

    def _of_language(self, language: str | None) -> tuple[dict[str, int], dict[int, str]]:
        """Token -> id, and id -> token, of a language's vocabulary, or of the only one."""
        languages = [name for name, value in self.vocab.items() if isinstance(value, dict)]
        if language is None and not languages:
            encoder = self.vocab
        elif language in languages:
            encoder = self.vocab[language]
        else:
            found = f"target_lang={language!r}, and the vocabulary has {len(languages) or 'no'} languages"
            near = closest(str(language), languages) or languages[:3]
            expected = f"one of them, such as {', '.join(near)}" if near else "None"
            raise InputError(three_beats(found, expected, "Correct the argument, or use another vocab.json."))
        return encoder, {index: token for token, index in encoder.items()}

    def _keep_whole(self) -> None:
        """Add the vocabulary's tokens of several characters, so that they are found in a text."""
        long = [token for token in self.encoder if len(token) > 1]
        self.add_tokens([AddedToken(token, rstrip=True, lstrip=True, normalized=False) for token in long])

    def _add_tokens(self, new_tokens: list[Token], special_tokens: bool = False) -> int:
        plain: list[Token] = [
            AddedToken(token, rstrip=False, lstrip=False, normalized=False) if isinstance(token, str) else token
            for token in new_tokens
        ]
        return super()._add_tokens(plain, special_tokens)

    def _vocabulary_contents(self) -> dict[str, str | bytes]:
        return {VOCABULARY_FILE: dump_json(self.vocab)}

    # -- text to tokens to ids -------------------------------------------------------------------------------

    def prepare_for_tokenization(
        self, text: str, is_split_into_words: bool = False, **kwargs: Any
    ) -> tuple[str, dict[str, Any]]:
        """Put a space before each of the words that a text was split into."""
        return f" {text}" if is_split_into_words else text, kwargs

    def _tokenize(self, text: str, **kwargs: Any) -> list[str]:
        cased = text.upper() if self.do_lower_case else text
        return list(cased.replace(" ", self.word_delimiter_token))

    def _convert_token_to_id(self, token: str) -> int | None:
        index = self.encoder.get(token)
        return self.encoder.get(self.unk_token) if index is None else index

    def _convert_id_to_token(self, index: int) -> str | None:
        token = self.decoder.get(index)
        return self.unk_token if token is None else token

    # -- ids to tokens to text -------------------------------------------------------------------------------

    def convert_tokens_to_string(
        self,
        tokens: Sequence[str],
        group_tokens: bool = True,
        spaces_between_special_tokens: bool = False,
        output_char_offsets: bool = False,
        output_word_offsets: bool = False,
    ) -> dict[str, Any]:
        """The text of what was predicted for each frame: repetitions are one token, and blanks go.

        Args:
            tokens: The token of each frame.
            group_tokens: Whether the same token in frames side by side is one.
            spaces_between_special_tokens: Put spaces between all tokens.
            output_char_offsets: Also say in which frames each token is.
            output_word_offsets: Also say in which frames each word is.

        Returns:
            `text`, `char_offsets` and `word_offsets`; the last two are None where they were not asked for.
        """
        if not tokens:
            return {"text": "", "char_offsets": [], "word_offsets": []}
        space = self.replace_word_delimiter_char
        runs = [
            run._replace(token=space) if run.token == self.word_delimiter_token else run
            for run in _runs(tokens, group_tokens)
            if run.token != self.pad_token
        ]
        text = (" " if spaces_between_special_tokens else "").join(run.token for run in runs).strip()
        return {
            "text": text.lower() if self.do_lower_case else text,
            "char_offsets": [_place("char", [run]) for run in runs] if output_char_offsets else None,
            "word_offsets": list(_words(runs, space)) if output_word_offsets else None,
        }

    def decode(
        self,
        token_ids: Any,
        skip_special_tokens: bool = False,
        clean_up_tokenization_spaces: bool | None = None,
        output_char_offsets: bool = False,
        output_word_offsets: bool = False,
        **kwargs: Any,
    ) -> Any:
        """The text of a row of predicted ids.

        Args:
            token_ids: The id of each frame: a list, an array or a tensor of any framework.
            skip_special_tokens: Leave special tokens out.
            clean_up_tokenization_spaces: Take out spaces before punctuation; None is as the tokenizer does.
            output_char_offsets, output_word_offsets: Also say in which frames each character or word is; multiply by
                the frames' distance for seconds.
            kwargs: `group_tokens`, `spaces_between_special_tokens`, as for `convert_tokens_to_string`.

        Returns:
            The text; with offsets a `Wav2Vec2CTCTokenizerOutput`.

        Raises:
            ArgumentTypeError: Something that is not a row of whole numbers.
        """
        return super().decode(
            token_ids,
            skip_special_tokens,
            clean_up_tokenization_spaces,
            output_char_offsets=output_char_offsets,
            output_word_offsets=output_word_offsets,
            **kwargs,
        )

    def batch_decode(
        self,
        sequences: Any,
        skip_special_tokens: bool = False,
        clean_up_tokenization_spaces: bool | None = None,
        output_char_offsets: bool = False,
        output_word_offsets: bool = False,
        **kwargs: Any,
    ) -> Any:
        """The texts of several rows; with offsets, one output whose fields are lists. The arguments are `decode`'s."""
        wanted = {"output_char_offsets": output_char_offsets, "output_word_offsets": output_word_offsets}
        rows = super().batch_decode(sequences, skip_special_tokens, clean_up_tokenization_spaces, **wanted, **kwargs)
        if not any(wanted.values()) or not rows:
            return rows
        outputs: list[Any] = rows
        return Wav2Vec2CTCTokenizerOutput({name: [output[name] for output in outputs] for name in outputs[0]})

    def _decode(
        self,
        ids: int | list[int],
        skip_special_tokens: bool,
        clean: bool,
        group_tokens: bool = True,
        spaces_between_special_tokens: bool = False,
        output_word_offsets: bool = False,
        output_char_offsets: bool = False,
        use_source_tokenizer: bool = False,
        **kwargs: Any,
    ) -> Any:
        self._warn_of_arguments(kwargs)
        tokens = self.convert_ids_to_tokens([ids] if isinstance(ids, int) else ids)
        skipped = set(self.all_special_tokens) if skip_special_tokens else ()
        found = self.convert_tokens_to_string(
            [token for token in tokens if token not in skipped],  # the blanks go too, and what they kept apart is one
            group_tokens=group_tokens,
            spaces_between_special_tokens=spaces_between_special_tokens,
            output_word_offsets=output_word_offsets,
            output_char_offsets=output_char_offsets,
        )
        text = tighten(found["text"]) if clean else found["text"]
        if not (output_char_offsets or output_word_offsets):
            return text
        return Wav2Vec2CTCTokenizerOutput({**found, "text": text})


def _runs(tokens: Sequence[str], group: bool) -> Iterator[_Run]:
    """The tokens of frames with where they start and end, those that repeat as one."""
    start = 0
    for token, frames in groupby(tokens) if group else ((token, [token]) for token in tokens):
        end = start + sum(1 for _ in frames)
        yield _Run(token, start, end)
        start = end


def _words(runs: Iterable[_Run], space: str) -> Iterator[dict[str, Any]]:
    """The words between spaces, with where they start and end."""
    for is_space, word in groupby(runs, lambda run: run.token == space):
        if not is_space:
            yield _place("word", list(word))


def _place(what: str, runs: Sequence[_Run]) -> dict[str, Any]:
    return {
        what: "".join(run.token for run in runs),
        "start_offset": runs[0].start,
        "end_offset": runs[-1].end,
    }


def _read_vocabularies(path: str | os.PathLike[str]) -> dict[str, Any]:
    """A vocabulary, or one for each language.

    Raises:
        FileError: The file cannot be read, or holds something that is no token or no id.
    """
    vocabulary = load_json_object(path, max_bytes=MAX_BYTES)
    if vocabulary and all(isinstance(value, dict) for value in vocabulary.values()):
        for language, tokens in vocabulary.items():
            check_ids(tokens, f"{path}: {language!r}")
    else:
        check_ids(vocabulary, str(path))
    return vocabulary


class Wav2Vec2Tokenizer(Wav2Vec2CTCTokenizer):
    """Of old: reads sounds, and writes texts from what CTC predicts. `Wav2Vec2Processor` has taken its place.

    Args:
        vocab_file: The vocabulary, a vocab.json.
        bos_token, eos_token, unk_token, pad_token: The special tokens; the padding token is CTC's blank.
        word_delimiter_token: What stands between words.
        do_lower_case: Whether decoded texts are in lower case.
        do_normalize: Whether each sound is brought to mean 0 and variance 1.
        return_attention_mask: Whether to say where sounds are filled up.
        kwargs: As for every tokenizer.
    """

    model_input_names = ["input_values", "attention_mask"]

    def __init__(
        self,
        vocab_file: str | os.PathLike[str],
        bos_token: Token = "<s>",
        eos_token: Token = "</s>",
        unk_token: Token = "<unk>",
        pad_token: Token = "<pad>",
        word_delimiter_token: Token = "|",
        do_lower_case: bool = False,
        do_normalize: bool = False,
        return_attention_mask: bool = False,
        **kwargs: Any,
    ) -> None:
        warnings.warn("Wav2Vec2Tokenizer is called Wav2Vec2Processor now.", FutureWarning, stacklevel=2)
        roles = {"bos_token": bos_token, "eos_token": eos_token, "unk_token": unk_token, "pad_token": pad_token}
        options = {"do_normalize": do_normalize, "return_attention_mask": return_attention_mask}
        words = {"word_delimiter_token": word_delimiter_token, "do_lower_case": do_lower_case}
        super().__init__(vocab_file, **roles, **words, **{**options, **kwargs})
        self.do_normalize, self.return_attention_mask = do_normalize, return_attention_mask

    def __call__(
        self,
        raw_speech: Any,
        padding: bool | str = False,
        max_length: int | None = None,
        pad_to_multiple_of: int | None = None,
        padding_side: str | None = None,
        return_tensors: str | TensorType | None = None,
        verbose: bool = True,
        **kwargs: Any,
    ) -> Any:
        """Prepare sounds, filled up with the padding token's number.

        Args:
            raw_speech: A sound or several, as `Wav2Vec2FeatureExtractor` takes them.
            padding, max_length, pad_to_multiple_of: As of its `pad`.
            padding_side: "right" or "left"; the tokenizer's if None.
            return_tensors: `pt`, `tf`, `np` or `jax`; arrays if None.
            verbose, kwargs: Not read.

        Raises:
            InputError: As of `Wav2Vec2FeatureExtractor`.
        """
        sounds = [normalized(sound, len(sound)) if self.do_normalize else sound for sound in sounds_of(raw_speech)]
        side, value = padding_side or self.padding_side, self.pad_token_id or 0
        filler = Wav2Vec2FeatureExtractor(
            padding_value=value, padding_side=side, return_attention_mask=self.return_attention_mask
        )
        return filler.pad(
            {VALUES: sounds}, padding, max_length=max_length, pad_to_multiple_of=pad_to_multiple_of,
            return_tensors=return_tensors,
        )  # fmt: skip

    def _tokenize(self, text: str, **kwargs: Any) -> list[str]:
        remedy = "Use Wav2Vec2CTCTokenizer."
        raise InputError(three_beats("a text for Wav2Vec2Tokenizer, which reads sounds", "a sound", remedy))
