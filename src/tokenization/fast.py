"""`PreTrainedTokenizerFast`: the base of the tokenizers that run on the `tokenizers` library."""

from __future__ import annotations

import copy
import logging
import os
import threading
from typing import Any, ClassVar, NamedTuple

from tokenizers import AddedToken, Encoding, Tokenizer

from ..files.errors import InputError, closest, three_beats
from .base import PreTrainedTokenizerBase
from .batch_encoding import BatchEncoding
from .calls import CALL_ARGUMENTS
from .decoding import tighten
from .encodings import Filling, as_arrays, as_lists
from .errors import ArgumentTypeError
from .inputs import describe
from .long_texts import Task, encode
from .options import CallOptions, Limits, PaddingStrategy, TruncationStrategy
from .padding import padded_length
from .rust import Snapshot, backend_errors, draws, read_backend, saved_settings, set_padding, set_truncation
from .saving import (
    ADDED_TOKENS_FILE,
    BACKEND_FILE,
    added_tokens_of,
    dump_json,
    named,
    refuse_format,
    vocabulary_of,
)
from .special_tokens import Token, described
from .training import Trainable
from .unicode import lone_surrogate

logger = logging.getLogger(__name__)


def _windows(encodings: list[Encoding]) -> tuple[list[Encoding], list[int]]:
    """Every encoding and what overflows it, and the number of the example that each is of."""
    rows = [row for encoding in encodings for row in (encoding, *encoding.overflowing)]
    samples = [number for number, encoding in enumerate(encodings) for _ in range(1 + len(encoding.overflowing))]
    return rows, samples


class _Completion(NamedTuple):
    """What is still to be done to the encodings of an answer, for those who look at them.

    Attributes:
        unaligned: The backend of encodings that lack tokens, words and offsets.
        task: What was asked of it.
        overflows: Whether what overflows an example is in rows of its own.
        filling: How rows are filled up.
    """

    unaligned: Snapshot | None
    task: Task
    overflows: bool
    filling: Filling | None

    def __call__(self, rows: list[Encoding]) -> list[Encoding]:
        """The encodings with everything that they have.

        Raises:
            InputError: The backend's parts were changed, and now give other tokens.
        """
        complete = rows
        if self.unaligned is not None:
            complete = encode(self.unaligned.backend(), self.task)
            if self.overflows:
                complete, _ = _windows(complete)
        if self.filling is not None:
            self.filling.fill(rows)
            self.filling.fill(complete)
        if [row.ids for row in complete] != [row.ids for row in rows]:
            raise InputError(
                three_beats(
                    "the tokenizer's parts were changed after it gave this answer, and now give other tokens",
                    "the parts as they were, to find where the tokens of a large text come from",
                    "Ask for it before the change, or call with return_offsets_mapping=True.",
                )
            )
        return complete


