"""Files changed at random, for as long as one likes: `make fuzz SECONDS=300`, or `python -m tests.hostile.fuzz`.

Hypothesis changes sound files (bits, bytes, numbers of every width, parts cut out, repeated, taken from other files)
and makes what fails as small as it can. A reader may give sound tensors or refuse; anything else ends the run, and the
file is left in `build/fuzz`, to become a part of the corpus.
"""

from __future__ import annotations

import argparse
import hashlib
import io
import random
import signal
import sys
import time
import zipfile
from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, given, seed, settings
from hypothesis import strategies as st

from tests.hostile import archives, hdf5_files, hdf5_structures, msgpack_files, pickled_files
from tests.hostile.corpus import Case, as_json, sound, whole
from tests.hostile.doors import doors
from tests.hostile.index_files import FIRST, INDEX, SHARDS, WHOLE, named
from triformers.conversion.formats import reader_of
from triformers.files.errors import TriformersError
from triformers.files.inventory import seal
from triformers.files.layout import MANIFEST_NAME

LEFT = Path("build", "fuzz")
#: How many seconds of a processor one file may take.
SECONDS = 5.0
#: How many files are tried between two looks at the clock.
ROUND = 200
#: Numbers at which sizes and places go wrong.
EDGES = (0, 1, 2, 0x7F, 0x80, 0xFF, 0x7FFF, 0xFFFF, 2**31 - 1, 2**31, 2**32 - 1, 2**62, 2**63 - 1, 2**63, 2**64 - 1)


@cache
def seeds() -> Mapping[str, list[bytes]]:
    """Sound files by what reads them: a format, or a file of a checkpoint."""
    forms = ("earliest", "v108", "latest")
    return {
        "safetensors": [whole("safetensors"), SHARDS[FIRST]],
        "bin": [whole("bin"), pickled_files.ZIP, pickled_files.ROW, archives.WIDE],
        "pickle": [pickled_files.GOOD, zipped_pickle(whole("bin"))],
        "msgpack": [whole("msgpack"), msgpack_files.SOUND, msgpack_files.chunked()],
        "h5": [*hdf5_structures.sound().values(), whole("h5"), *(_tree(form) for form in forms)],
        "config.json": [sound()["config.json"], as_json({**_values(), "id2label": {"0": "a"}, "pruned_heads": {}})],
        "tokenizer_config.json": [sound()["tokenizer_config.json"]],
        "tokenizer.json": [sound()["tokenizer.json"]],
        "vocab.txt": [sound()["vocab.txt"]],
        INDEX: [named(FIRST)],
        MANIFEST_NAME: [seal({"files": {"config.json": {"size": 205, "sha256": "0" * 64}}})],
    }


def _values() -> dict[str, Any]:
    import json

    return json.loads(sound()["config.json"])


def zipped_pickle(data: bytes) -> bytes:
    """The pickle in an archive; changed alone, it gets another checksum, and is read further."""
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        return archive.read("archive/data.pkl")


def _tree(form: str) -> bytes:
    def fill(file: Any) -> None:
        for index in range(12):
            file.create_dataset(f"l/model/l/x{index}:0", data=[1.0, 2.0])
        file["l"].attrs["weight_names"] = [f"model/l/x{index}:0".encode() for index in range(12)]

    return hdf5_files.made(fill, libver=form)


# ---- changes ---------------------------------------------------------------------------------------------


@st.composite
def changed(draw: st.DrawFn, data: bytes, others: list[bytes]) -> bytes:
    """A file in which one to six things are changed."""
    found = bytearray(data)
    for _ in range(draw(st.integers(1, 6))):
        at = draw(st.integers(0, len(found)))
        kind = draw(st.sampled_from(["bit", "byte", "number", "number", "cut", "repeat", "splice", "end"]))
        if kind == "bit" and at < len(found):
            found[at] ^= 1 << draw(st.integers(0, 7))
        elif kind == "byte":
            found[at : at + 1] = draw(st.binary(max_size=4))
        elif kind == "number":
            width = draw(st.sampled_from([1, 2, 4, 8]))
            number = draw(st.sampled_from(EDGES) | st.integers(0, 2 * len(found))) % 256**width
            found[at : at + width] = number.to_bytes(width, draw(st.sampled_from(["little", "big"])))
        elif kind == "cut":
            del found[at : at + draw(st.integers(1, 64))]
        elif kind == "repeat":
            piece = bytes(found[at : at + draw(st.integers(1, 64))])
            found[at:at] = piece * draw(st.integers(1, 40))
        elif kind == "splice":
            other = draw(st.sampled_from(others))
            start = draw(st.integers(0, len(other)))
            found[at : at + draw(st.integers(0, 64))] = other[start : start + draw(st.integers(1, 256))]
        else:
            del found[at:]
    return bytes(found)


