"""Every public way into the library that reads a checkpoint's files, by a short name."""

from __future__ import annotations

import contextlib
import io
import shutil
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import triformers
from triformers.cli import ERROR, main
from triformers.conversion.formats import open_checkpoint
from triformers.files.errors import FileError
from triformers.hub.find import Repository

PREFIXES: Mapping[str, str] = {"torch": "", "tensorflow": "TF", "flax": "Flax"}


def doors(backend: str | None, target: Path) -> Mapping[str, Callable[[Path], Any]]:
    """What reads a checkpoint's folder.

    Args:
        backend: The framework whose classes are to read too; None for the doors that need none.
        target: A folder that is written and deleted again.
    """
    found: dict[str, Callable[[Path], Any]] = {
        "tensors": _every_number,
        "AutoConfig": lambda folder: triformers.AutoConfig.from_pretrained(folder),
        "Config": lambda folder: triformers.BertConfig.from_pretrained(folder),
        "AutoTokenizer": lambda folder: triformers.AutoTokenizer.from_pretrained(folder),
        "AutoTokenizer, slow": lambda folder: triformers.AutoTokenizer.from_pretrained(folder, use_fast=False),
        "Tokenizer": lambda folder: triformers.BertTokenizerFast.from_pretrained(folder),
    }
    if backend is None:
        return found
    model = getattr(triformers, f"{PREFIXES[backend]}BertModel")
    auto = getattr(triformers, f"{PREFIXES[backend]}AutoModel")
    return {
        **found,
        "Model": model.from_pretrained,
        "AutoModel": auto.from_pretrained,
        "inspect": lambda folder: _command("inspect", str(folder), "--json"),
        "convert": lambda folder: _convert(folder, target),
    }


def _every_number(folder: Path) -> list[Any]:
    return [tensor.read().sum() for tensor in open_checkpoint(Repository(folder)).values()]


def _convert(folder: Path, target: Path) -> None:
    """Write the checkpoint again; a refusal must leave nothing."""
    try:
        _command("convert", str(folder), str(target), "--to", "safetensors")
    except FileError:
        assert not target.exists(), "a conversion that was refused left files"
        raise
    finally:
        shutil.rmtree(target, ignore_errors=True)


def _command(*arguments: str) -> None:
    """Run the command; its error, told in one line, as the exception that it was."""
    told = io.StringIO()
    with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(told):
        status = main(arguments)
    if status == ERROR:
        raise FileError(told.getvalue().strip())
