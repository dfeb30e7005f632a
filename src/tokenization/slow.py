"""`PreTrainedTokenizer`: the base of the tokenizers in pure Python."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import chain
from typing import Any

from tokenizers import AddedToken

from ..cards import public_names
from ..files.errors import InputError, three_beats
from .base import PreTrainedTokenizerBase
from .batch_encoding import BatchEncoding
from .decoding import tighten
from .errors import UnavailableError
from .inputs import describe, split_pair
from .options import CallOptions
from .saving import ADDED_TOKENS_FILE, added_tokens_of, dump_json, named, refuse_format, vocabulary_of
from .special_tokens import EXTRA_TOKENS, Token, described
from .splitting import Splitter, apply_flags


class PreTrainedTokenizer(PreTrainedTokenizerBase):
    """A tokenizer in pure Python.

    A class for one architecture provides `vocab_size`, `get_vocab`, `save_vocabulary`, and the three steps
    that are its own: `_tokenize` (a text without added tokens to tokens), `_convert_token_to_id` and
    `_convert_id_to_token`. It sets up its vocabulary before it calls this class's constructor.
    """

    is_fast = False

    def __init__(self, **kwargs: Any) -> None:
        """Keep the settings, and add the special tokens that the vocabulary lacks.

        Args:
            kwargs: As for the base class; `added_tokens_decoder` (id -> `AddedToken`) restores added tokens.
        """
        self._added_tokens_decoder: dict[int, AddedToken] = {}
        self._added_tokens_encoder: dict[str, int] = {}
        self._splitters: dict[tuple[str, ...], Splitter] = {}
        restored = kwargs.pop("added_tokens_decoder", None) or {}
        super().__init__(**kwargs)
        for index, token in restored.items():
            self._remember(token, index)
        missing = [token for token in self.all_special_tokens_extended if str(token) not in self._added_tokens_encoder]
        self._add_tokens(missing, special_tokens=True)

    # -- added tokens ----------------------------------------------------------------------------------------

    @property
    def added_tokens_encoder(self) -> dict[str, int]:
        """Added token -> id, by rising id."""
        return {token.content: index for index, token in self.added_tokens_decoder.items()}

    @property
    def added_tokens_decoder(self) -> dict[int, AddedToken]:
        """Id -> added token, by rising id."""
        return dict(sorted(self._added_tokens_decoder.items()))

    @added_tokens_decoder.setter
    def added_tokens_decoder(self, value: dict[int, Token]) -> None:
        self._added_tokens_decoder, self._added_tokens_encoder = {}, {}
        for index, token in value.items():
            self._remember(AddedToken(token) if isinstance(token, str) else token, index)

    def get_added_vocab(self) -> dict[str, int]:
        """Added token -> id, in the order in which they were added."""
        return dict(self._added_tokens_encoder)

    def __len__(self) -> int:
        return len(self.get_vocab())

    def _remember(self, token: AddedToken, index: int) -> None:
        self._added_tokens_decoder[index] = token
        self._added_tokens_encoder[token.content] = index
        self._splitters.clear()

    def _add_tokens(self, new_tokens: list[Token], special_tokens: bool = False) -> int:
        added = 0
        special = set(self.special_texts())
        vocabulary = self.get_vocab()
        following = len(vocabulary)
        for new in new_tokens:
            # A string says nothing of flags, so it leaves a token that was added before as it is.
            if isinstance(new, str) and (new == "" or new in self._added_tokens_encoder):
                continue
            token = described(new, special=special_tokens or (isinstance(new, str) and new in special))
            if token.content == "":
                continue
            if token.special and token.content not in special:
                self._special_tokens[EXTRA_TOKENS].append(token)
                special.add(token.content)
            if token.normalized and not token.special and self._lowers():
                token.content = token.content.lower()
            index = vocabulary.get(token.content)
            if index is None:
                index = following + added
                added += 1
                vocabulary[token.content] = index
            self._remember(token, index)
        return added

    # -- text to tokens --------------------------------------------------------------------------------------

    def tokenize(self, text: str, **kwargs: Any) -> list[str]:
        """The tokens of a text, added tokens kept whole.

        Args:
            text: The text.
            kwargs: `split_special_tokens` (look inside added tokens, too), and what this tokenizer's
                `prepare_for_tokenization` takes.

        Raises:
            InputError: `text` is not a string.
        """
        if not isinstance(text, str):
            raise InputError(three_beats(f"tokenize() was given {describe(text)}", "a string", "Convert it first."))
        split_special = kwargs.pop("split_special_tokens", self.split_special_tokens)
        text, unknown = self.prepare_for_tokenization(text, **kwargs)
        self._warn_of_arguments(unknown)
        if self._lowers():
            text = self._lower(text)
        if split_special:
            return self._tokenize(text) if text else []
        added = self._added_tokens_encoder
        pieces = self._splitter(tuple(added)).split(text)
        if not added.keys().isdisjoint(pieces):
            pieces = apply_flags(pieces, {token.content: token for token in self._added_tokens_decoder.values()})
        tokens: list[str] = []
        for piece in pieces:
            if piece in added:
                tokens.append(piece)
            elif piece:
                tokens += self._tokenize(piece)
        return tokens

    def prepare_for_tokenization(
        self, text: str, is_split_into_words: bool = False, **kwargs: Any
    ) -> tuple[str, dict[str, Any]]:
        """What a tokenizer does to a text before all else; the text, and the arguments it does not know."""
        return text, kwargs

    def _lowers(self) -> bool:
        """Whether texts and normalized added tokens are lower-cased before all else."""
        return bool(getattr(self, "do_lower_case", False))

    def _lower(self, text: str) -> str:
        """The text in lower case, character by character, its special tokens as they are."""
        special = self.special_texts()
        pieces = self._splitter(tuple(special)).split(text)
        # Only a capital sigma depends on its neighbours (it would become a final one at the end of a word).
        return "".join(piece if piece in special else piece.replace("\u03a3", "\u03c3").lower() for piece in pieces)

    def _splitter(self, tokens: tuple[str, ...]) -> Splitter:
        splitter = self._splitters.get(tokens)
        if splitter is None:
            splitter = self._splitters[tokens] = Splitter(tokens)
        return splitter

    def _tokenize(self, text: str, **kwargs: Any) -> list[str]:
        """The tokens of a text without added tokens."""
        raise NotImplementedError

    # -- tokens to ids and back ------------------------------------------------------------------------------

    def _to_id(self, token: str) -> int | None:
        index = self._added_tokens_encoder.get(token)
        return self._convert_token_to_id(token) if index is None else index

    def _to_token(self, index: int) -> str | None:
        token = self._added_tokens_decoder.get(index)
        return self._convert_id_to_token(index) if token is None else token.content

    def _convert_token_to_id(self, token: str) -> int | None:
        """The id of a token that was not added; None where there is not even an unknown token."""
        raise NotImplementedError

    def _convert_id_to_token(self, index: int) -> str | None:
        """The token of an id that was not added; None where there is not even an unknown token."""
        raise NotImplementedError

    def convert_tokens_to_string(self, tokens: list[str]) -> str:
        """Tokens joined to a text, here with spaces."""
        return " ".join(tokens)

    def get_special_tokens_mask(
        self,
        token_ids_0: Sequence[int],
        token_ids_1: Sequence[int] | None = None,
        already_has_special_tokens: bool = False,
    ) -> list[int]:
        """1 for each special token of the sequence as it is built (or as it is), 0 for the others."""
        if already_has_special_tokens:
            if token_ids_1 is not None:
                raise InputError(
                    three_beats(
                        "a second sequence was given beside a finished one",
                        "token_ids_1=None where already_has_special_tokens=True",
                        "Pass the finished pair as one sequence.",
                    )
                )
            return super().get_special_tokens_mask(token_ids_0, None, already_has_special_tokens=True)
        return [0] * (len(token_ids_0) + len(token_ids_1 or ()))

    # -- encoding --------------------------------------------------------------------------------------------

    def _encode_one(self, text: Any, text_pair: Any, options: CallOptions) -> BatchEncoding:
        self._refuse_offsets(options)
        first = self._ids_of(text, options)
        second = None if text_pair is None else self._ids_of(text_pair, options)
        fields = self._assemble(first, second, options)
        rows = self._padded({name: [value] for name, value in fields.items()}, options)
        if options.wanted.length:
            rows["length"] = [len(rows["input_ids"][0])]
        single = {name: column[0] for name, column in rows.items()}
        return BatchEncoding(single, tensor_type=options.tensors, prepend_batch_axis=options.tensors is not None)

    def _encode_batch(self, examples: list[Any], options: CallOptions) -> BatchEncoding:
        self._refuse_offsets(options)
        columns: dict[str, list[Any]] = {}
        for example in examples:
            text, pair = split_pair(example, options.is_split_into_words)
            first = self._ids_of(text, options)
            second = None if pair is None else self._ids_of(pair, options)
            for name, value in self._assemble(first, second, options).items():
                columns.setdefault(name, []).append(value)
        if options.wanted.length:
            columns["length"] = [len(row) for row in columns["input_ids"]]
        return BatchEncoding(self._padded(columns, options), tensor_type=options.tensors)

    def _ids_of(self, text: Any, options: CallOptions) -> list[int]:
        """The ids of a text, of words, of tokens, or of ids."""
        if isinstance(text, str):
            return self.convert_tokens_to_ids(self.tokenize(text, **options.extra))
        if isinstance(text, (list, tuple)) and text and isinstance(text[0], str):
            if not options.is_split_into_words:
                return self.convert_tokens_to_ids(text)
            words = (self.tokenize(word, is_split_into_words=True, **options.extra) for word in text)
            return self.convert_tokens_to_ids(list(chain.from_iterable(words)))
        if isinstance(text, (list, tuple)) and text and isinstance(text[0], int):
            return list(text)
        expected = "a list of words" if options.is_split_into_words else "a string, a list of tokens or a list of ids"
        raise InputError(three_beats(f"a text to encode is {describe(text)}", expected, "Convert it first."))

    def _refuse_offsets(self, options: CallOptions) -> None:
        if options.wanted.offsets_mapping:
            fast = f"{type(self).__name__}Fast"
            raise UnavailableError(
                three_beats(
                    f"{type(self).__name__} was asked for offsets",
                    "a fast tokenizer, which keeps them",
                    f"Use {fast}." if fast in public_names() else "Leave return_offsets_mapping out.",
                )
            )

    # -- decoding --------------------------------------------------------------------------------------------

    def _decode(
        self,
        ids: int | list[int],
        skip_special_tokens: bool,
        clean: bool,
        spaces_between_special_tokens: bool = True,
        use_source_tokenizer: bool = False,
        **kwargs: Any,
    ) -> str:
        """The text of ids: added tokens stand by themselves, the tokenizer joins the runs between them."""
        self._warn_of_arguments(kwargs)
        tokens = self.convert_ids_to_tokens([ids] if isinstance(ids, int) else ids, skip_special_tokens)
        # An id beyond the vocabulary is no special one, but its token is: the unknown one.
        skipped = self.special_texts() if skip_special_tokens else ()
        alone = self._tokens_decoded_alone()
        texts: list[str] = []
        run: list[str] = []
        for token in tokens:
            if token in skipped:
                continue
            if token not in alone:
                run.append(token)
                continue
            if run and (text := self.convert_tokens_to_string(run)):
                texts.append(text)
            run = []
            texts.append(token)
        if run:
            texts.append(self.convert_tokens_to_string(run))
        text = (" " if spaces_between_special_tokens else "").join(texts)
        return tighten(text) if clean else text

    def _tokens_decoded_alone(self) -> set[str]:
        """Added tokens that the vocabulary's own way of joining must not touch."""
        special = self.special_texts()
        nameless = self.additional_special_tokens
        beyond = {token for token in nameless if self._added_tokens_encoder.get(token, -1) >= self.vocab_size}
        return (set(self._added_tokens_encoder) - special) | beyond

    # -- saving ----------------------------------------------------------------------------------------------

    def _files_to_save(self, legacy_format: bool | None, prefix: str | None) -> tuple[dict[str, bytes], list[str]]:
        if legacy_format is False:
            raise refuse_format(self, legacy_format)
        files = vocabulary_of(self, prefix)
        added_name = named(ADDED_TOKENS_FILE, prefix)
        promised = [*files, added_name]
        added = added_tokens_of(self)
        if added:
            files[added_name] = dump_json(added)
        return files, promised