class PreTrainedTokenizerFast(Trainable, PreTrainedTokenizerBase):
    """A tokenizer on the `tokenizers` library: the same answers as its slow sibling, many times faster.

    A class for one architecture that builds a backend from vocabulary files sets `_tokenizer` before it calls
    this constructor.

    Args:
        tokenizer_object: A `tokenizers.Tokenizer`; it is copied.
        tokenizer_file: The path of a tokenizer.json.
        kwargs: As for every tokenizer; `added_tokens_decoder` (id -> `AddedToken`) restores added tokens.

    Raises:
        FileError: tokenizer.json is missing or damaged.
        InputError: Neither was given, and this class cannot build a tokenizer from vocabulary files.
    """

    vocab_files_names: ClassVar[dict[str, str]] = {
        "vocab_file": "tokenizer.model",
        "tokenizer_file": BACKEND_FILE,
    }
    optional_files: ClassVar[frozenset[str]] = frozenset({"vocab_file"})
    is_fast = True

    def __init__(
        self,
        *,
        tokenizer_object: Tokenizer | None = None,
        tokenizer_file: str | os.PathLike[str] | None = None,
        **kwargs: Any,
    ) -> None:
        self._lock = threading.Lock()
        if tokenizer_object is not None:
            self._tokenizer = copy.deepcopy(tokenizer_object)
        elif tokenizer_file is not None:
            self._tokenizer = read_backend(tokenizer_file)
        elif "_tokenizer" not in self.__dict__:
            raise InputError(
                three_beats(
                    f"{type(self).__name__} was given neither a tokenizer.json nor a tokenizer",
                    "tokenizer_file=... or tokenizer_object=...",
                    "For a vocabulary file use the class of its architecture.",
                )
            )
        self._renamed: dict[int, str] | None = None
        restored = kwargs.pop("added_tokens_decoder", None) or {}
        for name, value in saved_settings(self._tokenizer).items():
            kwargs.setdefault(name, value)
        super().__init__(**kwargs)
        if "pad_token_type_id" in kwargs:
            self._pad_token_type_id = kwargs["pad_token_type_id"]
        self._restore(restored)

    def _restore(self, tokens: dict[int, AddedToken]) -> None:
        """Add the tokens that settings name and the backend does not have, those with lower ids first."""
        present = {token.content: token.__getstate__() for token in self._tokenizer.get_added_tokens_decoder().values()}
        missing: dict[str, AddedToken] = {
            token.content: token
            for _, token in sorted(tokens.items())
            if present.get(token.content) != token.__getstate__()
        }
        for token in self.all_special_tokens_extended:
            if str(token) not in present and str(token) not in missing:
                missing[str(token)] = described(token, special=True)
        special = set(self.all_special_tokens)
        for content, token in missing.items():
            if content in special and not token.special:
                missing[content] = described(token, special=True)
        if missing:
            self._tokenizer.add_tokens(list(missing.values()))
            self._renamed = None
        for index, token in tokens.items():
            found = self._tokenizer.token_to_id(token.content)
            if found != index:
                logger.warning(
                    "the added token %r has the id %s here, and %d in the files: ids of added tokens follow "
                    "the vocabulary without a gap. Save the tokenizer again; check the model's embeddings.",
                    token.content,
                    found,
                    index,
                )

    def __getstate__(self) -> dict[str, Any]:
        return {name: value for name, value in self.__dict__.items() if name != "_lock"}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        self.__dict__["_lock"] = threading.Lock()

    # -- vocabulary ------------------------------------------------------------------------------------------

    @property
    def backend_tokenizer(self) -> Tokenizer:
        """The `tokenizers.Tokenizer` itself."""
        return self._tokenizer

    @property
    def decoder(self) -> Any:
        """The backend's decoder."""
        return self._tokenizer.decoder

    @property
    def vocab_size(self) -> int:
        """The size of the vocabulary without added tokens."""
        return self._tokenizer.get_vocab_size(with_added_tokens=False)

    def __len__(self) -> int:
        return self._tokenizer.get_vocab_size(with_added_tokens=True)

    def get_vocab(self) -> dict[str, int]:
        """Token -> id, added tokens included."""
        return self._tokenizer.get_vocab(with_added_tokens=True)

    @property
    def vocab(self) -> dict[str, int]:
        """Token -> id, added tokens included."""
        return self.get_vocab()

    @property
    def added_tokens_decoder(self) -> dict[int, AddedToken]:
        """Id -> added token, by rising id."""
        return dict(sorted(self._tokenizer.get_added_tokens_decoder().items()))

    @property
    def added_tokens_encoder(self) -> dict[str, int]:
        """Added token -> id, by rising id."""
        return {token.content: index for index, token in self.added_tokens_decoder.items()}

    def get_added_vocab(self) -> dict[str, int]:
        """Added token -> id, by rising id."""
        return self.added_tokens_encoder

    def _add_tokens(self, new_tokens: list[Token], special_tokens: bool = False) -> int:
        self._renamed = None
        if special_tokens:
            return self._tokenizer.add_special_tokens(new_tokens)
        return self._tokenizer.add_tokens(new_tokens)

    def num_special_tokens_to_add(self, pair: bool = False) -> int:
        """How many special tokens a sequence (or a pair) gets."""
        return self._tokenizer.num_special_tokens_to_add(bool(pair))

    # -- tokens to ids and back ------------------------------------------------------------------------------

    def tokenize(self, text: Any, pair: Any = None, add_special_tokens: bool = False, **kwargs: Any) -> list[str]:
        """The tokens of a text (and of a second one) as strings."""
        kwargs.setdefault("return_offsets_mapping", True)  # tokens and offsets are found together, in one pass
        return self.encode_plus(text, text_pair=pair, add_special_tokens=add_special_tokens, **kwargs).tokens()

    def _to_id(self, token: str) -> int | None:
        try:
            index = self._tokenizer.token_to_id(token)
        except UnicodeEncodeError as error:
            raise lone_surrogate(token) or error from None
        if index is not None:
            return index
        unknown = self.unk_token
        return None if unknown is None else self._tokenizer.token_to_id(unknown)

    def _to_token(self, index: int) -> str | None:
        (checked,) = self._checked([index])
        return self._renamed_tokens().get(checked) or self._tokenizer.id_to_token(checked)

    def _renamed_tokens(self) -> dict[int, str]:
        """Id -> added token, for those that the backend would give back normalized (in lower case)."""
        if self._renamed is None:
            tokens = self._tokenizer.get_added_tokens_decoder().items()
            self._renamed = {
                index: token.content
                for index, token in tokens
                if token.normalized and self._tokenizer.id_to_token(index) != token.content
            }
        return self._renamed

    @staticmethod
    def _checked(ids: list[int]) -> list[int]:
        """The ids, if the backend can take them: it counts in 32 bits without a sign."""
        wrong = next((index for index in ids if not 0 <= index < 2**32), None)
        if wrong is not None:
            raise InputError(
                three_beats(
                    f"{wrong} is not the id of a token",
                    "ids from 0 on",
                    "Replace the labels' -100 by the padding id before decoding.",
                )
            )
        return ids

    def convert_tokens_to_string(self, tokens: list[str]) -> str:
        """Tokens joined to a text, as the backend's decoder does it."""
        decoder = self._tokenizer.decoder
        with backend_errors("the tokens cannot be joined", "a list of Unicode strings", "Convert them."):
            return " ".join(tokens) if decoder is None else decoder.decode(tokens)

    # -- encoding --------------------------------------------------------------------------------------------

    def set_truncation_and_padding(
        self,
        padding_strategy: PaddingStrategy,
        truncation_strategy: TruncationStrategy,
        max_length: int | None,
        stride: int,
        pad_to_multiple_of: int | None,
        padding_side: str | None,
    ) -> None:
        """Set how the backend cuts and fills up; every call does so for itself.

        Raises:
            InputError: The backend cannot do it: the stride leaves no room.
        """
        self._set_limits(
            Limits(padding_strategy, truncation_strategy, max_length, stride, pad_to_multiple_of, padding_side)
        )

    def _set_limits(self, limits: Limits) -> None:
        set_truncation(self._tokenizer, limits, self.truncation_side)
        side = limits.padding_side or self.padding_side
        if not limits.pads:
            set_padding(self._tokenizer, limits, side, "", 0, 0)
            return
        set_padding(self._tokenizer, limits, side, self.pad_token, self.pad_token_id, self.pad_token_type_id)

    def _encode_one(self, text: Any, text_pair: Any, options: CallOptions) -> BatchEncoding:
        is_pair = len(text_pair) > 0 if isinstance(text_pair, (str, list, tuple)) else text_pair is not None
        example = (text, text_pair) if is_pair else text  # an empty second text counts as none
        batch = self._encode_batch([example], options)
        if options.tensors is None and not options.wanted.overflowing_tokens:
            for name, column in batch.data.items():
                if column and isinstance(column[0], list):
                    batch.data[name] = column[0]
        return batch

    def _encode_batch(self, examples: list[Any], options: CallOptions) -> BatchEncoding:
        limits, wanted = options.limits, options.wanted
        task = Task(examples, options.add_special_tokens, options.is_split_into_words)
        is_filled_here = limits.pads and (task.has_long_examples or options.tensors is not None)
        inner = limits._replace(padding=PaddingStrategy.DO_NOT_PAD) if is_filled_here else limits
        encodings, unaligned = self._run(task, options, inner)
        rows, samples = encodings, None
        if wanted.overflowing_tokens:
            rows, samples = _windows(encodings)
        longest = max(map(len, rows))
        filling = self._filling(longest, limits) if is_filled_here else None
        self._warn_of_length(max(longest, filling.width if filling else 0), options)
        is_even = options.tensors is not None and all(len(row) == longest for row in rows)
        if filling is not None and (options.tensors is None or wanted.offsets_mapping or longest > filling.width):
            filling.fill(rows)  # a row that is longer, because nothing cuts it, stays as it is
            fields: dict[str, Any] = as_lists(rows, wanted)
        elif options.tensors is not None and (filling is not None or is_even):
            fields = as_arrays(rows, wanted, filling or Filling(longest, "right", "", 0, 0), options.tensors)
            if wanted.offsets_mapping:
                fields["offset_mapping"] = [row.offsets for row in rows]
        else:
            fields = as_lists(rows, wanted)
        if samples is not None:
            fields["overflow_to_sample_mapping"] = samples
        batch = BatchEncoding(fields, rows, tensor_type=options.tensors)
        if filling is not None or unaligned is not None:
            batch.complete_later(_Completion(unaligned, task, wanted.overflowing_tokens, filling))
        return batch

    def _filling(self, longest: int, limits: Limits) -> Filling:
        """How rows are filled up, of which the longest has this length."""
        width = longest if limits.padding is PaddingStrategy.LONGEST or limits.max_length is None else limits.max_length
        return Filling(
            padded_length(width, limits.pad_to_multiple_of),
            limits.padding_side or self.padding_side,
            self.pad_token,
            self.pad_token_id,
            self.pad_token_type_id,
        )

    def _run(self, task: Task, options: CallOptions, limits: Limits) -> tuple[list[Encoding], Snapshot | None]:
        """The backend's encodings, and with what to align them later, if they are not aligned.

        The backend keeps what it is set to, so it is set up and run under one lock.
        """
        can_wait = task.may_be_aligned_later and not options.wanted.offsets_mapping
        split_special = options.extra.get("split_special_tokens", self.split_special_tokens)
        self._refuse_arguments(options)
        limits = self._with_usable_stride(limits, task.examples[0], options)
        with self._lock:
            backend = self._tokenizer
            self._set_limits(limits)
            if backend.encode_special_tokens != split_special:
                backend.encode_special_tokens = split_special
            try:
                with backend_errors(
                    f"{type(self).__name__} cannot encode",
                    "texts, and limits that can be kept",
                    "Check the texts, max_length, truncation and stride.",
                ):
                    later = Snapshot.of(backend) if can_wait and not draws(backend) else None
                    return encode(backend, task, aligned=later is None), later
            except InputError as error:
                if isinstance(error.__cause__, (TypeError, UnicodeError)):
                    raise self._not_a_text(task.examples) from error
                raise

    def _with_usable_stride(self, limits: Limits, example: Any, options: CallOptions) -> Limits:
        """The limits with a stride that the backend can keep: one that leaves no room makes it panic.

        Raises:
            InputError: The overflowing windows would not advance.
        """
        if not limits.truncates or limits.stride == 0 or limits.max_length is None:
            return limits
        if not options.wanted.overflowing_tokens:
            return limits._replace(stride=0)
        pair = isinstance(example, tuple) or (isinstance(example, list) and not options.is_split_into_words)
        special = self.num_special_tokens_to_add(pair) if options.add_special_tokens else 0
        room = limits.max_length - special
        if limits.stride >= room:
            raise InputError(
                three_beats(
                    f"stride={limits.stride}, max_length={limits.max_length}, and {special} special tokens",
                    f"a stride below {max(room, 1)}",
                    "Raise max_length or lower stride.",
                )
            )
        return limits

    def _not_a_text(self, examples: list[Any]) -> ArgumentTypeError:
        """Why the backend did not take the examples as texts."""
        wrong = next((example for example in examples if not isinstance(example, str)), examples)
        return lone_surrogate(examples) or ArgumentTypeError(
            three_beats(
                f"a text to encode is {describe(wrong)}",
                "a string, or a pair of strings (lists of words with is_split_into_words=True)",
                "Convert it first; fast tokenizers take no tokens and no ids.",
            )
        )

    def _refuse_arguments(self, options: CallOptions) -> None:
        for name in options.extra:
            if name != "split_special_tokens":
                near = closest(name, CALL_ARGUMENTS, count=1)
                raise ArgumentTypeError(
                    three_beats(
                        f"{type(self).__name__} was called with {name}=...",
                        "an argument that it has" + (f", such as {near[0]}" if near else ""),
                        "Correct or remove it.",
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
        """The text of ids. The backend has its own way with spaces and does not ask for the two options."""
        self._warn_of_arguments(kwargs)
        row = self._checked([ids] if isinstance(ids, int) else ids)
        renamed = self._renamed_tokens()
        if renamed and not renamed.keys().isdisjoint(row):
            added = self._tokenizer.get_added_tokens_decoder() if skip_special_tokens else {}
            skipped = {index for index, token in added.items() if token.special}
            tokens = [self._to_token(index) for index in row if index not in skipped]
            text = self.convert_tokens_to_string([token for token in tokens if token is not None])
        else:
            text = self._tokenizer.decode(row, skip_special_tokens=bool(skip_special_tokens))
        return tighten(text) if clean else text

    # -- saving ----------------------------------------------------------------------------------------------

    @property
    def can_save_slow_tokenizer(self) -> bool:
        """Whether `save_vocabulary` can write the slow tokenizer's files."""
        return self.slow_tokenizer_class is not None

    def _class_to_save(self) -> str:
        name = type(self).__name__
        return name if self.slow_tokenizer_class is None else name.removesuffix("Fast")

    def _files_to_save(self, legacy_format: bool | None, prefix: str | None) -> tuple[dict[str, bytes], list[str]]:
        files: dict[str, bytes] = {}
        promised: list[str] = []
        if legacy_format is True and not self.can_save_slow_tokenizer:
            raise refuse_format(self, legacy_format)
        if legacy_format is not False and self.can_save_slow_tokenizer:
            files = vocabulary_of(self, prefix)
            added_name = named(ADDED_TOKENS_FILE, prefix)
            promised = [*files, added_name]
            added = added_tokens_of(self)
            if added:
                files[added_name] = dump_json(added)
        if legacy_format is not True:
            backend_name = named(BACKEND_FILE, prefix)
            files[backend_name] = self._tokenizer.to_str(pretty=True).encode("utf-8")
            promised.append(backend_name)
        return files, promised
