"""Trust comes from the caller alone; every door of loading decides the same of the same arguments."""

from __future__ import annotations

import json
import shutil
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import triformers
from tests.conftest import GOLDEN
from tests.hub.client import TOKEN
from triformers.cards import BACKENDS
from triformers.files.errors import InputError
from triformers.hub.options import HubOptions

DOORS = ("BertConfig", "AutoConfig", "BertTokenizer", "BertTokenizerFast", "AutoTokenizer", "GenerationConfig")
MODEL_DOORS = ("BertModel", "AutoModel")

REFUSED = (
    ({"trust_remote_code": True}, "No code is ever fetched"),
    ({"code_revision": "main"}, "No code is ever fetched"),
    ({"proxies": {"https": "proxy:3128"}}, "HTTPS_PROXY"),
    ({"mirror": "tuna"}, "HF_ENDPOINT"),
    ({"token": "a b"}, "token"),
    ({"token": TOKEN, "use_auth_token": "hf_another"}, "use_auth_token"),
    ({"force_download": True, "local_files_only": True}, "at most one"),
)
ACCEPTED: dict[str, Any] = {
    "trust_remote_code": False, "code_revision": None, "proxies": None, "mirror": None, "resume_download": True,
    "use_auth_token": TOKEN, "user_agent": {"file_type": "model"}, "_from_auto": True, "_from_pipeline": "fill-mask",
    "_commit_hash": None, "revision": "main", "cache_dir": "nowhere", "local_files_only": True,
}  # fmt: skip

#: What a hostile or careless file may ask for.
WISHES = {
    "auto_map": dict.fromkeys(("AutoConfig", "AutoModel", "AutoTokenizer"), "evil.Evil"),
    "custom_pipelines": {"fill-mask": {"impl": "evil.Evil", "pt": ["AutoModel"]}},
    "trust_remote_code": True,
    "use_auth_token": "hf_of_the_file",
    "proxies": {"https": "evil:1"},
}
EVIL = "open({!r}, 'w').close()\nclass Evil: pass\n"


@pytest.fixture
def checkpoint(tmp_path: Path) -> Path:
    """A BERT, its tokenizer and its options of generation."""
    for source in (GOLDEN / "models" / "bert" / "BertModel", GOLDEN / "tokenizers" / "bert_cased" / "fast"):
        shutil.copytree(source, tmp_path / "model", dirs_exist_ok=True)
    (tmp_path / "model" / "generation_config.json").write_text("{}")
    return tmp_path / "model"


def refuses_and_accepts(door: Callable[..., Any], checkpoint: Path) -> None:
    for arguments, remedy in REFUSED:
        with pytest.raises(InputError, match=remedy) as caught:
            door(checkpoint, **arguments)
        text = str(caught.value)
        assert "; expected " in text and len(text) < 400 and TOKEN not in text
    assert door(checkpoint, **ACCEPTED) is not None


def ask(checkpoint: Path) -> Path:
    """Have the files of a checkpoint ask for code, a token and a proxy; where the code would leave its trace."""
    trace = checkpoint.parent / "trace"
    (checkpoint / "evil.py").write_text(EVIL.format(str(trace)))
    for name in ("config.json", "tokenizer_config.json", "generation_config.json"):
        values = json.loads((checkpoint / name).read_text())
        (checkpoint / name).write_text(json.dumps({**values, **WISHES}))
    return trace


@pytest.fixture
def environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("TRUST_REMOTE_CODE", "TRANSFORMERS_TRUST_REMOTE_CODE", "HF_HUB_TRUST_REMOTE_CODE"):
        monkeypatch.setenv(name, "1")


@pytest.mark.parametrize("name", DOORS)
def test_a_door_decides_of_its_arguments(name: str, checkpoint: Path) -> None:
    refuses_and_accepts(getattr(triformers, name).from_pretrained, checkpoint)


@pytest.mark.parametrize("name", DOORS)
def test_what_a_file_or_the_environment_asks_for_is_not_done(name: str, checkpoint: Path, environment: None) -> None:
    trace = ask(checkpoint)
    assert getattr(triformers, name).from_pretrained(checkpoint) is not None
    assert not trace.exists() and "evil" not in sys.modules
    with pytest.raises(InputError, match="No code is ever fetched"):
        getattr(triformers, name).from_pretrained(checkpoint, trust_remote_code=True)


@pytest.mark.backend
@pytest.mark.parametrize("stem", MODEL_DOORS)
def test_a_models_door_decides_of_its_arguments(stem: str, checkpoint: Path, backend: str, environment: None) -> None:
    door = getattr(triformers, BACKENDS[backend].class_prefix + stem).from_pretrained
    refuses_and_accepts(door, checkpoint)
    trace = ask(checkpoint)
    assert door(checkpoint) is not None
    assert not trace.exists() and "evil" not in sys.modules


def test_the_commit_that_a_caller_knows_is_the_revision() -> None:
    options, rest = HubOptions.take_from({"_commit_hash": "1" * 40, "revision": "main", "mine": 3})
    assert options.revision == "1" * 40 and rest == {"mine": 3}
    options, rest = HubOptions.take_from({"use_auth_token": TOKEN, "token": TOKEN})
    assert options.token == TOKEN and rest == {}
    for wrong in ({"revision": 3}, {"subfolder": "a\0b"}):
        with pytest.raises(InputError, match=next(iter(wrong))):
            HubOptions.take_from(wrong)
