"""Configurations, tokenizers and models load by a name on the Hub as they load from a directory."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.conftest import GOLDEN
from tests.hub.client import FIRST, SECOND, WATCHED
from tests.hub.faults import Fault
from tests.hub.loopback import Handler, Hub, Repo
from triformers.cards import BACKENDS

CHECKPOINT = GOLDEN / "models" / "bert" / "BertModel"
TOKENIZER = GOLDEN / "tokenizers" / "bert_cased" / "fast"


@pytest.fixture
def published(hub: Hub) -> Hub:
    """A Hub whose `org/model` is a BERT, with a configuration that differs at the next commit."""
    first = {path.name: path.read_bytes() for folder in (CHECKPOINT, TOKENIZER) for path in folder.iterdir()}
    second = {**first, "config.json": first["config.json"].replace(b'"hidden_act": "gelu"', b'"hidden_act": "relu"')}
    hub.repos["org/model"] = Repo({FIRST: first, SECOND: second}, {"main": FIRST, "v1": FIRST})
    return hub


def test_a_configuration_by_name(published: Hub) -> None:
    requests = published.run("""
        from triformers import BertConfig
        config = BertConfig.from_pretrained("org/model")
        assert config.hidden_size == 28 and config.name_or_path == "org/model" and config._commit_hash == FIRST
        move(SECOND)
        assert BertConfig.from_pretrained("org/model").hidden_act == "relu"
        assert BertConfig.from_pretrained("org/model", revision="v1").hidden_act == "gelu"
    """)
    assert requests


def test_a_tokenizer_by_name(published: Hub) -> None:
    published.run("""
        from triformers import BertTokenizer, BertTokenizerFast
        slow, fast = (kind.from_pretrained("org/model") for kind in (BertTokenizer, BertTokenizerFast))
        assert slow("a test")["input_ids"] == fast("a test")["input_ids"]
    """)


def load_while_the_branch_moves(hub: Hub, door: str) -> None:
    """Load, with a branch that moves as soon as the first file was asked for."""

    def move(handler: Handler) -> None:
        handler.respond(handler.path)
        hub.repos["org/model"].branches["main"] = SECOND

    hub.faults.append(Fault("HEAD /org/model/resolve/main/", move, times=1))
    hub.run(f"from triformers import {door}\nassert {door}.from_pretrained('org/model')")
    asked = [request for request, _ in hub.requests]
    head, body, *others = asked  # the body comes from the branch, which has moved: it is asked for once more
    assert head.startswith("HEAD") and body.startswith("GET") and len(others) > 2
    assert all(f"/resolve/{FIRST}/" in request for request in others)


def test_a_tokenizer_is_all_of_one_commit(published: Hub) -> None:
    load_while_the_branch_moves(published, "AutoTokenizer")


@pytest.mark.backend
def test_a_model_is_all_of_one_commit(published: Hub, backend: str) -> None:
    load_while_the_branch_moves(published, f"{BACKENDS[backend].class_prefix}AutoModel")


@pytest.mark.backend
def test_a_model_by_name_and_then_from_the_cache(published: Hub, backend: str, tmp_path: Path) -> None:
    name = f"{BACKENDS[backend].class_prefix}BertModel"
    published.run(f"""
        from triformers import {name}
        model = {name}.from_pretrained("org/model", cache_dir={str(tmp_path)!r})
        assert model.config.hidden_act == "gelu" and model.num_parameters() > 0
        model.save_pretrained({str(tmp_path / "saved")!r})
    """)
    offline = f"from triformers import {name}" + WATCHED
    requests = published.run(
        offline
        + f"""
model = {name}.from_pretrained("org/model", cache_dir={str(tmp_path)!r}, local_files_only=True)
assert model.config.hidden_act == "gelu"
"""
    )
    assert requests == []
    local = f"assert {name}.from_pretrained({str(tmp_path / 'saved')!r})\n"
    assert published.run("sys.modules['huggingface_hub'] = None\n" + offline + local) == []
