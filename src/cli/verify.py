"""`triformers verify`: are two checkpoints the same, or is one the same function in several frameworks?"""

from __future__ import annotations

import argparse
import json
import math
import os
import sys
from collections.abc import Mapping
from pathlib import Path

from ..cards import Weights, all_cards, card_of
from ..configuration import CONFIG_NAME
from ..conversion.formats import open_checkpoint
from ..conversion.formats.tensors import Tensor
from ..conversion.verify import BAND, compare_checkpoints, compare_runs, format_comparison, format_layers
from ..files.errors import InputError, three_beats
from ..files.strict_json import load_json_object
from ..hub.find import Repository
from . import NO, YES
from .batch import read_batch, sample_batch
from .canonical import in_canonical_axes, is_canonical, slots_of
from .choose import backends_of, config_of, stem_of
from .plot import check_plot, plot_agreement
from .run_in_backend import outputs_of

DTYPES = ("float64", "float32")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the verb's arguments."""
    parser.add_argument("first", metavar="A", help="a checkpoint: a directory or a Hub name")
    parser.add_argument("second", metavar="B", nargs="?", help="another, to compare with tensor by tensor")
    parser.add_argument(
        "--band",
        type=_band,
        metavar="SIZE",
        help=f"the largest relative difference allowed (default: none, every bit counts; for runs {BAND:g})",
    )
    parser.add_argument("--json", action="store_true", help="print the outcome as JSON")
    two = parser.add_argument_group("two checkpoints")
    two.add_argument("--all", action="store_true", help="list every tensor that differs, however many")
    one = parser.add_argument_group("one checkpoint in several frameworks")
    one.add_argument("--backends", metavar="LIST", help="such as torch,flax (default: all that are installed)")
    one.add_argument("--class", dest="class_name", metavar="CLASS", help="a class (default: the checkpoint's own)")
    one.add_argument("--seed", type=_seed, help="seed of the batch (default: 0)")
    one.add_argument("--inputs", metavar="FILE.npz", help="the call's arguments as arrays, instead of a drawn batch")
    one.add_argument("--plot", type=Path, metavar="FILE.png", help="draw the error per layer")


def run(options: argparse.Namespace) -> int:
    """Compare and print; the status says whether they are the same.

    Raises:
        TriformersError: A checkpoint, class or framework is not there; or options do not go together.
    """
    frameworks = ("backends", "class_name", "seed", "inputs", "plot")
    alone = [name for name in frameworks if getattr(options, name) is not None]
    if options.second is not None and alone:
        found = f"two checkpoints together with --{alone[0].removesuffix('_name')}"
        remedy = "Compare two checkpoints, or one in several frameworks; not both at once."
        raise InputError(three_beats(found, "that option with one checkpoint only", remedy))
    return _frameworks(options) if options.second is None else _checkpoints(options)


def _checkpoints(options: argparse.Namespace) -> int:
    repositories = [Repository(name) for name in (options.first, options.second)]
    first, second = map(_tensors_of, repositories)
    weights = (_weights_of(repositories[0]), _weights_of(repositories[1]))
    comparison = compare_checkpoints(first, second, weights, options.band or 0.0)
    if options.json:
        print(json.dumps(comparison.as_json(), indent=1, allow_nan=False))
    else:
        print(f"{format_comparison(comparison, options.all)}\n\n{comparison.verdict()}")
    return YES if comparison.same else NO


def _tensors_of(repository: Repository) -> Mapping[str, Tensor]:
    """A checkpoint's tensors; those in a framework's own axes turned as its model says."""
    tensors = open_checkpoint(repository)
    if is_canonical(tensors):
        return tensors
    config = config_of(repository)
    card = card_of(config.model_type)
    slots = slots_of(card, stem_of(card, None, config), config, tensors, repository.name)
    return in_canonical_axes(tensors, slots, card, config, repository.name)


def _weights_of(repository: Repository) -> Weights:
    """What is known of the names of a checkpoint's tensors: nothing unless its model type is known."""
    path = repository.file(CONFIG_NAME, required=False)
    model_type = None if path is None else load_json_object(path).get("model_type")
    card = all_cards().get(model_type) if isinstance(model_type, str) else None
    return Weights() if card is None else card.weights


def _frameworks(options: argparse.Namespace) -> int:
    if options.plot is not None:
        check_plot(options.plot)
    repository = Repository(options.first)
    config = config_of(repository)
    card = card_of(config.model_type)
    stem = stem_of(card, options.class_name, config)
    backends = backends_of(card, _listed(options.backends))
    if len(backends) < 2:
        remedy = "Name several in --backends, installing what is missing: pip install 'triformers[all]'."
        raise InputError(three_beats(f"only {backends[0]} to run in", "at least two frameworks to compare", remedy))
    batch = sample_batch(config, options.seed or 0) if options.inputs is None else read_batch(options.inputs)
    runs = {name: outputs_of(name, stem, options.first, batch, DTYPES, repository.commit) for name in backends}
    agreement = compare_runs(
        {name: run.outputs for name, run in runs.items()}, BAND if options.band is None else options.band
    )
    if options.plot is not None:
        plot_agreement(agreement, options.plot, f"{stem}, {os.path.basename(os.path.normpath(options.first))}")
    for note in dict.fromkeys(note for run in runs.values() for note in run.notes):
        print(f"note: {note}", file=sys.stderr)
    if options.json:
        about = {"class": stem, "checkpoint": options.first, "backends": backends}
        print(json.dumps({**about, **agreement.as_json()}, indent=1, allow_nan=False))
    else:
        shapes = ", ".join(f"{name} {list(array.shape)}" for name, array in batch.items())
        print(f"{stem} from {options.first} on {shapes}\nrelative errors to {agreement.truth}\n")
        print(f"{format_layers(agreement.errors)}\n\n{agreement.verdict()}")
    return YES if agreement.same else NO


def _listed(names: str | None) -> list[str] | None:
    return None if names is None else list(dict.fromkeys(name.strip() for name in names.split(",") if name.strip()))


def _band(text: str) -> float:
    """A relative difference, for argparse."""
    band = float(text)
    if not 0 <= band < math.inf:
        raise argparse.ArgumentTypeError(f"{text} is no relative difference: a number from 0 up")
    return band


def _seed(text: str) -> int:
    """A seed, for argparse."""
    seed = int(text)
    if seed < 0:
        raise argparse.ArgumentTypeError(f"{text} is no seed: a whole number from 0 up")
    return seed
