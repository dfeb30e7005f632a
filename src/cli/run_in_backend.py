"""Run a model in a framework, in a process of its own.

Three frameworks in one process would compete for threads, and JAX counts in 64 bits only if that is switched
on before its first use. So `outputs_of` starts `python -m triformers.cli.run_in_backend FOLDER` for each; the
two sides exchange files in that folder: `request.json` and `inputs.npz` in, `outputs.npz` and `notes.json` or
`error.json` back.
"""

from __future__ import annotations

import json
import logging
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ..cards import require_backend
from ..files import errors
from ..files.errors import TriformersError, three_beats
from ..outputs import dotted
from .choose import model_class

REQUEST, INPUTS, OUTPUTS, NOTES, ERROR = (
    "request.json",
    "inputs.npz",
    "outputs.npz",
    "notes.json",
    "error.json",
)

#: What `error.json` tells of: an error of this library, passed on; any other end has a traceback.
REFUSED = 2


@dataclass(frozen=True)
class Run:
    """What a model answered in one framework.

    Attributes:
        outputs: Data type -> output name -> array; those inside lists have dotted names (`hidden_states.0`).
        notes: What the library warned of, such as a head that was newly initialised.
    """

    outputs: Mapping[str, Mapping[str, np.ndarray]]
    notes: tuple[str, ...] = ()


def _write(path: Path, arrays: Mapping[str, np.ndarray]) -> None:
    """Write arrays by name; marked, so that none is taken for an argument of NumPy's own."""
    marked: dict[str, Any] = {f"={name}": array for name, array in arrays.items()}
    np.savez(path, **marked)


def _read(path: Path) -> dict[str, np.ndarray]:
    """What `_write` wrote."""
    with np.load(path) as arrays:
        return {name.removeprefix("="): arrays[name] for name in arrays.files}


# ---- the side that asks ----------------------------------------------------------------------------------


def outputs_of(
    backend: str,
    stem: str,
    checkpoint: str | os.PathLike[str],
    inputs: Mapping[str, np.ndarray],
    dtypes: Sequence[str] = ("float64",),
    revision: str | None = None,
) -> Run:
    """Load a checkpoint in a framework and call the model, in a process of its own, on the CPU.

    Args:
        backend: `torch`, `tensorflow` or `flax`.
        stem: The class's name without the framework's prefix (`BertModel`).
        checkpoint: A directory, or a name on the Hub.
        inputs: The call's arguments; floating ones are given in the working type.
        dtypes: The types to load and compute in, one after the other.
        revision: The Hub commit to load.

    Raises:
        MissingDependencyError: The framework is not installed.
        TriformersError: What the framework's process refused; or that it died.
    """
    require_backend(backend, wanted_by=f"{stem} in {backend}")
    request = {
        "backend": backend,
        "stem": stem,
        "checkpoint": os.fspath(checkpoint),
        "dtypes": list(dtypes),
        "revision": revision,
    }
    with tempfile.TemporaryDirectory(prefix="triformers-") as name:
        folder = Path(name)
        (folder / REQUEST).write_text(json.dumps(request))
        _write(folder / INPUTS, inputs)
        # -P: the folder that the user is in must not shadow a module.
        done = subprocess.run(
            [sys.executable, "-P", "-m", __name__, name],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
            errors="replace",
            env={"TF_CPP_MIN_LOG_LEVEL": "3", **os.environ},
        )
        if done.returncode:
            raise _failure(folder, done.returncode, done.stderr, f"{stem} in {backend}")
        found = _read(folder / OUTPUTS)
        notes = tuple(json.loads((folder / NOTES).read_text()))
    outputs: dict[str, dict[str, np.ndarray]] = {dtype: {} for dtype in dtypes}
    for key, array in found.items():
        dtype, _, name = key.partition("|")
        outputs[dtype][name] = array
    return Run(outputs, notes)


def _failure(folder: Path, status: int, log: str, what: str) -> TriformersError:
    """The error that the other side left, or the news that it died."""
    if status == REFUSED and (folder / ERROR).exists():
        left = json.loads((folder / ERROR).read_text())
        return getattr(errors, left["type"], TriformersError)(left["message"])
    lines = [line for line in log.splitlines() if line.strip()]
    last = lines[-1].strip() if lines else "no word"
    remedy = "Load the model in that framework by itself to see the whole error."
    return TriformersError(
        three_beats(f"the process that ran {what} ended with status {status} ({last})", "outputs", remedy)
    )


# ---- the side that answers -------------------------------------------------------------------------------


def run_model(
    backend: str,
    stem: str,
    checkpoint: str,
    inputs: Mapping[str, np.ndarray],
    dtype: str,
    revision: str | None = None,
) -> dict[str, np.ndarray]:
    """Load a checkpoint and call the model, in this process; the arguments are as in `outputs_of`.

    Returns:
        Every output by dotted name, caches excepted: their form is each framework's own.
    """
    hub = {} if revision is None else {"revision": revision}
    model = model_class(stem, backend).from_pretrained(checkpoint, dtype=dtype, **hub)
    typed = {name: array.astype(dtype) if array.dtype.kind == "f" else array for name, array in inputs.items()}
    output = CALLS[backend](model, typed)
    return {name: np.asarray(value) for name, value in dotted(output) if not name.startswith("past_key_values")}


def _call_torch(model: Any, inputs: Mapping[str, np.ndarray]) -> Any:
    import torch

    with torch.no_grad():
        return model(**{name: torch.from_numpy(array) for name, array in inputs.items()}, output_hidden_states=True)


def _call_tensorflow(model: Any, inputs: Mapping[str, np.ndarray]) -> Any:
    import tensorflow as tf

    return model(**{name: tf.constant(array) for name, array in inputs.items()}, output_hidden_states=True)


def _call_flax(model: Any, inputs: Mapping[str, np.ndarray]) -> Any:
    return model(**inputs, output_hidden_states=True)


#: How each framework's models are called on NumPy arrays.
CALLS: Mapping[str, Callable[[Any, Mapping[str, np.ndarray]], Any]] = {
    "torch": _call_torch,
    "tensorflow": _call_tensorflow,
    "flax": _call_flax,
}


def prepare(backend: str) -> None:
    """Make a fresh process compute on the CPU, in every type that it is asked for."""
    if backend == "tensorflow":
        import tensorflow as tf

        tf.config.set_visible_devices([], "GPU")
    elif backend == "flax":
        import jax

        jax.config.update("jax_platforms", "cpu")
        jax.config.update("jax_enable_x64", True)


class Notes(logging.Handler):
    """Keeps what the library warns of."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.lines.append(record.getMessage())


def main(folder: Path) -> int:
    """Answer the request in a folder."""
    request = json.loads((folder / REQUEST).read_text())
    inputs = _read(folder / INPUTS)
    notes = Notes()
    logging.getLogger("triformers").addHandler(notes)
    dtypes = request.pop("dtypes")
    try:
        prepare(request["backend"])
        found = {
            f"{dtype}|{name}": array
            for dtype in dtypes
            for name, array in run_model(**request, inputs=inputs, dtype=dtype).items()
        }
    except TriformersError as error:
        (folder / ERROR).write_text(json.dumps({"type": type(error).__name__, "message": str(error)}))
        return REFUSED
    _write(folder / OUTPUTS, found)
    (folder / NOTES).write_text(json.dumps(list(dict.fromkeys(notes.lines))))
    return 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
