"""The frameworks' own checkpoints: what their words mean in canonical ones, and canonical ones in theirs.

Transformers 4.x wrote three formats: PyTorch's, whose names and axes are the canonical ones, `flax_model.msgpack` and
`tf_model.h5`. The latter two say `kernel`, `scale` or `gamma` where the canonical name says `weight`, join words in
their own way, and hold arrays in their framework's axis order. A name can be translated as it is read. Axes cannot:
they depend on the kind of the layer, which only the model knows. So a tensor carries its `layout`, and where it meets
its slot (`mapping`, `planned_values`) the layout of slot and framework turns it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from triformers.cards import Weights
from triformers.conversion.formats.tensors import Checkpoint, Tensor
from triformers.conversion.layouts import KINDS, layout_of
from triformers.conversion.mapping import relative
from triformers.conversion.slots import Slot
from triformers.files.errors import FileError, three_beats

#: The frameworks whose own format is not the canonical one.
NATIVE = ("flax", "tensorflow")

#: The outermost dicts of a Flax model that has more than parameters.
COLLECTIONS = ("params/", "batch_stats/")

#: Framework -> its leaf name -> the canonical one. That no leaf has two is a test.
LEAVES: Mapping[str, Mapping[str, str]] = {
    backend: {
        layouts[backend].leaf: leaf for rows in KINDS.values() for leaf, layouts in rows.items() if backend in layouts
    }
    for backend in NATIVE
}


# ---- reading ---------------------------------------------------------------------------------------------


def canonical_checkpoint(checkpoint: Checkpoint, where: str, weights: Weights) -> dict[str, Tensor]:
    """A checkpoint under canonical names; the tensors stay as they are, their native names and axes included.

    Args:
        checkpoint: It under the names of its file.
        where: It, for messages.
        weights: What the architecture declares about its tensors' names.

    Raises:
        FileError: Two tensors would get one name.
    """
    found: dict[str, Tensor] = {}
    for key, tensor in checkpoint.items():
        name = canonical_name(key, tensor.layout, weights)
        if name in found:
            both = f"{where}: {key} and {found[name].name} are both called {name}"
            raise FileError(three_beats(both, "each tensor once", "Fetch or save the file again."))
        found[name] = _as_vector(tensor) if _is_row(name, tensor.layout, weights) else tensor
    return found


def _is_row(name: str, backend: str, weights: Weights) -> bool:
    """Whether a framework's own checkpoint holds a vector as a row."""
    return backend == "tensorflow" and relative(name, weights) in weights.native_rows


def _as_vector(tensor: Tensor) -> Tensor:
    return replace(tensor, shape=tensor.shape[1:], read=lambda: tensor.read()[0])


def _as_row(tensor: Tensor) -> Tensor:
    return replace(tensor, shape=(1, *tensor.shape), read=lambda: tensor.read()[None])


def canonical_name(key: str, backend: str, weights: Weights) -> str:
    """What a tensor of a framework's own checkpoint is called in a canonical one, the base model's prefix as it is.

    Args:
        key: Its name there: `bert/encoder/layer/0/output/dense/kernel` in Flax,
            `bert/encoder/layer_._0/output/dense/kernel:0` in TensorFlow.
        backend: Whose checkpoint it is; PyTorch's names are canonical.
        weights: What the architecture declares about its tensors' names.
    """
    if backend not in NATIVE:
        return key
    if backend == "flax":
        key = key if "/" in key else key.replace(".", "/")  # as 4.x joins the words in safetensors
        key = next((key.removeprefix(outer) for outer in COLLECTIONS if key.startswith(outer)), key)
    else:
        key = key.removesuffix(":0")
    prefix = f"{weights.prefix}/" if weights.prefix and key.startswith(f"{weights.prefix}/") else ""
    declared = {own: name for name, own in weights.native_names.get(backend, {}).items()}
    known, rest = split_known(key.removeprefix(prefix), declared, "/")
    words = [*prefix.split("/"), *declared.get(known, "").split("."), *_canonical_words(rest, backend)]
    return ".".join(word for word in words if word)


def _canonical_words(key: str, backend: str) -> Iterator[str]:
    *modules, leaf = key.split("/")
    for module in modules:
        # TensorFlow: `mlm___cls` is the attribute `cls` of several classes, `layer_._0` the first of `layer`.
        yield module.rpartition("___")[2].replace("_._", ".") if backend == "tensorflow" else module
    yield LEAVES[backend].get(leaf, leaf)


