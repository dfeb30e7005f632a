"""Adapters for languages: a few tensors in a file of their own beside a checkpoint, exchanged for those in a model."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from ..conversion.formats.pickled import read_pickled
from ..conversion.formats.safetensors import read_safetensors
from ..conversion.formats.tensors import Tensor
from ..conversion.slots import Slot
from ..files.errors import CheckpointError, ConfigurationError, FileError, three_beats
from ..hub.find import HubOptions, Repository
from .base import PretrainedBase
from .options import LoadOptions

#: How an adapter's files are called for a language, in the order in which they are looked for.
FILES = ("adapter.{}.safetensors", "adapter.{}.bin")


class LanguageAdapters(PretrainedBase):
    """A model whose layers have small blocks for a language each, which files of their own hold, its head with them."""

    config: Any
    target_lang: str | None = None

    @classmethod
    def load(cls, name_or_path: str | os.PathLike, options: LoadOptions, *model_args: Any, **kwargs: Any) -> Any:
        """As `PretrainedBase.load`; a model that is made for a language gets that language's adapter."""
        answer = super().load(name_or_path, options, *model_args, **kwargs)
        model = answer[0] if options.output_loading_info else answer
        if model.target_lang is not None:
            model.load_adapter(model.target_lang)
        return answer

    def adapter_slots(self) -> list[Slot]:
        """The slots of the layers' blocks, and of the head that scores the language's tokens."""
        return [slot for slot in self.slots() if ".adapter_layer." in slot.name or slot.name.startswith("lm_head.")]

    def init_adapter_layers(self) -> None:
        """Draw the layers' blocks and the head's scores afresh."""
        fresh = self.initial(self.config, self.fresh_seed())
        for slot in self.adapter_slots():
            self.replace(slot, _drawn(fresh(slot, self.parameter_dtype(slot)), slot))

    def load_adapter(self, target_lang: str, force_load: bool = True, **kwargs: Any) -> None:
        """Exchange the adapter for that of another language, which lies beside the checkpoint.

        Args:
            target_lang: The language, as the file's name has it: `adapter.<language>.safetensors` or `.bin`.
            force_load: Whether to read it even if that is the model's language already.
            kwargs: `cache_dir`, `force_download`, `local_files_only`, `token`, `revision`, `subfolder`, `verify`;
                `use_safetensors` for one of the two forms.

        Raises:
            ConfigurationError: The model has no such blocks.
            FileError: There is no such file, or it is damaged.
            CheckpointError: Its tensors are not those of the model's adapter.
        """
        if self.config.adapter_attn_dim is None:
            found, remedy = "load_adapter() without adapter_attn_dim", "Use a checkpoint that has adapters."
            raise ConfigurationError(three_beats(found, "a model whose layers have adapters", remedy))
        if target_lang == self.target_lang and not force_load:
            return
        form = kwargs.pop("use_safetensors", None)
        options, _ = HubOptions.take_from(kwargs)
        tensors = _read(Repository(self.config.name_or_path, options), target_lang, form)
        slots = {slot.name: slot for slot in self.adapter_slots()}
        check_adapter(slots, tensors, target_lang)
        for name, slot in slots.items():
            self.replace(slot, tensors[name].read().astype(self.parameter_dtype(slot)))
        if "lm_head.bias" in tensors:
            self.reconfigure(vocab_size=tensors["lm_head.bias"].shape[0])
        self.target_lang = target_lang


def check_adapter(slots: Mapping[str, Slot], tensors: Mapping[str, Tensor], language: str) -> None:
    """Refuse tensors that are not those of a model's adapter; the head's may be those of another number of tokens.

    Raises:
        CheckpointError: One is absent, left over, or of another shape.
    """
    for name in sorted(slots.keys() ^ tensors.keys()):
        what = "has no" if name in slots else "has a"
        remedy = "Check that the adapter belongs to the checkpoint."
        raise CheckpointError(
            three_beats(f"the adapter of {language!r} {what} tensor {name}", "those of the model's adapter", remedy)
        )
    for name, slot in slots.items():
        start = 1 if name.startswith("lm_head.") else 0
        if tensors[name].shape[start:] != slot.shape[start:]:
            found = f"the adapter of {language!r}: {name} has shape {list(tensors[name].shape)}"
            raise CheckpointError(three_beats(found, str(list(slot.shape)), "Use one of the same checkpoint."))


def _read(repository: Repository, language: str, form: bool | None) -> Mapping[str, Tensor]:
    """The tensors of a language's adapter."""
    for file, path in _found(repository, language, form):
        return read_safetensors(path) if file.endswith(".safetensors") else read_pickled(path)
    found = f"{repository.name} has no {FILES[0].format(language)}"
    raise FileError(three_beats(found, "an adapter for each language", "Check the language, and the checkpoint."))


def _found(repository: Repository, language: str, form: bool | None) -> Iterator[tuple[str, Any]]:
    for file in FILES[slice(None, 1) if form else slice(1, None) if form is False else slice(None)]:
        path = repository.file(file.format(language), required=False)
        if path is not None:
            yield file, path


def _drawn(value: np.ndarray | None, slot: Slot) -> np.ndarray:
    assert value is not None, slot.name  # every slot of an adapter is of a known kind
    return value
