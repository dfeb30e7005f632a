"""Reads what `write` wrote with transformers 4.53.3, in its environment; needs nothing of this library.

python tests/incumbent/read.py DIR    one line per framework and format, status 1 if an output differs
"""

from __future__ import annotations

import collections
import json
import os
import re
import sys
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

os.environ.update(TF_CPP_MIN_LOG_LEVEL="3", TF_USE_LEGACY_KERAS="1", CUDA_VISIBLE_DEVICES="-1")
warnings.filterwarnings("ignore")

import numpy as np  # noqa: E402
import transformers  # noqa: E402

transformers.logging.set_verbosity_error()

#: Framework -> the prefix of its classes, and the formats that it reads, with the arguments that ask for them.
READERS: dict[str, tuple[str, dict[str, dict[str, Any]]]] = {
    "PyTorch": ("", {"safetensors": {}, "bin": {"use_safetensors": False}}),
    "TensorFlow": ("TF", {"safetensors": {}, "h5": {"use_safetensors": False}}),
    "Flax": ("Flax", {"safetensors": {}, "msgpack": {}}),
}
#: What 4.53.3 itself says that it cannot read.
UNREADABLE = {("Flax", "safetensors", "sharded")}
#: Classes whose canonical files, its own too, it reads without a tensor: Keras' ALBERT has the bias of its head twice.
INCOMPLETE = {("TensorFlow", "safetensors"): ("AlbertForMaskedLM", "AlbertForPreTraining")}
#: Relative: float32 in another order.
BAND = 2e-5


def run(folder: Path) -> int:
    """Read everything and print the table."""
    found: dict[tuple[str, str], list[float]] = collections.defaultdict(list)
    for case in sorted(folder.iterdir()):
        stem = json.loads((case / "case.json").read_text())["class"]
        inputs, outputs = (dict(np.load(case / f"{name}.npz")) for name in ("inputs", "outputs"))
        for framework, (prefix, formats) in READERS.items():
            model_class = getattr(transformers, prefix + stem, None) or getattr(
                transformers, (prefix + stem).replace("LMHeadModel", "ForCausalLM"), None
            )
            for form, arguments in formats.items():
                is_read = model_class is not None and stem not in INCOMPLETE.get((framework, form), ())
                for size in ("whole", "sharded"):
                    if is_read and (framework, form, size) not in UNREADABLE:
                        path = case / f"{form}-{size}"
                        found[framework, f"{form}, {size}"].append(
                            _error(model_class, path, arguments, inputs, outputs)
                        )
    print("| framework | format | checkpoints | largest relative error |\n|---|---|---|---|")
    for (framework, form), errors in found.items():
        print(f"| {framework} | {form} | {len(errors)} | {max(errors):.1e} |")
    return int(not found or any(not error <= BAND for errors in found.values() for error in errors))


def _error(model_class: Any, path: Path, arguments: dict[str, Any], inputs: Any, outputs: Any) -> float:
    """The largest relative error of an output; infinite where a tensor was not found."""
    loaded = model_class.from_pretrained(
        path, **arguments, **({} if "Flax" in model_class.__name__ else {"output_loading_info": True})
    )
    model, info = loaded if isinstance(loaded, tuple) else (loaded, {})
    # a layer without weights, which it names by a count of its own
    missing = [name for name in info.get("missing_keys") or () if not re.fullmatch(r"dropout_\d+", name)]
    if missing or info.get("unexpected_keys"):
        print(model_class.__name__, path, {name: list(keys) for name, keys in info.items()}, file=sys.stderr)
        return float("inf")
    if model_class.__name__.startswith("TFOpenAIGPT"):  # which has one activation there, another than PyTorch's
        for block in model.transformer.h:
            block.mlp.act = transformers.activations_tf.gelu_new
    answer = dict(_flat(_call(model, inputs)))
    return max(
        float(np.abs(np.asarray(answer[name]) - truth).max() / max(np.abs(truth).max(), 1e-3))
        for name, truth in outputs.items()
    )


def _call(model: Any, inputs: dict[str, np.ndarray]) -> Any:
    if model.framework == "pt":
        import torch

        with torch.no_grad():
            answer = model.eval()(**{name: torch.from_numpy(np.ascontiguousarray(a)) for name, a in inputs.items()})
        return answer
    return model(**inputs)


def _flat(answer: Any) -> Iterator[tuple[str, Any]]:
    """The arrays of an output, those of a tuple under its name and their number."""
    for name, value in answer.items():
        if hasattr(value, "shape"):
            yield name, value
        elif isinstance(value, tuple):
            yield from ((f"{name}.{index}", item) for index, item in enumerate(value) if hasattr(item, "shape"))


if __name__ == "__main__":
    sys.exit(run(Path(sys.argv[1])))
