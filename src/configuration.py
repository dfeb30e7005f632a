"""PretrainedConfig: what a model is, as plain values; written to and read from `config.json`.

An architecture's configuration is a class with annotated fields, like a dataclass:

    class BertConfig(PretrainedConfig):
        model_type = "bert"

        vocab_size: Size = 30522
        hidden_act: str = "gelu"

The fields' order is that of the positional arguments, their defaults are the arguments' defaults, and each value
is checked against its annotation before anything is allocated from it.
"""

from __future__ import annotations

import copy
import inspect
import json
import logging
import os
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from functools import cache, partial
from pathlib import Path
from typing import (
    Any,
    ClassVar,
    Literal,
    Self,
    dataclass_transform,
    get_type_hints,
)

from .fields import Count, Labels, OptionalSize, Size, TokenId, admits, counted, describe, is_needed, short
from .files.errors import ConfigurationError, three_beats
from .files.strict_json import load_json_object
from .files.transaction import SaveTransaction
from .hub.find import HubOptions, Repository
from .hub.push import PushToHub

logger = logging.getLogger(__name__)

CONFIG_NAME = "config.json"

#: The version of Hugging Face's library whose file formats are read and written here.
FORMAT_VERSION = "4.53.3"


#: Attributes that live in the object only: never compared, never written.
PRIVATE = ("_commit_hash", "_attn_implementation")

#: PyTorch's fused attention, or one written out, which alone has weights to return.
AttentionName = Literal["sdpa", "eager"]
Label = str | int | float | None
ProblemType = Literal["regression", "single_label_classification", "multi_label_classification"]


