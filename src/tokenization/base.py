"""`PreTrainedTokenizerBase`: what the slow and the fast tokenizers have in common."""

from __future__ import annotations

import copy
import logging
import os
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, ClassVar, Self

from tokenizers import AddedToken

from ..files.errors import closest, three_beats
from ..hub.options import HubOptions
from ..hub.push import PushOptions, PushToHub
from .batch_encoding import BatchEncoding
from .calls import CALL_ARGUMENTS, Padding, Truncation
from .chat.calls import ChatTemplates, checked_templates
from .decoding import plain_ids, tighten
from .errors import ArgumentTypeError
from .inputs import describe
from .loading import Source, load_tokenizer
from .options import VERY_LARGE_INTEGER, TensorType, checked_side
from .rows import RowBuilding
from .saving import refuse_format, save_tokenizer, write_files
from .special_tokens import EXTRA_TOKENS
from .tensors import to_lists

logger = logging.getLogger(__name__)


class PreTrainedTokenizerBase(ChatTemplates, RowBuilding, PushToHub):
    """A tokenizer: text to ids and back, loaded from and saved to the files of the ecosystem.

    A class for one architecture derives from `PreTrainedTokenizer` (pure Python) or `PreTrainedTokenizerFast`
    (the `tokenizers` library). It says which files its vocabulary is in, which inputs its model takes, and
    how the special tokens stand around the sequences.
    """

    #: Constructor argument -> name of the file that it is a path of.
    vocab_files_names: ClassVar[dict[str, str]] = {}
    #: Those of these arguments whose file may be absent.
    optional_files: ClassVar[frozenset[str]] = frozenset()
    #: What to do where a file that is not optional is missing.
    missing_files_remedy: ClassVar[str] = (
        "Check the name (a directory on this machine, or a repository on the Hub) and the class."
    )
    #: Fields of tokenizer_config.json that this class reads, and the types they may have.
    config_types: ClassVar[Mapping[str, tuple[type, ...]]] = {}
    #: The inputs of the model, the ids first.
    model_input_names: list[str] = ["input_ids", "token_type_ids", "attention_mask"]
    padding_side: str = "right"
    truncation_side: str = "right"
    slow_tokenizer_class: ClassVar[Any] = None

    def __init__(self, **kwargs: Any) -> None:
        """Keep what every tokenizer has.

        Args:
            kwargs: `model_max_length`, `padding_side`, `truncation_side`, `model_input_names`,
                `clean_up_tokenization_spaces`, `split_special_tokens`, `chat_template`, `name_or_path`,
                `processor_class`, `extra_special_tokens`, the special tokens by role, and anything else that
                tokenizer_config.json is to keep.

        Raises:
            ArgumentTypeError: One of these has the wrong type.
            InputError: A side that is neither `left` nor `right`.
        """
        self.init_inputs: tuple[Any, ...] = ()
        self.init_kwargs: dict[str, Any] = copy.deepcopy(kwargs)
        self.name_or_path: str = kwargs.pop("name_or_path", "")
        self._processor_class: str | None = kwargs.pop("processor_class", None)
        self.model_max_length: int = _model_max_length(
            kwargs.pop("model_max_length", None), kwargs.pop("max_len", None)
        )
        self.padding_side = checked_side("padding_side", kwargs.pop("padding_side", None) or self.padding_side)
        self.truncation_side = checked_side(
            "truncation_side", kwargs.pop("truncation_side", None) or self.truncation_side
        )
        self.model_input_names = _input_names(kwargs.pop("model_input_names", None), self.model_input_names)
        self.clean_up_tokenization_spaces = bool(kwargs.pop("clean_up_tokenization_spaces", False))
        self.split_special_tokens = bool(kwargs.pop("split_special_tokens", False))
        self.chat_template = checked_templates(kwargs.pop("chat_template", None))
        self.deprecation_warnings: dict[str, bool] = {}
        extra = kwargs.pop("extra_special_tokens", None) or {}
        if isinstance(extra, (list, tuple)):  # as files of later versions have the tokens without a role
            kwargs[EXTRA_TOKENS] = [*(kwargs.get(EXTRA_TOKENS) or []), *extra]
            extra = {}
        super().__init__(**kwargs)
        self._add_roles(extra)

    # -- files -----------------------------------------------------------------------------------------------

    @classmethod
    def from_pretrained(
        cls,
        pretrained_model_name_or_path: str | os.PathLike[str],
        *init_inputs: Any,
        cache_dir: str | os.PathLike[str] | None = None,
        force_download: bool = False,
        local_files_only: bool = False,
        token: str | bool | None = None,
        revision: str = "main",
        trust_remote_code: bool = False,
        **kwargs: Any,
    ) -> Self:
        """Load a tokenizer.

        Args:
            pretrained_model_name_or_path: A directory, a repository on the Hub, or (for slow tokenizers with
                one vocabulary file) that file.
            init_inputs: Leading arguments of the constructor.
            cache_dir: Where downloads are kept.
            force_download: Download again what the cache has.
            local_files_only: Never ask the Hub.
            token: The access token for private repositories.
            revision: Branch, tag or commit.
            trust_remote_code: Must be False: code of a repository is never run.
            kwargs: `subfolder`, `verify` (compare the files with the hashes of their save first), `fingerprint`
                (False loads a tokenizer that is not the one whose fingerprint was saved), and constructor
                arguments, which win over the files.

        Raises:
            FileError: A file is missing or damaged; the message names file, field and reason.
            InputError: An argument that cannot be right.
        """
        options, arguments = HubOptions.take_from({
            "cache_dir": cache_dir, "force_download": force_download, "local_files_only": local_files_only,
            "token": token, "revision": revision, "trust_remote_code": trust_remote_code, **kwargs,
        })  # fmt: skip
        arguments.pop("use_fast", None)  # what AutoTokenizer chooses by
        source = Source(cls, pretrained_model_name_or_path, options)
        with source.reading():
            return load_tokenizer(cls, source, init_inputs, arguments)

    def save_pretrained(
        self,
        save_directory: str | os.PathLike[str],
        legacy_format: bool | None = None,
        filename_prefix: str | None = None,
        push_to_hub: bool = False,
        *,
        save_jinja_files: bool = True,
        fingerprint: bool = False,
        **kwargs: Any,
    ) -> tuple[str, ...]:
        """Save everything that `from_pretrained` reads.

        Args:
            save_directory: Created where it does not exist.
            legacy_format: For fast tokenizers: True writes only the slow tokenizer's files, False only
                tokenizer.json, None both.
            filename_prefix: Put before every file's name, with a hyphen.
            push_to_hub: Whether to push them to the Hub then.
            save_jinja_files: Whether chat templates go into files of their own, or into tokenizer_config.json.
            fingerprint: Also save the hash of the ids of fixed texts, which loading then compares.
            kwargs: For that, the arguments of `push_to_hub`; `repo_id` is the directory's name by default. Others are
                ignored, with a warning: callers pass what they pass to a model's saving.

        Returns:
            The paths of the files.

        Raises:
            FileError: `save_directory` is a file, or cannot be written; or the Hub refuses.
            InputError: A format that this tokenizer does not have, or an argument that cannot be.
        """
        told = {name: value for name, value in kwargs.items() if name in PushOptions.names()}
        if ignored := kwargs.keys() - told.keys():
            logger.warning("save_pretrained() of a tokenizer has no %s; ignored.", ", ".join(sorted(ignored)))
        with self.pushing(save_directory, push_to_hub, told):
            return save_tokenizer(self, save_directory, legacy_format, filename_prefix, save_jinja_files, fingerprint)

    def save_vocabulary(
        self, save_directory: str | os.PathLike[str], filename_prefix: str | None = None
    ) -> tuple[str, ...]:
        """Save only the vocabulary's files, without added tokens and settings; their paths.

        Raises:
            FileError: `save_directory` is a file, or cannot be written.
            InputError: This class has no vocabulary files.
        """
        return write_files(save_directory, filename_prefix, self._vocabulary_contents())

    def _vocabulary_contents(self) -> dict[str, str | bytes]:
        """Name -> content of the vocabulary's files; a class for one architecture says what they are."""
        raise refuse_format(self, legacy_format=True)

    def _files_to_save(self, legacy_format: bool | None, prefix: str | None) -> tuple[dict[str, bytes], list[str]]:
        """Name -> content of the files beside the two JSON files; the names that `save_pretrained` gives."""
        raise NotImplementedError

    def _class_to_save(self) -> str:
        return type(self).__name__

    # -- vocabulary ------------------------------------------------------------------------------------------

    is_fast: bool = False

    @property
    def vocab_size(self) -> int:
        """The size of the vocabulary without added tokens."""
        raise NotImplementedError

    def get_vocab(self) -> dict[str, int]:
        """Token -> id, added tokens included."""
        raise NotImplementedError

    def get_added_vocab(self) -> dict[str, int]:
        """Added token -> id, those included that the vocabulary file holds too."""
        raise NotImplementedError

    @property
    def added_tokens_decoder(self) -> dict[int, AddedToken]:
        """Id -> added token, by rising id."""
        raise NotImplementedError

    def __len__(self) -> int:
        """The size of the vocabulary with added tokens."""
        raise NotImplementedError

    def __repr__(self) -> str:
        added = "".join(f"\t{index}: {token!r},\n" for index, token in self.added_tokens_decoder.items())
        return (
            f"{type(self).__name__}(name_or_path={self.name_or_path!r}, vocab_size={self.vocab_size}, "
            f"model_max_length={self.model_max_length}, is_fast={self.is_fast}, "
            f"padding_side={self.padding_side!r}, truncation_side={self.truncation_side!r}, "
            f"special_tokens={self.special_tokens_map}, "
            f"clean_up_tokenization_spaces={self.clean_up_tokenization_spaces}, "
            f"added_tokens_decoder={{\n{added}}}\n)"
        )

    @property
    def max_len_single_sentence(self) -> int:
        """How many tokens of one text fit into the model."""
        return self.model_max_length - self.num_special_tokens_to_add(pair=False)

    @property
    def max_len_sentences_pair(self) -> int:
        """How many tokens of two texts together fit into the model."""
        return self.model_max_length - self.num_special_tokens_to_add(pair=True)

    # -- tokens ----------------------------------------------------------------------------------------------

    def tokenize(self, text: Any, pair: Any = None, add_special_tokens: bool = False, **kwargs: Any) -> list[str]:
        """The tokens of a text as strings."""
        raise NotImplementedError

    def convert_tokens_to_ids(self, tokens: Any) -> Any:
        """The id of a token, or the ids of several; the unknown token's for what the vocabulary lacks.

        Raises:
            ArgumentTypeError: Something that is no token.
        """
        if tokens is None or isinstance(tokens, str):
            return None if tokens is None else self._to_id(tokens)
        try:
            return [self._to_id(token) for token in tokens]
        except TypeError:
            raise ArgumentTypeError(
                three_beats(f"the tokens are {describe(tokens)}", "a string or a list of strings", "Convert them.")
            ) from None

    def convert_ids_to_tokens(self, ids: Any, skip_special_tokens: bool = False) -> Any:
        """The token of an id, or the tokens of several; special ones left out on request.

        Raises:
            ArgumentTypeError: Something that is no id.
        """
        plain = plain_ids(ids)
        if isinstance(plain, int):
            return self._to_token(plain)
        special = set(self.all_special_ids) if skip_special_tokens else ()
        return [self._to_token(index) for index in plain if index not in special]

    def _to_id(self, token: str) -> int | None:
        """The id of a token; None where there is not even an unknown token."""
        raise NotImplementedError

    def _to_token(self, index: int) -> str | None:
        """The token of an id."""
        raise NotImplementedError

    def _warn_of_arguments(self, unknown: Mapping[str, Any]) -> None:
        """Say which arguments of a call have no effect, and which ones may have been meant."""
        for name in unknown:
            near = closest(name, CALL_ARGUMENTS, count=1)
            hint = f"; did you mean {near[0]}?" if near else ""
            logger.warning("%s takes no argument %s, it is ignored%s", type(self).__name__, name, hint)

    # -- decoding --------------------------------------------------------------------------------------------

    def decode(
        self,
        token_ids: Any,
        skip_special_tokens: bool = False,
        clean_up_tokenization_spaces: bool | None = None,
        **kwargs: Any,
    ) -> str:
        """The text of a row of ids.

        Args:
            token_ids: One id or a row of ids: a list, an array or a tensor of any framework.
            skip_special_tokens: Leave special tokens out.
            clean_up_tokenization_spaces: Take out spaces before punctuation; None is as the tokenizer does.
            kwargs: What the tokenizer's own decoding takes (`spaces_between_special_tokens` for slow ones).

        Raises:
            ArgumentTypeError: Something that is not a row of whole numbers.
        """
        clean = (
            self.clean_up_tokenization_spaces if clean_up_tokenization_spaces is None else clean_up_tokenization_spaces
        )
        return self._decode(plain_ids(token_ids), skip_special_tokens, clean, **kwargs)

    def batch_decode(
        self,
        sequences: Any,
        skip_special_tokens: bool = False,
        clean_up_tokenization_spaces: bool | None = None,
        **kwargs: Any,
    ) -> list[str]:
        """The texts of several rows of ids; the arguments are those of `decode`."""
        return [
            self.decode(row, skip_special_tokens, clean_up_tokenization_spaces, **kwargs) for row in _rows(sequences)
        ]

    def _decode(self, ids: int | list[int], skip_special_tokens: bool, clean: bool, **kwargs: Any) -> str:
        raise NotImplementedError

    def convert_tokens_to_string(self, tokens: list[str]) -> str:
        """Tokens joined to a text."""
        raise NotImplementedError

    @staticmethod
    def clean_up_tokenization(out_string: str) -> str:
        """Take out the spaces that tokens leave before English punctuation and inside contractions."""
        return tighten(out_string)

    @classmethod
    def convert_added_tokens(cls, obj: Any, save: bool = False, add_type_field: bool = True) -> Any:
        """Turn `AddedToken`s in lists and dicts into their fields (`save`), or such fields into tokens."""
        if isinstance(obj, dict) and "__type" in obj and obj["__type"] == "AddedToken":
            return AddedToken(**{key: value for key, value in obj.items() if key != "__type"})
        if isinstance(obj, AddedToken) and save:
            fields = obj.__getstate__()
            if add_type_field:
                return {**fields, "__type": "AddedToken"}
            fields.pop("special")
            return fields
        if isinstance(obj, (list, tuple)):
            return [cls.convert_added_tokens(item, save=save, add_type_field=add_type_field) for item in obj]
        if isinstance(obj, dict):
            return {
                key: cls.convert_added_tokens(value, save=save, add_type_field=add_type_field)
                for key, value in obj.items()
            }
        return obj

    # -- older ways to encode targets ------------------------------------------------------------------------

    @contextmanager
    def as_target_tokenizer(self) -> Iterator[None]:
        """Encode targets inside a `with` block; `text_target=` of the call does the same."""
        warnings.warn("as_target_tokenizer() is old; pass text_target=... to the call.", stacklevel=3)
        self._switch_to_target_mode()
        self._in_target_context_manager = True
        try:
            yield
        finally:
            self._in_target_context_manager = False
            self._switch_to_input_mode()

    def prepare_seq2seq_batch(
        self,
        src_texts: list[str],
        tgt_texts: list[str] | None = None,
        max_length: int | None = None,
        max_target_length: int | None = None,
        padding: Padding = "longest",
        return_tensors: str | TensorType | None = None,
        truncation: Truncation = True,
        **kwargs: Any,
    ) -> BatchEncoding:
        """Encode sources and targets; the older name of a call with `text_target=`."""
        warnings.warn(
            "prepare_seq2seq_batch() is old; call the tokenizer with text_target=...",
            FutureWarning,
            stacklevel=2,
        )
        choices = {"return_tensors": return_tensors, "padding": padding, "truncation": truncation, **kwargs}
        inputs = self(src_texts, max_length=max_length, **choices)
        if tgt_texts is not None:
            target_length = max_length if max_target_length is None else max_target_length
            inputs["labels"] = self(text_target=tgt_texts, max_length=target_length, **choices)["input_ids"]
        return inputs


