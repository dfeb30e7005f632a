"""Saves of models and tokenizers, killed at random moments and at every call, or refused at every call.

`python -m tests.files.sweep` needs PyTorch. What is saved is small, a child that saves is a fork of a process
that has imported all, and each trial goes on from what the one before has left: one save is killed, the folder is
loaded as users load it, and the next save must leave nothing but its own files.
"""

from __future__ import annotations

import argparse
import errno
import hashlib
import json
import os
import random
import signal
import statistics
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path
from typing import Any

from tests.conftest import GOLDEN
from tests.files.saves import CHANGING, in_child, intercept, killed_at, on_disk, refusing, restore
from triformers import BertConfig, BertModel, BertTokenizerFast
from triformers.configuration import CONFIG_NAME
from triformers.conversion.saving import Contents, stage_checkpoint
from triformers.files.errors import FileError
from triformers.files.transaction import HIDDEN, PUBLISHED, SaveTransaction, verify_manifest

SIDES = ("A", "B")


@dataclass(frozen=True)
class Subject:
    """One kind of save.

    Attributes:
        name: What the sweep calls it.
        save: Saves one of the two sides into a folder.
        load: Which of the sides a folder holds; fails on a mixture of the two.
        is_first: Whether each save is the first into its folder.
    """

    name: str
    save: Callable[[Path, str], None]
    load: Callable[[Path], str]
    is_first: bool = False

    def state(self, directory: Path) -> str:
        """The side that a loader finds; empty where there is nothing to load."""
        if not directory.is_dir():
            return ""
        try:
            return self.load(directory)
        except FileError:
            assert self.is_first and not on_disk(directory).keys() - hidden(directory)
            return ""


def hidden(directory: Path) -> set[str]:
    """What of a folder's tree is this library's own."""
    return {name for name in on_disk(directory) if name.startswith(HIDDEN)}


# ---- what is saved ----------------------------------------------------------------------------------------------


@cache
def model(side: str) -> BertModel:
    """A small model whose configuration and every tensor say which side it is; one tensor is hashed in a thread."""
    sizes = {"vocab_size": 5000, "hidden_size": 64, "num_hidden_layers": 1, "num_attention_heads": 2}
    return BertModel(BertConfig(**sizes, intermediate_size=32, side=side), seed=SIDES.index(side))


@cache
def tokenizer(side: str) -> Any:
    """A tokenizer whose vocabulary and settings say which side it is."""
    made = BertTokenizerFast.from_pretrained(GOLDEN / "tokenizers" / "bert_cased" / "fast", side=side)
    made.add_tokens([f"[{side}]"])
    return made


def digest(loaded: BertModel) -> str:
    """A hash of all tensors."""
    found = hashlib.sha256()
    for name, tensor in sorted(loaded.state_dict().items()):
        found.update(name.encode() + tensor.numpy().tobytes())
    return found.hexdigest()


@cache
def digests() -> dict[str, str]:
    """The hash of each side's tensors -> the side."""
    return {digest(model(side)): side for side in SIDES}


def save_in(form: str, directory: Path, side: str) -> None:
    """Save a model in another framework's own format, as `triformers convert` does."""
    whole = model(side)
    contents = Contents(whole.canonical_tensors(), whole.slots(), whole.weights_of(whole.config), "BertModel")
    with SaveTransaction(directory) as stage:
        stage.write_text(CONFIG_NAME, whole.config.to_json_string())
        stage_checkpoint(stage, contents, form)


def save_both(directory: Path, side: str) -> None:
    """Save a model, and then its tokenizer, into one folder."""
    model(side).save_pretrained(directory)
    tokenizer(side).save_pretrained(directory)


def load_model(directory: Path) -> str:
    loaded = BertModel.from_pretrained(directory)
    side = digests()[digest(loaded)]
    assert loaded.config.side == side
    return side


def load_tokenizer(directory: Path) -> str:
    loaded = BertTokenizerFast.from_pretrained(directory)
    side = loaded.init_kwargs["side"]
    assert set(loaded.get_added_vocab()) & {f"[{side}]" for side in SIDES} == {f"[{side}]"}
    return side


def load_config(directory: Path) -> str:
    return BertConfig.from_pretrained(directory).side


def load_both(directory: Path) -> str:
    """The side of the tokenizer, which is saved last: the model is of the same, or of the one that followed."""
    sides = load_model(directory), load_tokenizer(directory)
    return sides[1] if sides[0] == sides[1] else "between"


def sharded(directory: Path, side: str) -> None:
    """Save in shards, more of them on one side than on the other."""
    model(side).save_pretrained(directory, max_shard_size={"A": "20KB", "B": "50KB"}[side])


SUBJECTS = {
    subject.name: subject
    for subject in (
        Subject("single", lambda directory, side: model(side).save_pretrained(directory), load_model),
        Subject("sharded", sharded, load_model),
        Subject("bin", lambda place, side: model(side).save_pretrained(place, safe_serialization=False), load_model),
        Subject("h5", partial(save_in, "h5"), load_model),
        Subject("msgpack", partial(save_in, "msgpack"), load_model),
        Subject("first", sharded, load_model, is_first=True),
        Subject("tokenizer", lambda directory, side: tokenizer(side).save_pretrained(directory), load_tokenizer),
        Subject("config", lambda directory, side: model(side).config.save_pretrained(directory), load_config),
        Subject("both", save_both, load_both),
    )
}


# ---- trials -----------------------------------------------------------------------------------------------------


