"""PreTrainedModel: the base of every PyTorch model."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from typing import Any, ClassVar

import numpy as np
import torch
from torch import nn
from torch.overrides import TorchFunctionMode
from torch.utils import _pytree as pytree

from ...configuration import PretrainedConfig
from ...conversion.formats.tensors import numpy_dtype
from ...conversion.slots import Slot, Source, make_slot
from ...outputs import ModelOutput, flatten, register_pytrees, unflatten
from ..base import Construction, PretrainedBase, check_affordable, initial_values, no_initial_value, structure_only
from ..options import LoadOptions
from .kinds import kind_of


class PreTrainedModel(PretrainedBase, nn.Module, metaclass=Construction):
    """Base of every PyTorch model: a plain `nn.Module` that loads, saves and initialises itself by canonical names.

    Args:
        config: What the model is.
        seed: Seed of the initial weights; without it, one draw from PyTorch's global generator.

    Raises:
        ConfigurationError: The configuration cannot describe a model, or one larger than this machine's memory.
    """

    framework: ClassVar[str] = "pt"

    def __init__(self, config: PretrainedConfig) -> None:
        super().__init__()
        config.validate()
        self.config = config

    # ---- structure and values -------------------------------------------------------------------------------

    @classmethod
    def structure(cls, config: PretrainedConfig, *args: Any, **kwargs: Any) -> Any:
        """The model on the meta device, where nothing is allocated; a user's own class as it builds itself."""
        with structure_only(), without_values() if cls.is_listed() else contextlib.nullcontext():
            return type.__call__(cls, config, *args, **kwargs)

    def slots(self) -> list[Slot]:
        """Every parameter and stored buffer."""
        return [
            make_slot((*path.split("."), leaf), tuple(tensor.shape), kind_of(module), "torch", owner=module)
            for path, module in self.named_modules()
            for leaf, tensor in _stored(module)
        ]

    def initialize(self, seed: int | None) -> None:
        """Draw every value afresh; a module of a kind that is not known keeps what it gave itself."""
        slots = self.slots()
        dtype = torch.get_default_dtype()
        check_affordable(slots, dtype.itemsize, self.config)
        seed = int(torch.randint(2**62, ())) if seed is None else seed
        self.fill(initial_values(self.config, self.weights_of(self.config), seed), _name(dtype))

    def fill(self, source: Source, dtype: str | None = None) -> None:
        """Put a value into every slot.

        Args:
            source: Where values come from.
            dtype: The type of floating parameters; PyTorch's default type if None.
        """
        target = numpy_dtype(dtype or _name(torch.get_default_dtype()))
        for slot in self.slots():
            owner: nn.Module = slot.owner
            value = source(slot, target)
            tensor = self.held(slot) if value is None else tensor_of(value)
            if tensor.is_meta:
                raise no_initial_value(slot)
            if slot.leaf in owner._parameters:
                tensor = nn.Parameter(tensor, requires_grad=tensor.is_floating_point())
            setattr(owner, slot.leaf, tensor)

    def held(self, slot: Slot) -> torch.Tensor:
        """The parameter or buffer of a slot."""
        return getattr(slot.owner, slot.leaf)

    def read_slot(self, slot: Slot) -> np.ndarray:
        """What a slot holds, as a NumPy array that shares its memory where it is on the CPU."""
        return array_of(self.held(slot))

    def parameter_dtype(self, slot: Slot) -> np.dtype:
        """The type that a slot holds."""
        return numpy_dtype(_name(self.held(slot).dtype))

    # ---- loading --------------------------------------------------------------------------------------------

    @classmethod
    def from_pretrained(cls, pretrained_model_name_or_path: str | os.PathLike, *model_args: Any, **kwargs: Any) -> Any:
        """Load a checkpoint from a directory or a name on the Hub; the model is in evaluation mode.

        The file is mapped, not copied: its pages are read when they are first used, and a change of a weight stays
        private to this process.

        Args:
            pretrained_model_name_or_path: A directory that holds `config.json` and the tensors, or a Hub name.
            model_args: Further positional arguments of the class's constructor.
            kwargs: `config`, `dtype` ("float32" by default, "auto" for the file's), `strict`,
                `ignore_mismatched_sizes`, `output_loading_info`, `seed`, `cache_dir`, `force_download`,
                `local_files_only`, `token`, `revision`, `subfolder`, `attn_implementation`; fields of the
                configuration to set differently; keyword arguments of the constructor.

        Raises:
            FileError: There is no such checkpoint, or it is damaged.
            CheckpointError: Its tensors do not fit the model.
            InputError: An argument that makes no sense.
        """
        options = LoadOptions.take_from(kwargs)
        answer = cls.load(pretrained_model_name_or_path, options, *model_args, **options.rest)
        (answer[0] if options.output_loading_info else answer).eval()
        return answer

    # ---- what users ask of a model --------------------------------------------------------------------------

    @property
    def device(self) -> torch.device:
        """Where the first parameter is."""
        return next(self.parameters()).device

    @property
    def dtype(self) -> torch.dtype:
        """The type of the first floating parameter."""
        return next(parameter.dtype for parameter in self.parameters() if parameter.is_floating_point())

    def num_parameters(self, only_trainable: bool = False, exclude_embeddings: bool = False) -> int:
        """The number of elements of all parameters, shared ones counted once."""
        excluded = {
            id(module.weight) for module in self.modules() if exclude_embeddings and isinstance(module, nn.Embedding)
        }
        return sum(
            parameter.numel()
            for parameter in self.parameters()
            if id(parameter) not in excluded and (parameter.requires_grad or not only_trainable)
        )


