"""GenerationConfig: how `generate` chooses tokens, as plain values; read from and written to one JSON file."""

from __future__ import annotations

import ast
import copy
import difflib
import enum
import inspect
import json
import logging
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar

from ..configuration import FORMAT_VERSION, PretrainedConfig, dtype_name, plain_value
from ..fields import short
from ..files.errors import InputError, three_beats
from ..files.strict_json import load_json_object
from ..files.transaction import SaveTransaction
from ..hub.find import HubOptions, Repository
from ..hub.push import PushToHub
from .validation import check

logger = logging.getLogger(__name__)

GENERATION_CONFIG_NAME = "generation_config.json"

#: What says where a configuration comes from, not what it asks for.
METADATA = ("_from_model_config", "_commit_hash", "transformers_version")

#: The parts of a model's configuration that can hold those of its decoder.
DECODERS = ("decoder", "generator", "text_config")

#: Arguments of `from_pretrained` that loading models knows and a configuration has no use for.
LOADING_ONLY = ("proxies", "resume_download", "trust_remote_code", "user_agent", "_from_auto", "_from_pipeline")

#: A truth value; files and callers also write 0, 1 and null.
Flag = bool | int | None
Number = float | None
Whole = int | None


class GenerationMode(enum.StrEnum):
    """The searches that the options of a `GenerationConfig` can ask for."""

    CONTRASTIVE_SEARCH = "contrastive_search"
    GREEDY_SEARCH = "greedy_search"
    SAMPLE = "sample"
    ASSISTED_GENERATION = "assisted_generation"
    DOLA_GENERATION = "dola_generation"
    BEAM_SEARCH = "beam_search"
    BEAM_SAMPLE = "beam_sample"
    CONSTRAINED_BEAM_SEARCH = "constrained_beam_search"
    GROUP_BEAM_SEARCH = "group_beam_search"