def split_known(name: str, known: Iterable[str], separator: str) -> tuple[str, str]:
    """The longest known name that a name begins with, whole words alone, and the rest; empty if none does."""
    fitting = [start for start in known if f"{name}{separator}".startswith(f"{start}{separator}")]
    start = max(fitting, key=len, default="")
    return start, name.removeprefix(start).removeprefix(separator)


# ---- writing ---------------------------------------------------------------------------------------------


def native_tensors(
    tensors: Mapping[str, Tensor], slots: Iterable[Slot], backend: str, weights: Weights
) -> dict[str, Tensor]:
    """A model's tensors in a framework's own words and axes, turned when they are read.

    Args:
        tensors: The model's tensors by canonical name, in canonical axes.
        slots: Its slots, which know the kinds of its layers; they may be those of another framework.
        backend: The framework.
        weights: What the architecture declares about its tensors' names.
    """
    slots = list(slots)
    is_bare = not any(relative(slot.name, weights) != slot.name for slot in slots)
    found = {}
    for slot in slots:
        tensor, layout = tensors[slot.name], layout_of(slot.kind, slot.leaf, backend)
        shape = layout.shape_from_canonical(tensor.shape)

        def read(tensor: Tensor = tensor, turn: Callable[[Any], np.ndarray] = layout.from_canonical) -> np.ndarray:
            return turn(tensor.read())

        for each in (slot, *_second_names(slot, backend, weights)):
            name = native_name(each, backend, weights, is_bare)
            native = replace(tensor, name=name, shape=shape, read=read, layout=backend)
            found[name] = _as_row(native) if _is_row(each.name, backend, weights) else native
    return found


def _second_names(slot: Slot, backend: str, weights: Weights) -> Iterator[Slot]:
    """The slot under those of its tensor's second names that the framework's files have too."""
    declared = weights.native_names.get(backend, {})
    for tie in weights.tied:
        if tie.to == slot.name and tie.alias in declared:
            yield replace(slot, name=tie.alias)


def native_name(slot: Slot, backend: str, weights: Weights, is_bare: bool = False) -> str:
    """What a framework's own checkpoint calls the tensor of a slot; `canonical_name` leads back.

    Args:
        slot: The slot, of a model in any framework.
        backend: The framework whose checkpoint it is.
        weights: What the architecture declares about its tensors' names.
        is_bare: Whether the model is the base model itself. TensorFlow's bare models hold all they have in one layer
            that is called like the prefix, as models with a head do, if the card does not deny it; Flax's have no such
            word.
    """
    inner = relative(slot.name, weights)
    has_prefix = inner != slot.name or (is_bare and backend == "tensorflow" and weights.native_bare)
    prefix, declared = weights.prefix if has_prefix else "", weights.native_names.get(backend, {})
    known, rest = split_known(f"{prefix}.{inner}", declared, ".")
    if known:  # the declared name is the whole one
        prefix = ""
    else:
        known, rest = split_known(inner, declared, ".")
    words = [prefix, declared.get(known, ""), *_native_words(rest, slot, backend, weights)]
    return "/".join(word for word in words if word) + (":0" if backend == "tensorflow" else "")


def _native_words(name: str, slot: Slot, backend: str, weights: Weights) -> list[str]:
    if not name:
        return []

    def numbered(match: re.Match[str]) -> str:
        is_plain = match.string[: match.start()].rpartition("/")[2] in weights.native_plain
        return match[0] if is_plain else f"{weights.native_index}{match[1]}"

    modules = name.removesuffix(slot.leaf).split(".")[:-1]
    words = [*modules, layout_of(slot.kind, slot.leaf, backend).leaf]
    return re.sub(r"/([0-9]+)(?=/)", numbered, "/".join(words)).split("/") if backend == "tensorflow" else words


def snake_case(name: str) -> str:
    """What Keras calls a layer of this class that was given no name: `TFBertLMHeadModel` -> `tf_bert_lm_head_model`."""
    apart = re.sub(r"(?<=.)(?=[A-Z][a-z])|(?<=[a-z])(?=[A-Z])", "_", name)
    return re.sub("_+", "_", apart).lower()
