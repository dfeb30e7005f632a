"""Vocabularies and tokenizers for these tests, read once."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

import triformers
from tests.conftest import GOLDEN
from tests.tokenization.goldens import Family, classes_of, open_family
from triformers.cards import public_names


def golden_folders(config: pytest.Config) -> list[Path]:
    """The folders of recorded calls whose classes exist here."""
    chosen = config.getoption("golden") or os.environ.get("TRIFORMERS_GOLDEN")
    root = Path(chosen) if chosen else GOLDEN
    root = root / "tokenizers" if (root / "tokenizers").is_dir() else root
    folders = sorted(path.parent for path in root.glob("*/cases.json"))
    return [folder for folder in folders if classes_of(folder) <= public_names().keys()]


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "golden_folder" in metafunc.fixturenames:
        folders = golden_folders(metafunc.config)
        metafunc.parametrize("golden_folder", folders, ids=[path.name for path in folders], scope="session")


@pytest.fixture(scope="session")
def family(golden_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Family:
    """One folder of recorded calls."""
    return open_family(golden_folder, tmp_path_factory.mktemp("goldens"))


def _family(name: str, factory: pytest.TempPathFactory) -> Family:
    return open_family(GOLDEN / "tokenizers" / name, factory.mktemp(name))


@pytest.fixture(scope="session")
def uncased(tmp_path_factory: pytest.TempPathFactory) -> Family:
    """The files of bert-base-uncased's tokenizers."""
    return _family("bert_uncased", tmp_path_factory)


@pytest.fixture(scope="session")
def cased(tmp_path_factory: pytest.TempPathFactory) -> Family:
    """The files of a small cased vocabulary."""
    return _family("bert_cased", tmp_path_factory)


@pytest.fixture(scope="session")
def slow_uncased(uncased: Family) -> triformers.BertTokenizer:
    """The pure-Python tokenizer of bert-base-uncased; tests do not change it."""
    return uncased.load("slow")


@pytest.fixture(scope="session")
def fast_uncased(uncased: Family) -> triformers.BertTokenizerFast:
    """The fast tokenizer of bert-base-uncased; tests do not change it."""
    return uncased.load("fast")


@pytest.fixture(params=["slow", "fast"])
def kind(request: pytest.FixtureRequest) -> str:
    """Both kinds of tokenizer in turn."""
    return request.param


@pytest.fixture
def tokenizer(kind: str, cased: Family) -> triformers.PreTrainedTokenizerBase:
    """A fresh tokenizer of each kind over a small cased vocabulary."""
    return cased.load(kind)
