"""The mapping from a checkpoint to a model: planned first, checked as a whole, then carried out.

Nothing is guessed from shapes. A file's key and a slot's canonical name are the same words, up to three things: the
base model's prefix, which a checkpoint of the bare model lacks; the legacy leaf names of early checkpoints; and the
exceptions that the architecture's card declares.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatchcase

from triformers.cards import Weights
from triformers.configuration import PretrainedConfig
from triformers.conversion.formats.tensors import Checkpoint, Tensor
from triformers.conversion.layouts import layout_of
from triformers.conversion.slots import Slot
from triformers.files.errors import CheckpointError, closest, three_beats
from triformers.initialization import is_computed

#: Leaf names of the first checkpoints (converted from TensorFlow 1), and of PyTorch's first weight norm -> today's.
LEGACY_LEAVES: Mapping[str, str] = {
    "gamma": "weight",
    "beta": "bias",
    "weight_g": "parametrizations.weight.original0",
    "weight_v": "parametrizations.weight.original1",
}


@dataclass
class Plan:
    """Which tensor of a checkpoint fills which slot of a model, and what is left on either side.

    Attributes:
        filled: Slot name -> file key.
        new: Slots of a head, or of an optional module, that the checkpoint does not have: initialised afresh.
        dropped: File keys of heads, or of parts of the backbone, that the model does not have.
        ignored: File keys that no module holds any more -> the reason.
        tied: File keys of a tensor that the file holds under its other name too -> that name.
        missing: Backbone slots that the checkpoint lacks.
        unexpected: File keys that fit nothing.
        mismatched: (file key, its shape, the slot's shape) where the two differ.
    """

    filled: dict[str, str] = field(default_factory=dict)
    new: list[str] = field(default_factory=list)
    dropped: list[str] = field(default_factory=list)
    ignored: dict[str, str] = field(default_factory=dict)
    tied: dict[str, str] = field(default_factory=dict)
    missing: list[str] = field(default_factory=list)
    unexpected: list[str] = field(default_factory=list)
    mismatched: list[tuple[str, tuple[int, ...], tuple[int, ...]]] = field(default_factory=list)

    def check(self, where: str, strict: bool = True, ignore_mismatched_sizes: bool = False) -> None:
        """Refuse a checkpoint whose tensors do not fit.

        Args:
            where: The checkpoint, for the message.
            strict: Whether tensors that fit nothing, and backbone slots that stay empty, are errors.
            ignore_mismatched_sizes: Whether a slot whose shape differs is initialised afresh instead.

        Raises:
            CheckpointError: A backbone tensor is absent, a tensor is left over, or a shape differs.
        """
        if self.mismatched and not ignore_mismatched_sizes:
            key, found, expected = self.mismatched[0]
            remedy = "Correct config.json, or pass ignore_mismatched_sizes=True to initialise such tensors afresh."
            raise CheckpointError(three_beats(f"{where}: {key} has shape {list(found)}", f"{list(expected)}", remedy))
        if self.missing and strict:
            raise CheckpointError(self._explain(where, f"has no tensor for {_names(self.missing)}", self.missing))
        if self.unexpected and strict:
            raise CheckpointError(self._explain(where, f"has {_names(self.unexpected)} left over", self.unexpected))

    def _explain(self, where: str, what: str, names: Sequence[str]) -> str:
        others = self.unexpected if names is self.missing else [*self.missing, *self.new, *self.filled]
        near = closest(names[0], others)
        hint = f" (the closest names are {', '.join(near)})" if near else ""
        remedy = "Check the model type in config.json, or pass strict=False to go on without these tensors."
        return three_beats(f"{where} {what}", f"exactly the tensors of the model{hint}", remedy)

    def report(self) -> str:
        """The one line about tensors that start afresh or stay behind unasked; empty when all is well."""
        fresh = [*self.new, *self.missing, *(key for key, *_ in self.mismatched)]
        parts = []
        if fresh:
            parts.append(f"{_names(fresh)} newly initialised, to be trained")
        if self.unexpected:
            parts.append(f"{_names(self.unexpected)} not used")
        return "; ".join(parts)

    def loading_info(self) -> dict[str, list]:
        """What `output_loading_info=True` answers, under the names that users know."""
        return {
            "missing_keys": [*self.new, *self.missing],
            "unexpected_keys": [*self.dropped, *self.ignored, *self.unexpected],
            "mismatched_keys": list(self.mismatched),
            "error_msgs": [],
        }


def make_plan(
    slots: Iterable[Slot],
    checkpoint: Checkpoint,
    weights: Weights,
    config: PretrainedConfig | None = None,
    is_of_another_class: bool = False,
) -> Plan:
    """Match every slot of a model with a tensor of a checkpoint.

    Args:
        slots: The model's slots.
        checkpoint: The file's tensors.
        weights: What the architecture declares about its tensors' names.
        config: Says which tensors are tied.
        is_of_another_class: Whether a class with other heads wrote the checkpoint: a head of the same name and another
            shape is then another head.
    """
    by_name = {slot.name: slot for slot in slots}
    into_model = _prefix_change(by_name, checkpoint, weights)
    plan = Plan()
    keys: dict[str, str] = {}
    for key in checkpoint:
        name = _model_name(key, by_name, into_model)
        if name in keys:  # two spellings of one name in a file: the model's own wins, the other is left over
            plan.unexpected.append(keys[name] if key == name else key)
        if name not in keys or key == name:
            keys[name] = key
    for alias, name in tied_names(by_name, weights, config).items():
        if alias in keys and alias not in by_name:
            key = keys.pop(alias)
            if name in keys:
                plan.tied[key] = name
            elif checkpoint[key].layout != "torch":
                keys[alias] = key  # its axes are those of another kind of layer
            else:
                keys[name] = key
    has_base = _has_prefix(by_name, weights)
    for name, slot in by_name.items():
        if name not in keys:
            if is_computed(weights.initializers.get(relative(name, weights)), config):
                continue  # 4.x' Flax models do not write what they can compute
            is_fresh = is_of_another_class and lacks_part(relative(name, weights), keys, weights)
            (plan.new if is_fresh or is_head(name, weights, has_base) else plan.missing).append(name)
        elif canonical_shape(checkpoint[keys[name]], slot) == slot.shape:
            plan.filled[name] = keys[name]
        elif is_of_another_class and is_head(name, weights, has_base):
            plan.new.append(name)
            plan.dropped.append(keys[name])
        else:
            plan.mismatched.append((keys[name], canonical_shape(checkpoint[keys[name]], slot), slot.shape))
    for name, key in keys.items():
        if name not in by_name:
            _set_aside(plan, name, key, weights, by_name)
    return plan


def canonical_shape(tensor: Tensor, slot: Slot) -> tuple[int, ...]:
    """The shape of a tensor for a slot, in the canonical axis order; its own where it has other axes altogether."""
    layout = layout_of(slot.kind, slot.leaf, tensor.layout)
    fits = len(tensor.shape) == len(layout.shape_from_canonical(slot.shape))
    return layout.shape_to_canonical(tensor.shape) if fits else tensor.shape


def relative(name: str, weights: Weights) -> str:
    """A name without the base model's prefix."""
    return name.removeprefix(f"{weights.prefix}.") if weights.prefix else name


def tied_names(names: Iterable[str], weights: Weights, config: PretrainedConfig | None) -> dict[str, str]:
    """The second names of a model's tensors -> the names that they are written under, as far as the model has these."""
    names = set(names)
    prefix = f"{weights.prefix}." if _has_prefix(names, weights) else ""

    def full(name: str) -> str:
        return name if name.partition(".")[0] in weights.heads else prefix + name

    return {
        full(tie.alias): full(tie.to)
        for tie in weights.tied
        if full(tie.to) in names and (not tie.when or config is None or getattr(config, tie.when))
    }


def ignored_reason(name: str, weights: Weights) -> str:
    """Why no module holds a tensor of this name (without the prefix); empty if the architecture says nothing of it."""
    return next((reason for pattern, reason in weights.ignored.items() if fits(name, pattern)), "")


def fits(name: str, pattern: str) -> bool:
    """Whether a name is one that a card means, which says `*` for any one segment."""
    segments, words = name.split("."), pattern.split(".")
    return len(words) == len(segments) and all(map(fnmatchcase, segments, words))


def is_head(name: str, weights: Weights, has_base: bool) -> bool:
    """Whether a tensor belongs to a head, or to a module that some checkpoints do not have.

    Args:
        name: Its name.
        weights: What the architecture declares.
        has_base: Whether the model's other tensors are those of a base model, under its prefix.
    """
    inner = relative(name, weights)
    if f"{inner}.".startswith(tuple(f"{module}." for module in weights.optional)):
        return True
    if inner != name:
        return False
    if f"{inner}.".startswith(tuple(f"{head}." for head in weights.heads)):
        return True
    return has_base


def _has_prefix(names: Iterable[str], weights: Weights) -> bool:
    return bool(weights.prefix) and any(name.startswith(f"{weights.prefix}.") for name in names)


def _prefix_change(names: Iterable[str], keys: Iterable[str], weights: Weights) -> tuple[str, str]:
    """The prefix that file keys carry and that of the model, decided once from all names: (to take off, to put on)."""
    prefix = f"{weights.prefix}."
    in_model, in_file = _has_prefix(names, weights), _has_prefix(keys, weights)
    if in_model == in_file:
        return "", ""
    return (prefix, "") if in_file else ("", prefix)


def _model_name(key: str, slots: Mapping[str, Slot], change: tuple[str, str]) -> str:
    """What a file's key is called in the model."""
    take_off, put_on = change
    name = key.removeprefix(take_off) if take_off else key
    if put_on and key not in slots:
        name = put_on + key
    parent, _, leaf = name.rpartition(".")
    if name not in slots and leaf in LEGACY_LEAVES:
        return f"{parent}.{LEGACY_LEAVES[leaf]}"
    return name


def lacks_part(name: str, names: Iterable[str], weights: Weights) -> bool:
    """Whether a tensor belongs to a part of the backbone of which a model, or a checkpoint, has nothing.

    Args:
        name: Its name, without the base model's prefix.
        names: The names of all that the other has.
        weights: What the architecture declares.
    """
    part = next((f"{part}." for part in weights.parts if name.startswith(f"{part}.")), None)
    return part is not None and not any(relative(each, weights).startswith(part) for each in names)


def _set_aside(plan: Plan, name: str, key: str, weights: Weights, slots: Iterable[str]) -> None:
    """File a key that no slot wants under the reason why."""
    inner = relative(name, weights)
    if reason := ignored_reason(inner, weights):
        plan.ignored[key] = reason
    elif is_head(inner, weights, has_base=False) or lacks_part(inner, slots, weights):
        plan.dropped.append(key)
    else:
        plan.unexpected.append(key)


def _names(names: Sequence[str], count: int = 3) -> str:
    shown = ", ".join(names[:count])
    return shown if len(names) <= count else f"{shown} and {len(names) - count} more"
