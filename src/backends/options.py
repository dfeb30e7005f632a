"""The compatibility door: the arguments of `from_pretrained`, old and odd spellings included."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from ..configuration import PretrainedConfig, dtype_name
from ..conversion.formats.names import FORMATS
from ..files.errors import InputError, three_beats
from ..hub.find import HubOptions

#: Old name -> today's.
RENAMED: Mapping[str, str] = {"torch_dtype": "dtype", "use_auth_token": "token"}

#: Arguments that ask for what is always so here -> the values that they may have.
ALWAYS_SO: Mapping[str, tuple[Any, ...]] = {
    "low_cpu_mem_usage": (True, False, None),
    "_fast_init": (True, False),
    "weights_only": (True,),
    "trust_remote_code": (False, None),
    "resume_download": (True, False, None),
    "mirror": (None,),
    "proxies": (None,),
    "device_map": (None,),
    "quantization_config": (None,),
    "load_in_8bit": (False,),
    "load_in_4bit": (False,),
}

#: Why another value is refused, where the reason is not plain from the name.
REASONS: Mapping[str, str] = {
    "weights_only": "Nothing in a checkpoint is ever executed here.",
    "trust_remote_code": "No code is ever fetched from a repository here: install it and import its classes.",
    "device_map": "Load first, then move the model with .to(device).",
    "proxies": "Set HTTPS_PROXY in the environment.",
}


@dataclass(frozen=True)
class LoadOptions:
    """Where and how `from_pretrained` loads.

    Attributes:
        hub: Where on the Hub.
        config: A configuration to use instead of the checkpoint's, or where to read it.
        dtype: The parameters' type by name (in Flax the computation's), "auto" for the checkpoint's, None for the
            framework's default.
        param_dtype: The parameters' type in Flax.
        strict: Whether a backbone tensor that is absent or left over is an error.
        ignore_mismatched_sizes: Whether a tensor of another shape is initialised afresh instead.
        output_loading_info: Whether the answer is a pair with the lists of missing and unexpected keys.
        seed: Seed of what is initialised afresh.
        use_safetensors: True to read no other format, False to read any other.
        from_pt: Whether PyTorch's formats come first where a checkpoint is there in several.
        from_tf: Whether TensorFlow's does.
        from_flax: Whether Flax' does.
        variant: What stands before the extension in the files' names, such as "fp16".
    """

    hub: HubOptions
    config: PretrainedConfig | str | None = None
    dtype: str | None = None
    param_dtype: str | None = None
    strict: bool = True
    ignore_mismatched_sizes: bool = False
    output_loading_info: bool = False
    seed: int | None = None
    use_safetensors: bool | None = None
    from_pt: bool = False
    from_tf: bool = False
    from_flax: bool = False
    variant: str | None = None
    rest: dict[str, Any] = field(default_factory=dict, compare=False)

    @property
    def formats(self) -> list[str]:
        """The formats to look for, the first that is there is read."""
        if self.use_safetensors:
            return ["safetensors"]
        wanted = {"h5": self.from_tf, "msgpack": self.from_flax}
        first = [name for name in FORMATS if wanted.get(name, self.from_pt)]
        every = [*first, *(name for name in FORMATS if name not in first)]
        return every if self.use_safetensors is None else [name for name in every if name != "safetensors"]

    @classmethod
    def take_from(cls, arguments: dict[str, Any]) -> LoadOptions:
        """Read the options out of keyword arguments; what is not an option stays in `rest`.

        Raises:
            InputError: An argument that makes no sense here.
        """
        renamed = {RENAMED.get(name, name): value for name, value in arguments.items()}
        kept = {name: value for name, value in renamed.items() if not _is_always_so(name, value)}
        hub, kept = HubOptions.take_from(kept)
        own = {name: kept.pop(name) for name in list(kept) if name in cls.__dataclass_fields__ and name != "rest"}
        own |= {name: dtype_name(own.get(name)) for name in ("dtype", "param_dtype")}
        return cls(hub=hub, rest=kept, **own)


@dataclass(frozen=True)
class SaveOptions:
    """In which form `save_pretrained` saves.

    Attributes:
        safe_serialization: Whether in safetensors, the same bytes from every framework; else in the framework's own
            format.
        max_shard_size: The most bytes of tensors in one file: a number, or a text such as "5GB".
        variant: What stands before the extension in the files' names, such as "fp16".
        is_main_process: False in all but one of the processes of a distributed run; then nothing is written.
    """

    safe_serialization: bool = True
    max_shard_size: int | str | None = None
    variant: str | None = None
    is_main_process: bool = True


#: Arguments of `save_pretrained` that ask for what is not done here -> what to do instead.
NOT_SAVED: Mapping[str, str] = {
    "push_to_hub": "Save, then upload the directory: huggingface_hub.upload_folder(...).",
    "save_function": "Leave it out: files are written as the format asks, all or nothing.",
    "saved_model": "Call model.export(directory) for a SavedModel.",
    "signatures": "Call model.export(directory) for a SavedModel.",
    "create_pr": "Save, then upload the directory: huggingface_hub.upload_folder(..., create_pr=True).",
}


def check_not_saved(**arguments: Any) -> None:
    """Refuse arguments of `save_pretrained` that ask for what is not done here.

    Raises:
        InputError: One is set.
    """
    for name, value in arguments.items():
        if value:
            raise InputError(three_beats(f"save_pretrained({name}=...)", "it to be left out", NOT_SAVED[name]))


def _is_always_so(name: str, value: Any) -> bool:
    if name not in ALWAYS_SO:
        return False
    if value not in ALWAYS_SO[name]:
        accepted = " or ".join(map(repr, ALWAYS_SO[name]))
        reason = REASONS.get(name, "Leave the argument out.")
        raise InputError(three_beats(f"{name}={value!r} makes no sense here", accepted, reason))
    return True