@contextlib.contextmanager
def without_values() -> Iterator[None]:
    """Within this context, modules are built on the meta device and leave their parameters as they are."""
    with torch.device("meta"), _LeaveAsIs():
        yield


class _LeaveAsIs(TorchFunctionMode):
    """Turns `torch.nn.init` off: on the meta device it does nothing, and imports PyTorch's compiler to do it."""

    def __torch_function__(self, func: Any, types: Any, args: tuple = (), kwargs: dict | None = None) -> Any:
        kwargs = kwargs or {}
        if getattr(func, "__module__", None) == "torch.nn.init":
            return args[0] if args else kwargs["tensor"]
        return func(*args, **kwargs)


def _stored(module: nn.Module) -> Iterator[tuple[str, torch.Tensor]]:
    """A module's own parameters, and those of its buffers that belong to a checkpoint."""
    yield from module.named_parameters(recurse=False)
    for name, buffer in module.named_buffers(recurse=False):
        if name not in module._non_persistent_buffers_set:
            yield name, buffer


def _name(dtype: torch.dtype) -> str:
    return str(dtype).removeprefix("torch.")


def tensor_of(array: np.ndarray) -> torch.Tensor:
    """A tensor that shares an array's memory; NumPy has no bfloat16 of its own, so its bits travel as integers."""
    if array.dtype.name == "bfloat16":
        return torch.from_numpy(array.view(np.int16)).view(torch.bfloat16)
    return torch.from_numpy(array)


def array_of(tensor: torch.Tensor) -> np.ndarray:
    """The inverse of `tensor_of`, from any device."""
    tensor = tensor.detach().cpu()
    if tensor.dtype == torch.bfloat16:
        return tensor.view(torch.int16).numpy().view(numpy_dtype("bfloat16"))
    return tensor.numpy()


def _register_pytree(output_type: type[ModelOutput]) -> None:
    pytree.register_pytree_node(
        output_type,
        lambda output: flatten(output),
        lambda values, names: unflatten(output_type, names, values),
        serialized_type_name=f"triformers.{output_type.__name__}",
    )


register_pytrees(_register_pytree)