@dataclass_transform(kw_only_default=False)
class PretrainedConfig(PushToHub):
    """Base of all configurations: the options that every architecture has, and the journey to and from disk.

    Keyword arguments that are no field are kept as attributes and written back, so that nothing in a
    `config.json` is lost.

    Raises:
        ConfigurationError: A value has the wrong type or cannot describe a model.
    """

    model_type: ClassVar[str] = ""
    attribute_map: ClassVar[Mapping[str, str]] = {}
    keys_to_ignore_at_inference: ClassVar[tuple[str, ...]] = ()
    _fields: ClassVar[Mapping[str, Any]] = {}
    _positional: ClassVar[tuple[str, ...]] = ()

    # what the forward pass returns
    return_dict: bool = True
    output_hidden_states: bool = False
    output_attentions: bool = False
    torchscript: bool = False
    # numbers and weights
    torch_dtype: str | None = None
    use_bfloat16: bool = False
    tf_legacy_loss: bool = False
    pruned_heads: dict = {}
    tie_word_embeddings: bool = True
    chunk_size_feed_forward: OptionalSize = 0
    # encoder, decoder, or both
    is_encoder_decoder: bool = False
    is_decoder: bool = False
    cross_attention_hidden_size: Size | None = None
    add_cross_attention: bool = False
    tie_encoder_decoder: bool = False
    # generation, as checkpoints older than generation_config.json carry it
    max_length: int | None = 20
    min_length: int = 0
    do_sample: bool = False
    early_stopping: Any = False
    num_beams: int = 1
    num_beam_groups: int = 1
    diversity_penalty: float = 0.0
    temperature: float | None = 1.0
    top_k: int | None = 50
    top_p: float | None = 1.0
    typical_p: float = 1.0
    repetition_penalty: float = 1.0
    length_penalty: float = 1.0
    no_repeat_ngram_size: int = 0
    encoder_no_repeat_ngram_size: int = 0
    bad_words_ids: Any = None
    num_return_sequences: int = 1
    output_scores: bool = False
    return_dict_in_generate: bool = False
    forced_bos_token_id: Any = None
    forced_eos_token_id: Any = None
    remove_invalid_values: bool = False
    exponential_decay_length_penalty: Any = None
    suppress_tokens: Any = None
    begin_suppress_tokens: Any = None
    # fine-tuning
    architectures: list[str] | None = None
    finetuning_task: str | None = None
    id2label: dict | None = None
    label2id: dict | None = None
    task_specific_params: dict | None = None
    problem_type: ProblemType | None = None
    # tokenizer
    tokenizer_class: str | None = None
    prefix: str | None = None
    bos_token_id: Any = None
    pad_token_id: TokenId | None = None
    eos_token_id: Any = None
    sep_token_id: TokenId | None = None
    decoder_start_token_id: Any = None

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        for alias, target in cls.__dict__.get("attribute_map", {}).items():
            setattr(cls, alias, _alias_property(target))
        declared = _declared_fields(cls)
        if "num_labels" in declared:  # another default; how many there are is still seen from their names
            delattr(cls, "num_labels")  # to a type checker it is a property
        cls._fields = {**cls._fields, **declared}
        cls._positional = _in_order(cls._positional, declared)
        if "__init__" not in cls.__dict__:
            cls.__signature__ = _signature(cls)

    def __init__(self, /, *args: Any, **kwargs: Any) -> None:  # a file may have the key `self`
        arguments = self._bind(args, kwargs)
        for name, default in self._fields.items():
            if name != "num_labels":  # a view of `id2label`
                object.__setattr__(self, name, arguments.pop(name) if name in arguments else copy.deepcopy(default))
        self.torch_dtype = dtype_name(arguments.pop("dtype", None) or self.torch_dtype)
        self._check_fields()
        self.pruned_heads = {
            layer: list(_checked("pruned_heads", heads, list[Count]))
            for layer, heads in _by_number("pruned_heads", self.pruned_heads)
        }
        self._set_labels(arguments.pop("num_labels", None))
        self._name_or_path: str = str(arguments.pop("name_or_path", arguments.pop("_name_or_path", "")))
        self._commit_hash: str | None = arguments.pop("_commit_hash", None)
        self._attn_implementation: AttentionName | None = arguments.pop("attn_implementation", None)
        if not admits(self._attn_implementation, AttentionName | None):
            found = f"attn_implementation={short(self._attn_implementation)}"
            raise ConfigurationError(three_beats(found, "'sdpa' or 'eager'", "Leave it out for the faster one."))
        arguments.pop("model_type", None)
        arguments.pop("transformers_version", None)
        arguments.pop("_attn_implementation", None)  # of files of some versions: the caller's choice alone
        for name, value in arguments.items():  # aliases, and the keys that this class does not know
            if is_needed(type(self), name):
                found = f"{type(self).__name__} was given the option {short(name)}, which is its own"
                raise ConfigurationError(three_beats(found, "another name", "Remove it from the call or config.json."))
            setattr(self, name, value)
        self.settle()
        if arguments:
            self._check_fields()

    def settle(self) -> None:
        """Fill in what follows from other fields; called once all that were given are set."""

    def _bind(self, args: tuple, kwargs: dict[str, Any]) -> dict[str, Any]:
        positional = self._positional
        if len(args) > len(positional):
            raise TypeError(
                f"{type(self).__name__} got {len(args)} positional arguments; expected at most "
                f"{len(positional)}: {', '.join(positional)}."
            )
        bound = dict(zip(positional, args, strict=False))
        if doubled := sorted(bound.keys() & kwargs.keys()):
            raise TypeError(f"{type(self).__name__} got {doubled[0]!r} both by position and by name.")
        return {**bound, **kwargs}

    # ---- labels ---------------------------------------------------------------------------------------------

    def _set_labels(self, num_labels: int | None) -> None:
        """Make `id2label`, `label2id` and `num_labels` say the same; the first wins over the last."""
        if self.id2label is not None:
            self.id2label = dict(_by_number("id2label", self.id2label))
            if num_labels is not None and num_labels != len(self.id2label):
                logger.warning(
                    "num_labels=%s contradicts id2label; its %s labels are kept.", num_labels, len(self.id2label)
                )
            if self.label2id is None:
                names = _checked("id2label", list(self.id2label.values()), list[Label])
                self.label2id = {label: index for index, label in zip(self.id2label, names, strict=True)}
        elif self.label2id is not None and num_labels is None:
            numbers = {label: _checked("label2id", index, int) for label, index in self.label2id.items()}
            self.id2label = {index: label for label, index in numbers.items()}
        else:
            self.num_labels = self._fields.get("num_labels", 2) if num_labels is None else num_labels

    @property
    def num_labels(self) -> int:
        """The number of labels; setting it renames them `LABEL_0`, `LABEL_1`, ..."""
        return len(self.id2label or {})

    @num_labels.setter
    def num_labels(self, count: int) -> None:
        _checked("num_labels", count, Labels)
        if self.id2label is None or len(self.id2label) != count or self.label2id is None:
            self.id2label = {index: f"LABEL_{index}" for index in range(count)}
            self.label2id = {label: index for index, label in self.id2label.items()}

    # ---- views ----------------------------------------------------------------------------------------------

    @property
    def name_or_path(self) -> str:
        """Where this configuration was loaded from, empty if it was not."""
        return self._name_or_path

    @name_or_path.setter
    def name_or_path(self, value: str) -> None:
        self._name_or_path = str(value)

    @property
    def use_return_dict(self) -> bool:
        """Whether a model answers with a `ModelOutput` when its call does not say."""
        return self.return_dict and not self.torchscript

    def get_text_config(self, decoder: bool = False) -> PretrainedConfig:
        """The configuration of the text part; for a model that is text alone, this one."""
        return self

    # ---- checks ---------------------------------------------------------------------------------------------

    def _check_fields(self) -> None:
        """Refuse a value that its field's annotation does not admit."""
        for name, hint in _field_hints(type(self)).items():
            value = getattr(self, name)
            if not admits(value, hint):
                raise ConfigurationError(
                    three_beats(
                        f"{type(self).__name__}.{name} is {short(value)}",
                        describe(hint),
                        "Correct it in the call or in config.json.",
                    )
                )

    def parts(self) -> dict[str, int]:
        """How many parts (layers, heads) each option asks to be built one by one."""
        return counted(_field_hints(type(self)), partial(getattr, self))

    def validate(self) -> None:
        """Check what must hold between fields; every model calls this before it builds anything.

        Raises:
            ConfigurationError: The fields do not fit together.
        """
        self._check_fields()

    # ---- from disk ------------------------------------------------------------------------------------------

    @classmethod
    def from_pretrained(
        cls,
        pretrained_model_name_or_path: str | os.PathLike,
        cache_dir: str | os.PathLike | None = None,
        force_download: bool = False,
        local_files_only: bool = False,
        token: str | bool | None = None,
        revision: str | None = "main",
        **kwargs: Any,
    ) -> Any:
        """Read a configuration from a directory, a `config.json`, or a name on the Hub.

        Args:
            kwargs: Fields to set differently; with `return_unused_kwargs=True` the answer is the pair
                (configuration, the keyword arguments that are none of its attributes).

        Raises:
            FileError: No such directory, file or name; or the file is not a JSON object.
            ConfigurationError: A value cannot describe a model.
        """
        hub = {
            "cache_dir": cache_dir, "force_download": force_download, "local_files_only": local_files_only,
            "token": token, "revision": revision,
        }  # fmt: skip
        values, kwargs = cls.get_config_dict(pretrained_model_name_or_path, **hub, **kwargs)
        found = values.get("model_type")
        where = values["_name_or_path"]
        if not isinstance(found, str | None):
            remedy = "Correct the file."
            raise ConfigurationError(
                three_beats(f"{CONFIG_NAME} of {where} has model_type {short(found)}", "a string", remedy)
            )
        if cls.model_type and found and found != cls.model_type:
            logger.warning(
                "The checkpoint is of model type %r, loaded as %r: right only if the two are compatible.",
                found, cls.model_type,
            )  # fmt: skip
        with errors_of(where):
            return cls.from_dict(values, **kwargs)

    @classmethod
    def get_config_dict(
        cls, pretrained_model_name_or_path: str | os.PathLike, **kwargs: Any
    ) -> tuple[dict[str, Any], dict[str, Any]]:
        """The raw values of a `config.json`, and the keyword arguments that did not say where to find it."""
        options, kwargs = HubOptions.take_from(kwargs)
        path = Path(pretrained_model_name_or_path)
        commit = None
        if not path.is_file():
            repository = Repository(pretrained_model_name_or_path, options)
            path = repository.file(CONFIG_NAME)
            commit = repository.commit
        values = load_json_object(path)
        values["_commit_hash"] = commit
        values["_name_or_path"] = str(pretrained_model_name_or_path)
        return values, kwargs

    @classmethod
    def from_dict(cls, config_dict: Mapping[str, Any], **kwargs: Any) -> Any:
        """Build a configuration from plain values; keyword arguments override those that it knows."""
        return_unused = kwargs.pop("return_unused_kwargs", False)
        values = dict(config_dict)
        labels = values.get("id2label")
        if "num_labels" in kwargs and kwargs["num_labels"] != (len(labels) if isinstance(labels, Mapping) else 0):
            values.pop("id2label", None)
            values.pop("label2id", None)
            values["num_labels"] = kwargs["num_labels"]
        own = inspect.signature(cls.__init__).parameters  # a user's class may have a constructor of its own
        reserved = {"num_labels", "attn_implementation", "dtype", *cls._fields, *cls.attribute_map, *own, *values}
        known = {name: value for name, value in kwargs.items() if name in reserved}
        config = cls(**{**values, **known})
        unused = {name: value for name, value in kwargs.items() if name not in known}
        return (config, unused) if return_unused else config

    @classmethod
    def from_json_file(cls, json_file: str | os.PathLike) -> Self:
        """Build a configuration from one JSON file."""
        return cls(**load_json_object(Path(json_file)))

    # ---- to disk --------------------------------------------------------------------------------------------

    def to_dict(self) -> dict[str, Any]:
        """All values, defaults too, as plain Python; a nested configuration becomes a dict."""
        values = {
            name: value.to_dict() if isinstance(value, PretrainedConfig) else copy.deepcopy(value)
            for name, value in _public(self).items()
        }
        return {**values, "model_type": self.model_type, "transformers_version": FORMAT_VERSION}

    def to_diff_dict(self) -> dict[str, Any]:
        """The values that say something: the architecture's own, and the common ones that are not the default."""
        common = PretrainedConfig().to_dict()
        usual = type(self)().to_dict() if type(self) is not PretrainedConfig else common
        return {
            name: value
            for name, value in self.to_dict().items()
            if name == "transformers_version"
            or (name != "_name_or_path" and (name not in common or value != common[name] or value != usual[name]))
        }

    def to_json_string(self, use_diff: bool = True) -> str:
        """The text of `config.json`: two-space indents, sorted keys, one newline at the end."""
        values = self.to_diff_dict() if use_diff else self.to_dict()
        return json.dumps(values, indent=2, sort_keys=True, default=plain_value) + "\n"

    def to_json_file(self, json_file_path: str | os.PathLike, use_diff: bool = True) -> None:
        """Write one JSON file, whole or not at all."""
        path = Path(json_file_path)
        with SaveTransaction(path.parent) as stage:
            stage.write_text(path.name, self.to_json_string(use_diff))

    def save_pretrained(self, save_directory: str | os.PathLike, push_to_hub: bool = False, **kwargs: Any) -> None:
        """Write `config.json` into a directory, which is made if it is not there.

        Args:
            save_directory: The directory.
            push_to_hub: Whether to push it to the Hub then.
            kwargs: For that, the arguments of `push_to_hub`; `repo_id` is the directory's name by default.

        Raises:
            FileError: The directory cannot be made or written, or the Hub refuses.
            InputError: An argument that cannot be.
        """
        with self.pushing(save_directory, push_to_hub, kwargs), SaveTransaction(Path(save_directory)) as stage:
            stage.write_text(CONFIG_NAME, self.to_json_string())

    # ---- changes --------------------------------------------------------------------------------------------

    def update(self, config_dict: Mapping[str, Any]) -> None:
        """Set attributes from a mapping."""
        for name, value in config_dict.items():
            setattr(self, name, value)

    def update_from_string(self, update_str: str) -> None:
        """Set attributes from `"hidden_size=10,hidden_act=relu,use_cache=false"`, each with the type it has now.

        Raises:
            ConfigurationError: An unknown key, or a value that its type cannot be read from.
        """
        for pair in update_str.split(","):
            name, separator, text = pair.partition("=")
            if not separator or not hasattr(self, name):
                raise ConfigurationError(
                    three_beats(f"the update {pair!r}", "key=value with a key of this configuration", "Correct it.")
                )
            setattr(self, name, _parse_like(text, getattr(self, name), name))

    def __iter__(self) -> Iterator[str]:
        """The names of the values, so that `"hidden_size" in config` answers too."""
        return iter(_public(self))

    def __eq__(self, other: object) -> bool:
        return isinstance(other, PretrainedConfig) and _public(self) == _public(other)

    __hash__ = None  # type: ignore[assignment]  # values may change

    def __repr__(self) -> str:
        return f"{type(self).__name__} {self.to_json_string()}"


