"""HDF5 files that are wrong, each by what is wrong with it: made by h5py, with what Keras never uses, or by hand."""

from __future__ import annotations

import io
from collections.abc import Callable, Mapping
from functools import cache
from typing import Any

from tests.hostile.hdf5_structures import BROKEN


def made(fill: Callable[[Any], Any], **options: Any) -> bytes:
    """A file that h5py makes, with whatever is put into it."""
    import h5py

    file = io.BytesIO()
    with h5py.File(file, "w", **options) as root:
        fill(root)
    return file.getvalue()


def _link(target: str, *other: str) -> Callable[[Any], Any]:
    import h5py

    return lambda file: file.update({"x": h5py.ExternalLink(*other, target) if other else h5py.SoftLink(target)})


def _virtual(file: Any) -> None:
    """An array put together from another file's."""
    import h5py

    layout = h5py.VirtualLayout((2,), "f8")
    layout[:] = h5py.VirtualSource("/etc/passwd", "x", (2,))
    file.create_virtual_dataset("l/x", layout)


def _compact(file: Any) -> None:
    """An array kept in its own header."""
    import h5py

    plan = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
    plan.set_layout(h5py.h5d.COMPACT)
    h5py.h5d.create(file.id, b"x", h5py.h5t.NATIVE_DOUBLE, h5py.h5s.create_simple((2,)), plan)


def _arrays_of_arrays(file: Any) -> None:
    """An array whose elements are arrays."""
    import h5py

    kind = h5py.h5t.array_create(h5py.h5t.NATIVE_DOUBLE, (3,))
    h5py.h5d.create(file.id, b"x", kind, h5py.h5s.create_simple((2,)))


def _cycle(file: Any) -> None:
    """A group within itself."""
    group = file.create_group("l")
    group["l"] = group


def _tree_of_cycles(file: Any) -> None:
    """A group within itself under two names: as many ways as there are atoms."""
    group = file.create_group("l")
    group["a"], group["b"] = group, group


def _two_of_a_name(file: Any) -> None:
    """Two layers that list different weights under one name."""
    for layer, size in (("a", 2), ("b", 3)):
        file.create_dataset(f"{layer}/model/x:0", (size,), data=[0.0] * size)
        file[layer].attrs["weight_names"] = [b"model/x:0"]


def _one_array_often(file: Any) -> None:
    """An array in so many places that together they are more than the file."""
    file.create_dataset("l/x", data=[0.0] * 1000)
    for index in range(100):
        file[f"l/y{index}"] = file["l/x"]


def _listing(lists: Mapping[str, Any]) -> Callable[[Any], Any]:
    """A layer with one weight, and lists at the root and in the layer."""

    def fill(file: Any) -> None:
        file.create_dataset("l/model/x:0", data=[1.0])
        for name, value in lists.items():
            (file if name.startswith("layer") else file["l"]).attrs[name] = value

    return fill


def _many_links(file: Any) -> None:
    """A newer group with an index, one of whose many links leads to another file."""
    import h5py

    for index in range(60):
        file.create_dataset(f"l/x{index}", data=[1.0])
    file["l/x60"] = h5py.ExternalLink("/etc/passwd", "/x")


@cache
def strange() -> dict[str, bytes]:
    """Sound files with what Keras never writes."""
    import h5py
    import numpy as np

    plain: Mapping[str, Callable[[Any], Any]] = {
        "a soft link": _link("/y"),
        "a soft link to itself": _link("/x"),
        "a link to a group": lambda file: (file.create_group("l/m"), file.update({"n": h5py.SoftLink("/l")})),
        "a link to another file": _link("/x", "other.h5"),
        "a link to a file far away": _link("/", "/etc/passwd"),
        "a link to a file above": _link("/", "../../other.h5"),
        "numbers in another file": lambda file: file.create_dataset("x", (2,), "f8", external=[("/etc/passwd", 0, 16)]),
        "numbers of another array": _virtual,
        "numbers in the header": _compact,
        "chunks": lambda file: file.create_dataset("l/x", data=np.zeros(9), chunks=(3,)),
        "compression": lambda file: file.create_dataset("l/x", data=np.zeros(10**5), compression="gzip"),
        "a bomb": lambda file: file.create_dataset("l/x", (10**12,), "u1", compression="gzip"),
        "room to grow": lambda file: file.create_dataset("l/x", (2,), "f4", maxshape=(None,)),
        "numbers that were never written": lambda file: file.create_dataset("l/x", (2**40,), "f4"),
        "an impossible shape": lambda file: file.create_dataset("l/x", (0, 2**40, 2**40), "f4"),
        "no shape": lambda file: file.create_dataset("l/x", data=h5py.Empty("f4")),
        "text": lambda file: file.create_dataset("l/x", data="text"),
        "texts": lambda file: file.create_dataset("l/x", data=["text"]),
        "bytes": lambda file: file.create_dataset("l/x", data=np.void(b"bytes")),
        "fields": lambda file: file.create_dataset("l/x", data=np.zeros(2, "f4,f4")),
        "references": lambda file: file.create_dataset("l/x", data=file.ref, dtype=h5py.ref_dtype),
        "times": lambda file: file.create_dataset("x", data=np.zeros(2, "M8[s]").astype(h5py.opaque_dtype("M8[s]"))),
        "enumerations": lambda file: file.create_dataset("x", (2,), h5py.enum_dtype({"A": 0, "B": 1}), data=[0, 1]),
        "arrays of arrays": _arrays_of_arrays,
        "a type with a name": lambda file: file.update({"x": np.dtype("f4")}),
        "an array of a type with a name": lambda file: (
            file.update({"t": np.dtype("f4")}), file["t"], file.create_dataset("l/x", (2,), file["t"])
        ),
        "a group within itself": _cycle,
        "a group within itself twice": _tree_of_cycles,
        "two weights of one name": _two_of_a_name,
        "one array often": _one_array_often,
        "groups without end": lambda file: file.create_group("/".join("x" * 200)),
        "a long way": lambda file: file.create_dataset("/".join(["x" * 100] * 20), data=[1.0]),
        "a layer that is not there": _listing({"layer_names": [b"l", b"m"]}),
        "a weight that is not there": _listing({"weight_names": [b"model/x:0", b"model/y:0"]}),
        "a weight of another layer": _listing({"weight_names": [b"../m/x:0"]}),
        "a weight that is not there, in Python's strings": _listing({"weight_names": ["model/x:0", "model/y:0"]}),
        "a weight that is not there, in the second list": _listing(
            {"weight_names0": [b"model/x:0"], "weight_names1": [b"model/y:0"]}
        ),
        "names that are numbers": _listing({"layer_names": [1, 2]}),
        "names that are objects": _listing({"weight_names": np.zeros(2, "f4,f4")}),
    }  # fmt: skip
    newest: Mapping[str, Callable[[Any], Any]] = {
        "a link among many": _many_links,
        "a layer's many attributes": lambda file: [
            file.require_group("l").attrs.create(f"a{index}", index) for index in range(20)
        ],
    }
    files = {name: made(fill) for name, fill in plain.items()}
    latest = {f"{name}, in the newest form": made(fill, libver="latest") for name, fill in newest.items()}
    return {**files, **latest, "a block before it": made(_compact, userblock_size=512)}


@cache
def hostile() -> dict[str, bytes]:
    """Every file, by what is wrong with it."""
    return {**strange(), **{name: build() for name, build in BROKEN.items()}}
