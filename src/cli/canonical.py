"""A checkpoint of any format in canonical names and axes; a framework's own format needs the model to say the axes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from ..backends.limits import check_parts
from ..cards import Card
from ..configuration import PretrainedConfig
from ..conversion.formats.tensors import Tensor
from ..conversion.layouts import layout_of
from ..conversion.mapping import make_plan
from ..conversion.native import canonical_checkpoint
from ..conversion.slots import Slot
from .choose import backends_of, model_class


def is_canonical(tensors: Mapping[str, Tensor]) -> bool:
    """Whether a checkpoint's names and axes are the canonical ones."""
    return all(tensor.layout == "torch" for tensor in tensors.values())


def slots_of(
    card: Card, stem: str, config: PretrainedConfig, tensors: Mapping[str, Tensor], where: str
) -> Sequence[Slot]:
    """The slots of a class, in whichever framework is installed.

    Args:
        card: The architecture.
        stem: The class's name without a framework's prefix.
        config: The checkpoint's configuration.
        tensors: The checkpoint, which must have tensors for as many layers as the configuration says.
        where: The checkpoint, for messages.

    Raises:
        CheckpointError: It has not.
        MissingDependencyError: None is.
    """
    build = model_class(stem, backends_of(card, None)[0]).structure
    check_parts(config, canonical_checkpoint(tensors, where, card.weights), card.weights, where, build)
    return build(config).slots()


def in_canonical_axes(
    tensors: Mapping[str, Tensor], slots: Sequence[Slot], card: Card, config: PretrainedConfig, where: str
) -> dict[str, Tensor]:
    """The tensors that fill a model's slots, under the slots' names and in canonical axes, turned when they are read.

    Args:
        tensors: A checkpoint under the names of its file.
        slots: The model's.
        card: Its architecture.
        config: Its configuration.
        where: The checkpoint, for messages.

    Raises:
        CheckpointError: They do not fit.
    """
    found = canonical_checkpoint(tensors, where, card.weights)
    plan = make_plan(slots, found, card.weights, config)
    plan.check(where)
    return {slot.name: _turned(slot, found[plan.filled[slot.name]]) for slot in slots if slot.name in plan.filled}


def _turned(slot: Slot, tensor: Tensor) -> Tensor:
    layout = layout_of(slot.kind, slot.leaf, tensor.layout)
    return Tensor(slot.name, slot.shape, tensor.dtype, lambda: layout.to_canonical(tensor.read()))