# ---- reading ---------------------------------------------------------------------------------------------


def reader(name: str, folder: Path) -> Callable[[bytes], Any]:
    """What reads a file: a format's reader alone, or the doors of a whole checkpoint."""
    if name in ("safetensors", "bin", "pickle", "msgpack", "h5"):
        path, form = folder / name, "bin" if name == "pickle" else name

        def read(data: bytes) -> None:
            path.unlink(missing_ok=True)  # never truncate a file that is mapped
            path.write_bytes(pickled_files.archive(data) if name == "pickle" else data)
            for tensor in reader_of(form)(path).values():
                array = tensor.read()
                assert (array.shape, array.dtype) == (tensor.shape, tensor.dtype), tensor.name

        return read
    without = WHOLE if name == INDEX else frozenset({"vocab.txt"}) if name == "tokenizer.json" else frozenset()
    without |= {"tokenizer.json"} if name == "vocab.txt" else set()
    Case("", SHARDS if name == INDEX else {}, ()).write(folder / "checkpoint")
    for each in without - {name}:
        (folder / "checkpoint" / each).unlink()
    opened = doors(None, folder)

    def through(data: bytes) -> None:
        path = folder / "checkpoint" / name
        path.unlink(missing_ok=True)
        path.write_bytes(data)
        for each in opened.values():
            _tried(each, folder / "checkpoint")

    return through


def _tried(door: Callable[[Path], Any], folder: Path) -> None:
    try:
        door(folder)
    except TriformersError as error:
        assert isinstance(error, (ValueError, OSError)), type(error)


def check(read: Callable[[bytes], Any], data: bytes) -> None:
    """Read a file; anything but tensors or a refusal, in good time, is an error."""
    signal.setitimer(signal.ITIMER_PROF, SECONDS)
    try:
        read(data)
    except TriformersError as error:
        assert isinstance(error, (ValueError, OSError)), type(error)
        assert len(str(error)) < 1500, str(error)[:300]
    except BaseException:
        LEFT.mkdir(parents=True, exist_ok=True)
        (LEFT / hashlib.sha256(data).hexdigest()[:16]).write_bytes(data)
        raise
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)


def too_long(*_: object) -> None:
    """End a reader that has had its time."""
    raise TimeoutError(f"more than {SECONDS} seconds")


def fuzz(name: str, folder: Path, seconds: float, first: int) -> int:
    """Try changed files of one kind for some seconds; how many there were.

    Raises:
        BaseException: What a reader raised; the file is left behind.
    """
    files, tried = seeds()[name], 0
    others = [data for each in seeds().values() for data in each]
    read, end = reader(name, folder), time.monotonic() + seconds
    signal.signal(signal.SIGPROF, too_long)
    while time.monotonic() < end:
        quiet = settings(
            max_examples=ROUND, deadline=None, database=None, suppress_health_check=list(HealthCheck), print_blob=False
        )

        @seed(first + tried)
        @quiet
        @given(st.sampled_from(files).flatmap(lambda data: changed(data, others)))
        def attempt(data: bytes) -> None:
            check(read, data)

        attempt()
        tried += ROUND
    return tried


def main() -> int:
    """Run all of them, one after another."""
    import tempfile

    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0] if __doc__ else None)
    parser.add_argument("--seconds", type=float, default=60.0, help="how long, for all together")
    parser.add_argument("--only", choices=sorted(seeds()), action="append", help="what to change (default: everything)")
    parser.add_argument("--seed", type=int, default=None, help="where to begin (default: anywhere)")
    options = parser.parse_args()
    first = random.randrange(2**32) if options.seed is None else options.seed
    names = options.only or list(seeds())
    print(f"seed {first}")
    for name in names:
        with tempfile.TemporaryDirectory() as folder:
            tried = fuzz(name, Path(folder), options.seconds / len(names), first)
        print(f"{name}: {tried} files, each read or refused", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