class Place:
    """A folder that saves of one kind go into, one after the other."""

    def __init__(self, subject: Subject, scratch: Path) -> None:
        self.subject = subject
        self.directory = scratch / subject.name / "model"
        self.expected = {}
        for side in SIDES:
            clean = scratch / "clean" / subject.name / side
            subject.save(clean, side)
            self.expected[side] = set(on_disk(clean))
        self.settle("A")

    def settle(self, side: str) -> None:
        """Save undisturbed, and check that nothing else is left; for a first save, clear the folder instead."""
        if self.subject.is_first:
            import shutil

            shutil.rmtree(self.directory.parent, ignore_errors=True)
            self.side = ""
            return
        self.subject.save(self.directory, side)
        assert set(on_disk(self.directory)) == self.expected[side], "the next save left litter"
        assert self.subject.state(self.directory) == side and verify_manifest(self.directory) == []
        self.side = side

    def other(self) -> str:
        """The side that the folder does not hold."""
        return "B" if self.side == "A" else "A"

    def judge(self, new: str) -> str:
        """What a save of `new`, which was cut short, left: `old`, `new`, or between its two transactions."""
        left = "published" if (self.directory / PUBLISHED).is_dir() else "staged" if hidden(self.directory) else ""
        found = self.subject.state(self.directory)
        between = self.subject.name == "both" and found == "between"
        assert found in (self.side, new) or between, f"{found!r} is neither {self.side!r} nor {new!r}"
        assert not found or verify_manifest(self.directory) == []
        assert not (self.directory / PUBLISHED).exists(), "the load did not finish the publication"
        if self.subject.is_first and self.directory.is_dir():
            self.subject.save(self.directory, self.other())
            assert set(on_disk(self.directory)) == self.expected[self.other()], "the next save left litter"
        self.settle(self.other())
        return " ".join(filter(None, ("between" if between else "new" if found == new else "old", left)))


def killed_at_random(place: Place, trials: int, chance: random.Random) -> Counter[str]:
    """Kill saves with SIGKILL, at moments that are spread evenly over how long a save takes."""
    durations = []
    for _ in range(3):
        began = time.monotonic()
        assert in_child(partial(place.subject.save, place.directory, place.other())) == 0
        durations.append(time.monotonic() - began)
        place.settle(place.other())
    longest = statistics.median(durations)
    outcomes: Counter[str] = Counter()
    for _ in range(trials):
        new = place.other()
        with saving_child(place, new) as child:
            time.sleep(chance.uniform(0, longest))
            os.kill(child, signal.SIGKILL)
            was_killed = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == -signal.SIGKILL
        outcomes["killed"] += was_killed
        longest *= 1.02 if was_killed else 0.95  # as busy as the machine is now: three of four saves are cut short
        outcomes[place.judge(new)] += 1
    return outcomes


@contextmanager
def saving_child(place: Place, side: str) -> Iterator[int]:
    """A forked process that has begun to save."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            os.write(writing, b"!")
            place.subject.save(place.directory, side)
        finally:
            os._exit(0)
    os.read(reading, 1)
    yield child
    os.close(reading)
    os.close(writing)


def killed_at_calls(place: Place, step: int) -> Counter[str]:
    """Kill saves before and after every call that changes the disk, or every `step`-th."""
    outcomes: Counter[str] = Counter()
    for after in (False, True):
        k = 0
        while True:
            new = place.other()
            reached = killed_at(k, after, partial(place.subject.save, place.directory, new))
            outcomes[place.judge(new)] += 1
            if not reached:
                break
            k += step
    return outcomes


def refused_at_calls(place: Place, step: int) -> Counter[str]:
    """Have the system refuse every call that changes the disk, or every `step`-th: the save fails, and undoes all."""
    names = tuple(name for name in CHANGING if name not in ("unlink", "rmdir"))
    originals = {name: getattr(os, name) for name in CHANGING}
    handles, outcomes = len(os.listdir("/dev/fd")), Counter[str]()
    for number in (errno.ENOSPC, errno.EIO):
        k = 0
        while True:
            new, before = place.other(), on_disk(place.directory.parent)
            calls = intercept(k, refusing(number), names=names)
            try:
                place.subject.save(place.directory, new)
            except FileError as error:
                restore(originals)
                assert error.errno == number
                assert place.subject.name == "both" or on_disk(place.directory.parent) == before
                outcomes["refused"] += 1
            else:
                restore(originals)  # a folder that is there already, or the last flush, when all is in place
                assert k >= len(calls) or calls[k] in ("mkdir", "fsync")
                outcomes["tolerated"] += k < len(calls)
            assert len(os.listdir("/dev/fd")) == handles
            place.judge(new)
            if k >= len(calls):
                break
            k += step
    return outcomes


def main(arguments: list[str] | None = None) -> None:
    """Sweep, and print what was found: one line of JSON for each kind of save."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--trials", type=int, default=300, help="kills at random moments, of each kind of save")
    parser.add_argument("--step", type=int, default=1, help="kill and refuse at every so many-th call; 0 for none")
    parser.add_argument("--seed", type=int, default=0, help="of the random moments")
    parser.add_argument("--only", nargs="*", choices=SUBJECTS, default=list(SUBJECTS), help="kinds of save")
    options = parser.parse_args(arguments)
    for name in options.only:
        began = time.monotonic()
        with tempfile.TemporaryDirectory() as scratch:
            place = Place(SUBJECTS[name], Path(scratch))
            found = {"at random": killed_at_random(place, options.trials, random.Random(options.seed))}
            if options.step:
                found["at calls"] = killed_at_calls(place, options.step)
                found["refused"] = refused_at_calls(place, options.step)
        print(json.dumps({"save": name, **found, "seconds": round(time.monotonic() - began)}), flush=True)


if __name__ == "__main__":
    sys.exit(main())
