"""The compatibility door: the arguments of `from_pretrained`, old and odd spellings included."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from ..configuration import PretrainedConfig, dtype_name
from ..conversion.formats.names import FORMATS
from ..files.errors import InputError, three_beats
from ..hub.options import HubOptions, without_decided

#: Old name -> today's.
RENAMED: Mapping[str, str] = {"torch_dtype": "dtype"}

#: Arguments of models alone that may only say what is so anyway -> those values, and why no other.
ALWAYS_SO: Mapping[str, tuple[tuple[Any, ...], str]] = {
    "low_cpu_mem_usage": ((True, False, None), "Leave the argument out."),
    "_fast_init": ((True, False), "Leave the argument out."),
    "weights_only": ((True,), "Nothing in a checkpoint is ever executed here."),
    "device_map": ((None,), "Load first, then move the model with .to(device)."),
    "quantization_config": ((None,), "Leave the argument out: there are no quantized layers here."),
    "load_in_8bit": ((False, None), "Leave the argument out: there are no quantized layers here."),
    "load_in_4bit": ((False, None), "Leave the argument out: there are no quantized layers here."),
    "gguf_file": ((None,), "Convert the file to safetensors first."),
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
        hub, kept = HubOptions.take_from(without_decided(renamed, ALWAYS_SO))
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
    "save_function": "Leave it out: files are written as the format asks, all or nothing.",
    "saved_model": "Call model.export(directory) for a SavedModel.",
    "signatures": "Call model.export(directory) for a SavedModel.",
}


def check_not_saved(**arguments: Any) -> None:
    """Refuse arguments of `save_pretrained` that ask for what is not done here.

    Raises:
        InputError: One is set.
    """
    for name, value in arguments.items():
        if value:
            raise InputError(three_beats(f"save_pretrained({name}=...)", "it to be left out", NOT_SAVED[name]))
