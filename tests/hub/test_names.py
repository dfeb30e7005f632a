"""Configurations, tokenizers and models load by a name on the Hub as they load from a directory."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.conftest import GOLDEN
from tests.hub.test_find import FIRST, SECOND, Loopback, LoopbackHub, loopback  # noqa: F401  the fixture
from triformers.cards import BACKENDS

CHECKPOINT = GOLDEN / "models" / "bert" / "BertModel"
TOKENIZER = GOLDEN / "tokenizers" / "bert_cased" / "fast"


@pytest.fixture
def published(loopback: Loopback, monkeypatch: pytest.MonkeyPatch) -> Loopback:  # noqa: F811
    """A Hub whose `org/model` is a BERT, with a configuration that differs at the next commit."""
    first = {path.name: path.read_bytes() for folder in (CHECKPOINT, TOKENIZER) for path in folder.iterdir()}
    second = {**first, "config.json": first["config.json"].replace(b'"hidden_act": "gelu"', b'"hidden_act": "relu"')}
    monkeypatch.setattr(LoopbackHub, "files", {FIRST: first, SECOND: second})
    return loopback


def test_a_configuration_by_name(published: Loopback) -> None:
    requests = published.run("""
        from triformers import BertConfig
        config = BertConfig.from_pretrained("org/model")
        assert config.hidden_size == 28 and config.name_or_path == "org/model" and config._commit_hash == FIRST
        move()
        assert BertConfig.from_pretrained("org/model").hidden_act == "relu"
        assert BertConfig.from_pretrained("org/model", revision="v1").hidden_act == "gelu"
    """)
    assert requests


def test_a_tokenizer_by_name(published: Loopback) -> None:
    published.run("""
        from triformers import BertTokenizer, BertTokenizerFast
        slow, fast = (kind.from_pretrained("org/model") for kind in (BertTokenizer, BertTokenizerFast))
        assert slow("a test")["input_ids"] == fast("a test")["input_ids"]
    """)


@pytest.mark.backend
def test_a_model_by_name_and_then_from_the_cache(published: Loopback, backend: str, tmp_path: Path) -> None:
    name = f"{BACKENDS[backend].class_prefix}BertModel"
    published.run(f"""
        from triformers import {name}
        model = {name}.from_pretrained("org/model", cache_dir={str(tmp_path)!r})
        assert model.config.hidden_act == "gelu" and model.num_parameters() > 0
    """)
    requests = published.run(f"""
        from triformers import {name}
        model = {name}.from_pretrained("org/model", cache_dir={str(tmp_path)!r}, local_files_only=True)
        assert model.config.hidden_act == "gelu"
    """)
    assert requests == []