@contextmanager
def errors_of(where: str) -> Iterator[None]:
    """Within this context, an error about a value names the file that it was read from, that of a checkpoint."""
    try:
        yield
    except ConfigurationError as error:
        raise ConfigurationError(f"{CONFIG_NAME} of {where}: {error}") from None


# ---- fields -------------------------------------------------------------------------------------------------


def _declared_fields(cls: type) -> dict[str, Any]:
    """The annotated attributes with a default that a class body declares, in order."""
    annotations = inspect.get_annotations(cls)
    return {
        name: cls.__dict__[name]
        for name, hint in annotations.items()
        if name in cls.__dict__ and not str(hint).startswith("ClassVar") and name not in RESERVED
    }


def _in_order(inherited: tuple[str, ...], declared: Iterable[str]) -> tuple[str, ...]:
    """The fields by position: a subclass's new ones stand behind what it declares before them, or at the end."""
    order = list(inherited)
    place = len(order)
    for name in declared:
        if name in order:
            place = order.index(name) + 1
        else:
            order.insert(place, name)
            place += 1
    return tuple(order)


#: Class attributes that a subclass may annotate without making fields of them.
RESERVED = ("model_type", "attribute_map", "keys_to_ignore_at_inference", "base_config_key", "sub_configs")


def _signature(cls: type[PretrainedConfig]) -> inspect.Signature:
    """The constructor's signature as help() and editors show it: the architecture's own fields by position."""
    parameters = [
        inspect.Parameter(name, inspect.Parameter.POSITIONAL_OR_KEYWORD, default=cls._fields[name])
        for name in cls._positional
    ]
    return inspect.Signature([*parameters, inspect.Parameter("kwargs", inspect.Parameter.VAR_KEYWORD)])


