"""PreTrainedModel: the base of every PyTorch model."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from typing import Any, ClassVar

import numpy as np
import torch
import torch.utils.checkpoint
from torch import nn
from torch.overrides import TorchFunctionMode
from torch.utils import _pytree as pytree

from ...configuration import PretrainedConfig
from ...conversion.formats.tensors import Tensor, numpy_dtype
from ...conversion.mapping import tied_names
from ...conversion.slots import Slot, Source, make_slot
from ...files.errors import InputError, three_beats
from ...outputs import ModelOutput, Wanted, flatten, register_pytrees, unflatten
from ..base import Construction, PretrainedBase, check_affordable, no_initial_value, structure_only
from ..options import LoadOptions, SaveOptions, check_not_saved
from .attention import causal_mask, padding_mask, per_layer_head_masks
from .generation import GenerationMixin
from .kinds import kind_of, note_sizes
from .layers import CheckpointedLayer


class PreTrainedModel(GenerationMixin, PretrainedBase, nn.Module, metaclass=Construction):
    """Base of every PyTorch model: a plain `nn.Module` that loads, saves and initialises itself by canonical names.

    Args:
        config: What the model is.
        seed: Seed of the initial weights; without it, one draw from PyTorch's global generator.

    Raises:
        ConfigurationError: The configuration cannot describe a model, or one larger than this machine's memory.
    """

    framework: ClassVar[str] = "pt"
    supports_gradient_checkpointing: ClassVar[bool] = True
    #: Segments of the names of parameters that a load in float16 leaves in float32.
    _keep_in_fp32_modules: ClassVar[tuple[str, ...]] = ()
    checkpoint: Callable[..., Any] | None = None

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
        """Every parameter and stored buffer; what is tied once, under the name that it is written under."""
        every = self._every_slot()
        aliases = tied_names((slot.name for slot in every), self.weights_of(self.config), self.config)
        return [slot for slot in every if slot.name not in aliases]

    def _every_slot(self) -> list[Slot]:
        return [
            make_slot((*path.split("."), leaf), tuple(tensor.shape), kind_of(module), "torch", owner=module)
            for path, module in self.named_modules()
            for leaf, tensor in _stored(module)
        ]

    def tie_weights(self) -> None:
        """Make the two names of each tied tensor name one parameter."""
        slots = {slot.name: slot for slot in self._every_slot()}
        for alias, name in tied_names(slots, self.weights_of(self.config), self.config).items():
            if alias in slots:
                setattr(slots[alias].owner, slots[alias].path[-1], self.held(slots[name]))
                note_sizes(slots[alias].owner)

    def set_output_embeddings(self, new_embeddings: nn.Module) -> None:
        """Put another module in the place of the one that scores tokens; what is always tied to it follows it.

        Raises:
            InputError: The model has none.
        """
        super().set_output_embeddings(new_embeddings)
        weights = self.weights_of(self.config)
        for tie in weights.tied:
            module, _, leaf = tie.alias.rpartition(".")
            if module == weights.output_embeddings and not tie.when and hasattr(new_embeddings, leaf):
                parent, _, target = tie.to.rpartition(".")
                setattr(self.get_submodule(parent), target, getattr(new_embeddings, leaf))

    def initialize(self, seed: int | None) -> None:
        """Draw every value afresh; a module of a kind that is not known keeps what it gave itself."""
        slots = self.slots()
        dtype = torch.get_default_dtype()
        check_affordable(slots, dtype.itemsize, self.config)
        self.fill(self.initial(self.config, self.fresh_seed() if seed is None else seed), _name(dtype))

    def fresh_seed(self) -> int:
        """One draw from PyTorch's global generator."""
        return int(torch.randint(2**62, (), device="cpu"))

    def fill(self, source: Source, dtype: str | None = None) -> None:
        """Put a value into every slot.

        Args:
            source: Where values come from.
            dtype: The type of floating parameters; PyTorch's default type if None.
        """
        target = numpy_dtype(dtype or _name(torch.get_default_dtype()))
        wide = self._keep_in_fp32_modules if target == np.float16 else ()
        for slot in self.slots():
            owner: nn.Module = slot.owner
            value = source(slot, target if set(slot.path).isdisjoint(wide) else np.dtype(np.float32))
            tensor = self.held(slot) if value is None else tensor_of(value)
            if tensor.is_meta:
                raise no_initial_value(slot)
            if slot.path[-1] in owner._parameters:
                tensor = nn.Parameter(tensor, requires_grad=tensor.is_floating_point())
            setattr(owner, slot.path[-1], tensor)
        self.tie_weights()

    def replace(self, slot: Slot, array: np.ndarray) -> None:
        """Put an array of another shape into a slot, and tell the layer that owns it its new size."""
        old = self.held(slot)
        tensor = tensor_of(np.ascontiguousarray(array)).to(old.device)
        setattr(slot.owner, slot.path[-1], nn.Parameter(tensor, requires_grad=old.requires_grad))
        note_sizes(slot.owner)
        self.tie_weights()

    def held(self, slot: Slot) -> torch.Tensor:
        """The parameter or buffer of a slot."""
        return getattr(slot.owner, slot.path[-1])

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
                `local_files_only`, `token`, `revision`, `subfolder`, `verify`, `variant`, `use_safetensors`, `from_tf`,
                `from_flax`, `attn_implementation`; fields of the
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

    # ---- saving ---------------------------------------------------------------------------------------------

    def save_pretrained(
        self,
        save_directory: str | os.PathLike,
        is_main_process: bool = True,
        state_dict: Mapping[str, torch.Tensor] | None = None,
        save_function: Any = None,
        push_to_hub: bool = False,
        max_shard_size: int | str = "5GB",
        safe_serialization: bool = True,
        variant: str | None = None,
        token: str | bool | None = None,
        save_peft_format: bool = True,
        **kwargs: Any,
    ) -> None:
        """Write `config.json` and the tensors, all or nothing.

        Args:
            save_directory: Made if it is not there.
            is_main_process: False in all but one of the processes of a distributed run; then nothing is written.
            state_dict: What to write instead of the model's own tensors.
            save_function: `torch.save` or None: files are written as the format asks.
            push_to_hub: Whether to push it to the Hub then.
            max_shard_size: The most bytes of tensors in one file: a number, or a text such as "5GB".
            safe_serialization: Whether in safetensors, the same bytes from every framework; else `pytorch_model.bin`.
            variant: What stands before the extension in the files' names, such as "fp16".
            token: For a push, an access token with the right to write.
            save_peft_format: Unused: there are no adapters here.
            kwargs: Further arguments of `push_to_hub`; `repo_id` is the directory's name by default.

        Raises:
            FileError: The directory cannot be made or written, or the Hub refuses.
            InputError: An argument that makes no sense.
        """
        check_not_saved(save_function=save_function not in (None, torch.save))
        options = SaveOptions(safe_serialization, max_shard_size, variant, is_main_process)
        with self.pushing(save_directory, push_to_hub and is_main_process, {"token": token, **kwargs}):
            self.save_tensors(save_directory, options, None if state_dict is None else self._tensors_of(state_dict))

    def _tensors_of(self, state_dict: Mapping[str, torch.Tensor]) -> dict[str, Tensor]:
        """A state dict as what is written: what is tied once, nothing else left out.

        Raises:
            InputError: It lacks one of the model's tensors.
        """
        names = {slot.name for slot in self.slots()}
        if absent := sorted(names - state_dict.keys()):
            found = f"a state_dict without {absent[0]}"
            raise InputError(three_beats(found, "all tensors of the model", "Pass model.state_dict(), or nothing."))
        return {name: _as_tensor(name, value) for name, value in state_dict.items() if name in names}

    # ---- training -------------------------------------------------------------------------------------------

    def gradient_checkpointing_enable(self, gradient_checkpointing_kwargs: dict[str, Any] | None = None) -> None:
        """Let the backward pass compute intermediate values again instead of keeping them; a call then keeps no cache.

        Args:
            gradient_checkpointing_kwargs: For `torch.utils.checkpoint.checkpoint`; `use_reentrant` is False by default.
        """
        options = {"use_reentrant": False, **(gradient_checkpointing_kwargs or {})}
        self._set_checkpoint(partial(torch.utils.checkpoint.checkpoint, **options))

    def gradient_checkpointing_disable(self) -> None:
        """Keep intermediate values again."""
        self._set_checkpoint(None)

    @property
    def is_gradient_checkpointing(self) -> bool:
        """Whether intermediate values are computed again."""
        return self.checkpoint is not None

    def _set_checkpoint(self, checkpoint: Callable[..., Any] | None) -> None:
        for module in self.modules():
            if isinstance(module, (PreTrainedModel, CheckpointedLayer)):
                module.checkpoint = checkpoint

    def enable_input_require_grads(self) -> None:
        """Let gradients flow to the embedded inputs, which adapters on a frozen model need."""
        hook = self.get_input_embeddings().register_forward_hook(lambda module, args, output: output.requires_grad_())
        self._input_hook = hook

    def disable_input_require_grads(self) -> None:
        """Undo `enable_input_require_grads`."""
        self._input_hook.remove()

    def wanted(
        self,
        output_attentions: bool | None,
        output_hidden_states: bool | None,
        return_dict: bool | None,
        use_cache: bool | None = False,
    ) -> Wanted:
        """What a call asks to have returned; while layers are computed again, no cache."""
        use_cache = False if self.is_gradient_checkpointing and self.training else use_cache
        return super().wanted(output_attentions, output_hidden_states, return_dict, use_cache)

    # ---- what users ask of a model --------------------------------------------------------------------------

    @property
    def device(self) -> torch.device:
        """Where the first parameter is."""
        return next(self.parameters()).device

    @property
    def dtype(self) -> torch.dtype:
        """The type of the first floating parameter."""
        return next(parameter.dtype for parameter in self.parameters() if parameter.is_floating_point())

    @property
    def dummy_inputs(self) -> dict[str, torch.Tensor]:
        """The least inputs that a call takes: token ids [1, 2]."""
        return {self.main_input_name: torch.zeros((1, 2), dtype=torch.long, device=self.device)}

    def parallelize(self, device_map: Any = None) -> None:
        """Refused: 4.x could put some architectures' layers on several devices.

        Raises:
            InputError: Always.
        """
        found, remedy = "parallelize()", "Call model.to(device), or split the model with accelerate."
        raise InputError(three_beats(found, "a model on one device", remedy))

    def deparallelize(self) -> None:
        """Nothing: a model is on one device."""

    def get_memory_footprint(self, return_buffers: bool = True) -> int:
        """The bytes of all parameters, and of the buffers if asked."""
        held = [*self.parameters(), *(self.buffers() if return_buffers else ())]
        return sum(tensor.nbytes for tensor in held)

    def get_extended_attention_mask(
        self, attention_mask: torch.Tensor, input_shape: tuple[int, ...], device: Any = None, dtype: Any = None
    ) -> torch.Tensor | None:
        """What is added to attention's scores for a mask of ones and zeros: [B, 1, 1, T], in a decoder [B, 1, T, T].

        Args:
            attention_mask: [B, T] or [B, T, T].
            input_shape: [B, T].
            device: Unused: the mask's own.
            dtype: The type of the answer, the model's if None.
        """
        likeness = torch.empty((*input_shape, 0), dtype=dtype or self.dtype, device=attention_mask.device)
        return (causal_mask if self.config.is_decoder else padding_mask)(attention_mask, likeness)

    def invert_attention_mask(self, encoder_attention_mask: torch.Tensor) -> torch.Tensor | None:
        """What is added to the scores of cross-attention for a mask [B, S] or [B, T, S] of ones and zeros."""
        batch, *_, length = encoder_attention_mask.shape
        likeness = torch.empty((batch, length, 0), dtype=self.dtype, device=encoder_attention_mask.device)
        return padding_mask(encoder_attention_mask, likeness)

    def get_head_mask(
        self, head_mask: torch.Tensor | None, num_hidden_layers: int, is_attention_chunked: bool = False
    ) -> list[torch.Tensor | None]:
        """A head mask for each layer: [N] or [layers, N] -> `num_hidden_layers` times [1, N, 1, 1], or None."""
        rows = per_layer_head_masks(head_mask, num_hidden_layers)
        return [row if row is None or not is_attention_chunked else row[..., None] for row in rows]

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


def _as_tensor(name: str, value: torch.Tensor) -> Tensor:
    """PyTorch's tensor as what a writer takes."""
    return Tensor(name, tuple(value.shape), numpy_dtype(_name(value.dtype)), lambda: array_of(value.contiguous()))


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
