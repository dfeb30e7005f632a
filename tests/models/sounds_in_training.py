"""What Wav2Vec2's classes compute in training when their random numbers come from a caller's source.

`python -m tests.models.sounds_in_training FOLDER` writes checkpoints, inputs and what PyTorch computes, for the other
frameworks to agree with.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import numpy as np

from tests.parity.runners import arrays, runner_of
from tests.parity.sweep import loud, taken_by
from tests.specs import all_specs, inputs_of, task_of
from triformers.backends.noise import Noise

STEMS = ("Wav2Vec2Model", "Wav2Vec2ForPreTraining", "Wav2Vec2ForCTC")
#: How many calls are made, one after the other from one source, which starts from a seed.
TURNS, SEED = 2, 5
#: Everything that is random but dropout, which is each framework's own.
RANDOM = {
    "mask_time_prob": 0.4,
    "mask_time_min_masks": 1,
    "mask_feature_prob": 0.3,
    "mask_feature_length": 2,
    "layerdrop": 0.5,
    "num_hidden_layers": 4,
}
DROPOUTS = ("hidden_dropout", "activation_dropout", "attention_dropout", "feat_proj_dropout", "final_dropout")


def write(stem: str, folder: Path, runner: Any) -> None:
    """A checkpoint with loud weights, inputs for it, and the outputs of each turn."""
    spec, generator = all_specs()["wav2vec2"], np.random.default_rng(11)
    model_class = runner.model_class(stem)
    config = model_class.config_class(**{**spec.tiny, **RANDOM, **dict.fromkeys(DROPOUTS, 0.0)})
    inputs = taken_by(model_class, inputs_of(spec, task_of("wav2vec2", stem), config, generator))
    model = model_class(config, seed=0)
    model.fill(loud(generator), "float32")
    model.save_pretrained(folder)
    np.savez(folder / "inputs.npz", **inputs)
    model, noise = runner.load(stem, folder, "float64").train(), Noise(SEED)
    for turn in range(TURNS):
        output = model(**runner.tensors(inputs), noise=noise)
        np.savez(folder / f"{turn}.npz", **{name: value.detach().numpy() for name, value in arrays(output)})


if __name__ == "__main__":
    torch_runner = runner_of("torch")
    torch_runner.prepare("cpu")
    for name in STEMS:
        write(name, Path(sys.argv[1]) / name, torch_runner)