class GenerationConfig(PushToHub):
    """How tokens are chosen, when a search ends, and what it returns.

    Keyword arguments that are no option are kept as attributes and written back, so that nothing in a
    `generation_config.json` is lost.

    Raises:
        ConfigurationError: A value has the wrong type, or two contradict each other.
    """

    #: What can be returned beside the tokens, where an output is asked for at all.
    extra_output_flags: ClassVar[tuple[str, ...]] = (
        "output_attentions",
        "output_hidden_states",
        "output_scores",
        "output_logits",
    )

    # when it ends; the `_new_` forms do not count the prompt
    max_length: Whole = 20
    max_new_tokens: Whole = None
    min_length: Whole = 0
    min_new_tokens: Whole = None
    early_stopping: Any = False
    max_time: Number = None
    stop_strings: Any = None
    # which search
    do_sample: Flag = False
    num_beams: Whole = 1
    num_beam_groups: Whole = 1
    penalty_alpha: Number = None
    dola_layers: Any = None
    # what it remembers
    use_cache: Flag = True
    cache_implementation: str | None = None
    cache_config: Any = None
    return_legacy_cache: Flag = None
    prefill_chunk_size: Whole = None
    # how scores are changed before the choice
    temperature: Number = 1.0
    top_k: Whole = 50
    top_p: Number = 1.0
    min_p: Number = None
    typical_p: Number = 1.0
    epsilon_cutoff: Number = 0.0
    eta_cutoff: Number = 0.0
    diversity_penalty: Number = 0.0
    repetition_penalty: Number = 1.0
    encoder_repetition_penalty: Number = 1.0
    length_penalty: Number = 1.0
    no_repeat_ngram_size: Whole = 0
    bad_words_ids: Any = None
    force_words_ids: Any = None
    renormalize_logits: Flag = False
    constraints: Any = None
    forced_bos_token_id: Any = None
    forced_eos_token_id: Any = None
    remove_invalid_values: Flag = False
    exponential_decay_length_penalty: Any = None
    suppress_tokens: Any = None
    begin_suppress_tokens: Any = None
    sequence_bias: Any = None
    token_healing: Flag = False
    guidance_scale: Number = None
    low_memory: Flag = None
    watermarking_config: Any = None
    # what it returns
    num_return_sequences: Whole = 1
    output_attentions: Flag = False
    output_hidden_states: Flag = False
    output_scores: Flag = False
    output_logits: Flag = None
    return_dict_in_generate: Flag = False
    # special tokens
    pad_token_id: Any = None
    bos_token_id: Any = None
    eos_token_id: Any = None
    # encoders with decoders
    encoder_no_repeat_ngram_size: Whole = 0
    decoder_start_token_id: Any = None
    # assistants
    is_assistant: Flag = False
    num_assistant_tokens: Whole = 20
    num_assistant_tokens_schedule: str | None = "constant"
    assistant_confidence_threshold: Number = 0.4
    prompt_lookup_num_tokens: Whole = None
    max_matching_ngram_size: Whole = None
    assistant_early_exit: Whole = None
    assistant_lookbehind: Whole = 10
    target_lookbehind: Whole = 10
    # compilation
    compile_config: Any = None
    disable_compile: Flag = False

    def __init__(self, **kwargs: Any) -> None:
        for name, default in DEFAULTS.items():
            setattr(self, name, kwargs.pop(name, default))
        self._from_model_config: bool = kwargs.pop("_from_model_config", False)
        self._commit_hash: str | None = kwargs.pop("_commit_hash", None)
        self.transformers_version: str = FORMAT_VERSION
        kwargs.pop("transformers_version", None)
        for name, value in kwargs.items():
            if near := difflib.get_close_matches(name, DEFAULTS, 1, cutoff=0.85):
                logger.warning("GenerationConfig keeps %s, which is none of its options; is it %s?", name, near[0])
            setattr(self, name, value)
        self.validate()

    def validate(self, strict: bool = False) -> None:
        """Check what must hold between the options.

        Args:
            strict: Whether what would only be ignored, or is unwise, is an error too; else it is logged.

        Raises:
            ConfigurationError: A value has the wrong type, or the options contradict each other.
        """
        check(self, HINTS, strict)

    def get_generation_mode(self, assistant_model: Any = None) -> GenerationMode:
        """The search that the options ask for.

        Args:
            assistant_model: The smaller model that drafts, if there is one; only greedy search and sampling can use it.
        """
        drafts = any(
            drafter is not None
            for drafter in (assistant_model, self.prompt_lookup_num_tokens, self.assistant_early_exit)
        )
        if self.constraints is not None or self.force_words_ids is not None:
            mode = GenerationMode.CONSTRAINED_BEAM_SEARCH
        elif self.num_beams == 1:
            mode = self._mode_without_beams()
        elif (self.num_beam_groups or 1) > 1:
            mode = GenerationMode.GROUP_BEAM_SEARCH
        else:
            mode = GenerationMode.BEAM_SAMPLE if self.do_sample else GenerationMode.BEAM_SEARCH
        if mode in (GenerationMode.GREEDY_SEARCH, GenerationMode.SAMPLE):
            if drafts:
                return GenerationMode.ASSISTED_GENERATION
            if self.dola_layers is not None:
                return GenerationMode.DOLA_GENERATION
        return mode

    def _mode_without_beams(self) -> GenerationMode:
        if self.do_sample is not False:  # null too: it is sampling by name, and takes the most likely token
            return GenerationMode.SAMPLE
        if (self.top_k or 0) > 1 and (self.penalty_alpha or 0) > 0:
            return GenerationMode.CONTRASTIVE_SEARCH
        return GenerationMode.GREEDY_SEARCH

    # ---- from disk ------------------------------------------------------------------------------------------

    @classmethod
    def from_pretrained(
        cls,
        pretrained_model_name: str | os.PathLike,
        config_file_name: str | os.PathLike | None = None,
        cache_dir: str | os.PathLike | None = None,
        force_download: bool = False,
        local_files_only: bool = False,
        token: str | bool | None = None,
        revision: str | None = "main",
        **kwargs: Any,
    ) -> Any:
        """Read the options of a checkpoint, from a directory or by a name on the Hub.

        Args:
            pretrained_model_name: The directory or the name.
            config_file_name: The file's name, `generation_config.json` if it is not given.
            kwargs: Options to set differently, `subfolder`; with `return_unused_kwargs=True` the answer is a pair, as
                that of `from_dict`.

        Raises:
            FileError: No such directory, file or name; or the file is not a JSON object.
            ConfigurationError: Its values contradict each other.
        """
        hub, kwargs = HubOptions.take_from({
            "cache_dir": cache_dir, "force_download": force_download, "local_files_only": local_files_only,
            "token": token, "revision": revision, **kwargs,
        })  # fmt: skip
        repository = Repository(pretrained_model_name, hub)
        path = repository.file(os.fspath(config_file_name or GENERATION_CONFIG_NAME))
        values = {**load_json_object(path), "_commit_hash": repository.commit}
        return cls.from_dict(values, **{name: v for name, v in kwargs.items() if name not in LOADING_ONLY})

    @classmethod
    def from_dict(cls, config_dict: Mapping[str, Any], **kwargs: Any) -> Any:
        """Build a configuration from plain values; keyword arguments come before them.

        With `return_unused_kwargs=True` the answer is the pair of it and an empty dict: what is none of the options is
        kept as an attribute.
        """
        return_unused = kwargs.pop("return_unused_kwargs", False)
        values = {**config_dict, **{name: v for name, v in kwargs.items() if name not in LOADING_ONLY}}
        if isinstance(bias := values.get("sequence_bias"), Mapping):
            values["sequence_bias"] = {_tokens(key): value for key, value in bias.items()}
        config = cls(**values)
        return (config, {}) if return_unused else config

    @classmethod
    def from_model_config(cls, model_config: PretrainedConfig) -> GenerationConfig:
        """The options that a model's own configuration holds, as checkpoints older than `generation_config.json` do.

        Where it is nested, an option that its outer part leaves at the default is its decoder's.

        Raises:
            InputError: Several of its parts could be the decoder.
        """
        own = {name: value for name, value in model_config.to_dict().items() if value is not None}
        config = cls(**{name: value for name, value in own.items() if name in DEFAULTS}, _from_model_config=True)
        decoder = _decoder(model_config)
        for name, default in DEFAULTS.items():
            if decoder is not None and getattr(config, name) == default:
                setattr(config, name, getattr(decoder, name, default))
        if any(getattr(config, flag) for flag in cls.extra_output_flags):
            config.return_dict_in_generate = True
        return config

    # ---- to disk --------------------------------------------------------------------------------------------

    def to_dict(self) -> dict[str, Any]:
        """All options, those at their defaults too."""
        hidden = ("_commit_hash", "compile_config")
        values = {name: copy.deepcopy(value) for name, value in vars(self).items() if name not in hidden}
        return {**values, "transformers_version": FORMAT_VERSION}

    def to_diff_dict(self) -> dict[str, Any]:
        """The options that are not at their defaults."""
        usual = {**DEFAULTS, "_from_model_config": False}
        return {
            name: value for name, value in self.to_dict().items() if name not in usual or not _same(value, usual[name])
        }

    def to_json_string(self, use_diff: bool = True, ignore_metadata: bool = False) -> str:
        """The text of `generation_config.json`: two-space indents, sorted keys, one newline at the end.

        Args:
            use_diff: Only what is not at its default.
            ignore_metadata: Not where the options come from, nor the version of the format.

        Raises:
            ConfigurationError: A value that JSON does not know.
        """
        values = self.to_diff_dict() if use_diff else self.to_dict()
        kept = {name: value for name, value in values.items() if not (ignore_metadata and name in METADATA)}
        return json.dumps(_writable(kept), indent=2, sort_keys=True, default=plain_value) + "\n"

    def to_json_file(self, json_file_path: str | os.PathLike, use_diff: bool = True) -> None:
        """Write one JSON file, whole or not at all."""
        path = Path(json_file_path)
        with SaveTransaction(path.parent) as stage:
            stage.write_text(path.name, self.to_json_string(use_diff))

    def save_pretrained(
        self,
        save_directory: str | os.PathLike,
        config_file_name: str | os.PathLike | None = None,
        push_to_hub: bool = False,
        **kwargs: Any,
    ) -> None:
        """Write `generation_config.json` into a directory, which is made if it is not there.

        Args:
            save_directory: The directory.
            config_file_name: Another name for the file.
            push_to_hub: Whether to push it to the Hub then.
            kwargs: For that, the arguments of `push_to_hub`; `repo_id` is the directory's name by default.

        Raises:
            ConfigurationError: The options contradict each other, or some would be ignored.
            FileError: The directory cannot be made or written, or the Hub refuses.
            InputError: An argument that cannot be.
        """
        self.validate(strict=True)
        with self.pushing(save_directory, push_to_hub, kwargs), SaveTransaction(Path(save_directory)) as stage:
            stage.write_text(os.fspath(config_file_name or GENERATION_CONFIG_NAME), self.to_json_string())

    # ---- changes --------------------------------------------------------------------------------------------

    def update(self, **kwargs: Any) -> dict[str, Any]:
        """Set those of the keyword arguments that are attributes, and answer with the others.

        Raises:
            ConfigurationError: The options contradict each other now.
        """
        unused = {name: value for name, value in kwargs.items() if name not in vars(self)}
        for name, value in kwargs.items():
            if name not in unused:
                setattr(self, name, value)
        self.validate()
        return unused

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, GenerationConfig):
            return False
        return self._shown() == other._shown()

    def __hash__(self) -> int:
        return hash(self._shown())

    def __repr__(self) -> str:
        return f"{type(self).__name__} {self._shown()}"

    def _shown(self) -> str:
        """The options that are not at their defaults, as text; a value that JSON does not know by its repr."""
        kept = {name: value for name, value in self.to_diff_dict().items() if name not in METADATA}
        return json.dumps(_writable(kept), indent=2, sort_keys=True, default=_shown_value) + "\n"


