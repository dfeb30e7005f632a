"""What a checkpoint's configuration may ask for: in proportion to what its tensors hold.

A few bytes of `config.json` can describe a model that takes hours to build or terabytes to fill. What is loaded is held
to the tensors that there are; what a caller makes from a configuration alone, to the memory of the machine.
"""

from __future__ import annotations

import copy
import logging
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from typing import Any

from ..cards import Weights
from ..configuration import PretrainedConfig
from ..conversion.formats.tensors import Checkpoint, not_finite
from ..conversion.mapping import Plan, make_plan
from ..conversion.slots import Slot
from ..files.errors import CheckpointError, three_beats

logger = logging.getLogger(__name__)

#: The most layers or heads that are built without a look at the tensors. Keras takes 20 ms for a layer.
PARTS = 128
#: The most numbers drawn afresh for a checkpoint, whatever it holds; beyond, as many as it holds: a new head over a
#: vocabulary is as large as the embedding.
FRESH = 2**24


def check_parts(
    config: PretrainedConfig,
    checkpoint: Checkpoint,
    weights: Weights,
    where: str,
    build: Callable[[PretrainedConfig], Any],
) -> None:
    """Refuse a model of very many layers that the checkpoint does not have, before it is built.

    Args:
        config: What the model is.
        checkpoint: Its tensors, under canonical names.
        weights: What the architecture declares about them.
        where: The checkpoint, for messages.
        build: Makes the structure of a model.

    Raises:
        CheckpointError: A layer lacks a tensor, or there are fewer tensors than layers.
    """
    for name, count in config.parts().items():
        if count > max(PARTS, len(checkpoint)):
            found = f"config.json of {where} says {name} {count}, with {len(checkpoint)} tensors in the checkpoint"
            raise CheckpointError(three_beats(found, "a tensor for each at least", "Correct config.json."))
        if count > PARTS and isinstance(getattr(config, name), int):
            plan = make_plan(_imagined(config, name, count, build), checkpoint, weights, config)
            if plan.missing or plan.mismatched:
                plan.check(where)


def _imagined(
    config: PretrainedConfig, name: str, count: int, build: Callable[[PretrainedConfig], Any]
) -> Iterator[Slot]:
    """The slots of a model of so many layers, from those of a model of two: each layer is as the second."""
    few, more = ({slot.name: slot for slot in build(_changed(config, name, number)).slots()} for number in (1, 2))
    yield from few.values()
    for number in range(1, count):
        for each in more.keys() - few.keys():
            yield replace(more[each], name=each.replace(".1.", f".{number}.", 1))


def _changed(config: PretrainedConfig, name: str, value: int) -> PretrainedConfig:
    other = copy.deepcopy(config)
    setattr(other, name, value)
    return other


def warn_of_not_finite(checkpoint: Checkpoint, where: str) -> None:
    """Say so if tensors hold NaN or infinity: it may be meant (a mask), and may be a training run that failed."""
    if found := not_finite(checkpoint):
        names = ", ".join(f"{name} ({count})" for name, count in list(found.items())[:3])
        logger.warning("%s holds numbers that are not finite, in %s tensors: %s.", where, len(found), names)


def check_fresh(slots: Iterable[Slot], plan: Plan, where: str) -> None:
    """Refuse to draw far more numbers than the checkpoint holds.

    Raises:
        CheckpointError: The configuration describes a head, or an optional module, that is too large.
    """
    sizes = {slot.name: slot.size for slot in slots}
    filled = sum(sizes[name] for name in plan.filled)
    fresh = sum(sizes.values()) - filled
    if fresh > max(FRESH, filled):
        largest = max(sizes.keys() - plan.filled.keys(), key=sizes.__getitem__)
        found = f"{where} lacks {fresh:,} numbers of the model, most of them of {largest}, and has {filled:,}"
        raise CheckpointError(three_beats(found, "no more than it has", "Correct the sizes in config.json."))