def _alias_property(target: str) -> property:
    """An attribute that is another name of `target`."""
    return property(
        lambda self: getattr(self, target),
        lambda self, value: setattr(self, target, value),
        doc=f"Another name of `{target}`.",
    )


@cache
def _field_hints(cls: type[PretrainedConfig]) -> Mapping[str, Any]:
    hints = get_type_hints(cls, include_extras=True)
    return {name: hints[name] for name in cls._fields if name in hints}


def _public(config: PretrainedConfig) -> dict[str, Any]:
    return {name: value for name, value in vars(config).items() if name not in PRIVATE}


def _by_number(field: str, values: Mapping[Any, Any]) -> Iterator[tuple[int, Any]]:
    """The items of a mapping whose keys are numbers, which JSON writes as strings."""
    for key, value in values.items():
        try:
            yield int(key), value
        except (TypeError, ValueError):
            raise ConfigurationError(
                three_beats(f"{field} has the key {short(key)}", "whole numbers as keys", "Correct it.")
            ) from None


def _checked(field: str, value: Any, hint: Any) -> Any:
    """A value that an annotation admits.

    Raises:
        ConfigurationError: It does not.
    """
    if not admits(value, hint):
        raise ConfigurationError(three_beats(f"{field} is or holds {short(value)}", describe(hint), "Correct it."))
    return value