#: Annotation and default of every option.
HINTS: Mapping[str, Any] = {
    name: hint
    for name, hint in inspect.get_annotations(GenerationConfig, eval_str=True).items()
    if name != "extra_output_flags"
}
DEFAULTS: Mapping[str, Any] = {name: getattr(GenerationConfig, name) for name in HINTS}


def _decoder(model_config: PretrainedConfig) -> PretrainedConfig | None:
    """The decoder's part of a nested configuration, None where there is none."""
    parts = {name: getattr(model_config, name, None) for name in DECODERS}
    found = {name: part for name, part in parts.items() if isinstance(part, PretrainedConfig)}
    if len(found) > 1:
        raise InputError(
            three_beats(
                f"the {type(model_config).__name__} has several decoders: {', '.join(found)}",
                "one whose options to take",
                f"Give that one: GenerationConfig.from_model_config(config.{next(iter(found))}).",
            )
        )
    return next(iter(found.values()), None)


def _same(value: Any, usual: Any) -> bool:
    """Whether an option has its default value; an array never does."""
    return not hasattr(value, "shape") and value == usual


def _tokens(key: Any) -> Any:
    """The tuple of tokens that JSON wrote as a string, `"(1, 2)"`."""
    if not isinstance(key, str):
        return key
    try:
        return tuple(int(token) for token in ast.literal_eval(key))
    except (ValueError, SyntaxError, TypeError):
        found = f"sequence_bias has the key {short(key)}"
        raise InputError(three_beats(found, 'tokens such as "(1, 2)"', "Correct it.")) from None


def _writable(value: Any) -> Any:
    """Plain values with keys that JSON can write, and data types by their names."""
    if not isinstance(value, dict):
        return value
    named = {name: dtype_name(v) if name == "torch_dtype" else _writable(v) for name, v in value.items()}
    return {str(name) if isinstance(name, tuple) else name: v for name, v in named.items()}


def _shown_value(value: Any) -> Any:
    return value.tolist() if hasattr(value, "tolist") else repr(value)
