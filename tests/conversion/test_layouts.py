"""Every layout is a bijection, and the table of kinds knows each framework's names."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays_of

from triformers.cards import BACKENDS
from triformers.conversion.layouts import KINDS, NEW, OUTPUT_AXES, RAW, Layout, canonical_leaf
from triformers.conversion.slots import make_slot


def rows() -> Iterator[tuple[str, str, str, Layout]]:
    """Every row of the table: (kind, canonical leaf, framework, layout)."""
    for kind, leaves in KINDS.items():
        for leaf, layouts in leaves.items():
            for backend, layout in layouts.items():
                yield kind, leaf, backend, layout


ROWS = list(rows())
IDS = ["-".join(row[:3]) for row in ROWS]


@st.composite
def layouts(draw: st.DrawFn) -> Layout:
    """Any layout: a permutation of any number of axes, some of them the framework's own; or none."""
    rank = draw(st.integers(0, 5))
    own = draw(st.sampled_from([(), (), (NEW,), (NEW, NEW)]))
    return Layout("leaf", draw(st.none() | st.permutations([*range(rank), *own]).map(tuple)))


@st.composite
def layouts_with_arrays(draw: st.DrawFn) -> tuple[Layout, np.ndarray]:
    """A layout and a canonical array that it fits; NaN payloads and negative zeros included."""
    layout = draw(layouts())
    rank = draw(st.integers(0, 5)) if layout.axes is None else len(layout.order)
    shape = tuple(draw(st.lists(st.integers(0, 4), min_size=rank, max_size=rank)))
    bits = draw(arrays_of.arrays(np.uint32, shape))
    return layout, bits.view(np.float32)


@given(layouts_with_arrays())
def test_a_layout_and_its_inverse_give_the_array_bitwise(pair: tuple[Layout, np.ndarray]) -> None:
    layout, canonical = pair
    held = layout.from_canonical(canonical)
    assert held.base is not None or held is canonical  # a view: moving a tensor copies nothing
    back = layout.to_canonical(held)
    assert back.shape == canonical.shape and back.dtype == canonical.dtype
    assert back.tobytes() == canonical.tobytes()


@given(layouts_with_arrays())
def test_shapes_are_those_of_the_arrays(pair: tuple[Layout, np.ndarray]) -> None:
    layout, canonical = pair
    held = layout.from_canonical(canonical)
    assert layout.shape_from_canonical(canonical.shape) == held.shape
    assert layout.shape_to_canonical(held.shape) == canonical.shape


@given(layouts_with_arrays())
def test_every_number_goes_where_the_axes_say(pair: tuple[Layout, np.ndarray]) -> None:
    layout, canonical = pair
    held = layout.from_canonical(canonical)
    axes = tuple(range(canonical.ndim)) if layout.axes is None else layout.axes
    for index in np.ndindex(held.shape):
        source = [0] * canonical.ndim
        for position, axis in enumerate(axes):
            if axis is not NEW:
                source[axis] = index[position]
        assert held[index].tobytes() == canonical[tuple(source)].tobytes()


@pytest.mark.parametrize(("kind", "leaf", "backend", "layout"), ROWS, ids=IDS)
def test_the_axes_of_every_row_are_a_permutation(kind: str, leaf: str, backend: str, layout: Layout) -> None:
    assert sorted(layout.order) == list(range(len(layout.order)))
    assert backend in BACKENDS


@pytest.mark.parametrize(("kind", "leaf", "backend", "layout"), ROWS, ids=IDS)
def test_every_row_is_found_by_the_name_of_the_framework(kind: str, leaf: str, backend: str, layout: Layout) -> None:
    assert canonical_leaf(kind, layout.leaf, backend) == (leaf, layout)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("backend", BACKENDS)
def test_no_two_parameters_of_a_layer_share_a_name(kind: str, backend: str) -> None:
    names = [leaves.get(backend, Layout(leaf)).leaf for leaf, leaves in KINDS[kind].items()]
    assert len(set(names)) == len(names)


@pytest.mark.parametrize("kind", KINDS)
def test_the_names_of_pytorch_are_the_canonical_ones(kind: str) -> None:
    for leaf in KINDS[kind]:
        assert canonical_leaf(kind, leaf, "torch") == (leaf, Layout(leaf))


@pytest.mark.parametrize("backend", BACKENDS)
def test_what_no_row_describes_stays_as_it_is(backend: str) -> None:
    assert canonical_leaf(RAW, "kernel", backend) == ("kernel", Layout("kernel"))
    assert canonical_leaf("linear", "alpha", backend) == ("alpha", Layout("alpha"))


def test_a_dense_kernel_is_a_transposed_weight() -> None:
    weight = np.arange(6.0).reshape(2, 3)
    for backend in ("tensorflow", "flax"):
        name, layout = canonical_leaf("linear", "kernel", backend)
        assert name == "weight"
        assert layout.from_canonical(weight).tolist() == [[0, 3], [1, 4], [2, 5]]


def test_the_linear_layer_of_gpt2_is_turned_in_flax_alone() -> None:
    weight, bias = np.arange(6.0).reshape(2, 3), np.arange(3.0)  # [in, out]
    found = {
        backend: [canonical_leaf("linear_in_out", leaf, backend)[1] for leaf in (name, "bias")]
        for backend, name in (("torch", "weight"), ("tensorflow", "weight"), ("flax", "kernel"))
    }
    held = {
        backend: [layout.from_canonical(array) for layout, array in zip(layouts, (weight, bias), strict=True)]
        for backend, layouts in found.items()
    }
    assert held["torch"][0] is weight and held["tensorflow"][0] is weight
    assert held["flax"][0].tolist() == weight.T.tolist() and held["flax"][1] is bias
    assert held["tensorflow"][1].tolist() == [bias.tolist()]


def test_what_a_linear_layer_gives_lies_along_one_axis_of_its_weight() -> None:
    assert OUTPUT_AXES.keys() == {kind for kind in KINDS if kind.startswith("linear")}
    for kind, axis in OUTPUT_AXES.items():
        shape = tuple(7 if place == axis else 5 for place in (0, 1))
        assert KINDS[kind]["weight"]["flax"].shape_from_canonical(shape) == ((5, 7) if kind == "linear" else (7, 5))


def test_a_slot_has_the_canonical_name_and_shape_of_what_the_framework_holds() -> None:
    flax = make_slot(("bert", "encoder", "layer", "0", "output", "kernel"), (7, 5), "linear", "flax")
    keras = make_slot(("encoder", "layer.0", "output", "kernel"), (7, 5), "linear", "tensorflow", root="bert")
    assert flax.name == keras.name == "bert.encoder.layer.0.output.weight"
    assert flax.shape == keras.shape == (5, 7)
    assert flax.leaf == "weight" and flax.size == 35
    assert flax.layout.shape_from_canonical(flax.shape) == (7, 5)