def _rows(sequences: Any) -> list[Any]:
    """The rows of a batch; a flat list of ids is a batch of single ids."""
    rows = sequences if isinstance(sequences, (list, tuple)) else to_lists(sequences)
    if not isinstance(rows, (list, tuple)):
        raise ArgumentTypeError(
            three_beats(f"batch_decode() was given {type(rows).__name__}", "rows of ids", "For one id use decode.")
        )
    return list(rows)


def _model_max_length(value: Any, older: Any) -> int:
    """The longest input of the model; both arguments name it, and absence means no limit."""
    length = older if value is None else value
    if length is None:
        return VERY_LARGE_INTEGER
    if isinstance(length, bool) or not isinstance(length, (int, float)) or not length >= 0:
        raise ArgumentTypeError(
            three_beats(f"model_max_length={length!r}", "a number, 0 or more", "Correct the argument or the file.")
        )
    return VERY_LARGE_INTEGER if length >= VERY_LARGE_INTEGER else int(length)


def _input_names(value: Any, default: list[str]) -> list[str]:
    names = default if value is None or value == [] else value
    if isinstance(names, (list, tuple)) and all(isinstance(name, str) for name in names):
        return list(names)
    raise ArgumentTypeError(
        three_beats(
            f"model_input_names={value!r}",
            "a list of names, the ids first",
            "Correct the argument or the file.",
        )
    )