def dtype_name(dtype: Any) -> str | None:
    """The name of a data type in whichever framework's form it comes: `torch.float16` -> "float16"."""
    if dtype is None or isinstance(dtype, str):
        return dtype.removeprefix("torch.") if dtype else None
    if isinstance(dtype, (int, float, list, dict)):
        raise ConfigurationError(three_beats(f"the type {short(dtype)}", 'a name such as "float32"', "Correct it."))
    name = getattr(dtype, "name", None) or getattr(dtype, "__name__", None) or str(dtype).removeprefix("torch.")
    return str(name)


def plain_value(value: Any) -> Any:
    """What JSON does not know, as something that it does (NumPy scalars and arrays, sets, paths)."""
    if hasattr(value, "tolist"):
        return value.tolist()
    if isinstance(value, (set, frozenset)):
        return sorted(value)
    if isinstance(value, os.PathLike):
        return os.fspath(value)
    raise ConfigurationError(
        three_beats(f"a {type(value).__name__} in the configuration", "plain values", "Convert it before saving.")
    )


def _parse_like(text: str, present: Any, name: str) -> Any:
    """Read `text` as a value of the type that `present` has."""
    truths = {"true": True, "1": True, "y": True, "yes": True, "false": False, "0": False, "n": False, "no": False}
    if isinstance(present, bool):
        if text.lower() in truths:
            return truths[text.lower()]
    elif isinstance(present, (int, float)):
        try:
            return type(present)(text)
        except ValueError:
            pass  # answered below, with the name of the field
    elif isinstance(present, str):
        return text
    raise ConfigurationError(
        three_beats(
            f"{name}={text!r}",
            f"a {type(present).__name__}",
            "Only numbers, truth values and strings can be set from a string.",
        )
    )


PretrainedConfig._fields = _declared_fields(PretrainedConfig)
