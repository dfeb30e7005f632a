"""A push is one commit with a card, or nothing; what is pushed can be loaded again."""

from __future__ import annotations

import os
import random
import signal
import time
from contextlib import suppress
from typing import Any

import pytest

from tests.conftest import GOLDEN
from tests.hub.client import TOKEN
from tests.hub.faults import Fault, status
from tests.hub.loopback import Hub, Repo
from triformers.cards import BACKENDS
from triformers.conversion.formats.names import FORMATS

TOKENIZER = GOLDEN / "tokenizers" / "bert_cased" / "fast"
CONFIG = "from triformers import BertConfig\nconfig = BertConfig(hidden_size=36)\n"


def pushed(hub: Hub, name: str = "me/model", branch: str = "main") -> dict[str, bytes]:
    """The files of a branch of the Hub."""
    repo = hub.repos[name]
    return repo.commits[repo.branches[branch]]


def card(hub: Hub, name: str = "me/model") -> tuple[dict[str, Any], str]:
    """The head of a card, and its text."""
    from huggingface_hub import ModelCard

    read = ModelCard(pushed(hub, name)["README.md"].decode())
    return read.data.to_dict(), read.text


# Configurations and tokenizers


def test_a_push_is_one_commit_with_a_card(hub: Hub) -> None:
    hub.run(
        CONFIG
        + """
told = config.push_to_hub("me/model", token=TOKEN, tags=["one", "two"], commit_description="why", license="mit")
assert told.oid and told.commit_message == "Upload BertConfig" and told.pr_url is None
assert BertConfig.from_pretrained("me/model").hidden_size == 36
assert not os.path.exists("model")
"""
    )
    _, commit = hub.repos["me/model"].log
    assert (commit["summary"], commit["description"]) == ("Upload BertConfig", "why")
    assert set(pushed(hub)) == {".gitattributes", "README.md", "config.json"}
    head, text = card(hub)
    assert head == {"library_name": "transformers", "license": "mit", "tags": ["one", "two"]}
    assert 'BertConfig.from_pretrained("me/model")' in text


def test_a_card_that_is_there_stays(hub: Hub) -> None:
    hub.repos["me/model"] = Repo()
    mine = b"---\nlicense: mit\n---\r\n# Mine\n"
    hub.repos["me/model"].commit("main", {"README.md": mine, "other.txt": b"other"})
    hub.run(CONFIG + "config.push_to_hub('me/model', token=TOKEN, language='en')")
    assert pushed(hub)["README.md"] == mine and set(pushed(hub)) == {"README.md", "other.txt", "config.json"}
    hub.run(CONFIG + "config.push_to_hub('me/model', token=TOKEN, tags='one')")
    assert card(hub)[0] == {"license": "mit", "tags": ["one"]} and pushed(hub)["README.md"].endswith(b"# Mine\n")
    assert len(hub.repos["me/model"].log) == 3


def test_where_a_push_goes(hub: Hub) -> None:
    hub.run(
        CONFIG
        + """
config.push_to_hub("short", token=TOKEN, commit_message="Mine", private=True)
config.push_to_hub("short", use_auth_token=TOKEN, organization="org", revision="branch")
config.hidden_size = 72
told = config.push_to_hub("me/short", token=TOKEN, create_pr=True)
assert told.pr_num == 1, told
for revision, size in (("main", 36), ("refs/pr/1", 72)):
    assert BertConfig.from_pretrained("me/short", revision=revision, token=TOKEN).hidden_size == size
"""
    )
    mine, theirs = hub.repos["me/short"], hub.repos["org/short"]
    assert mine.private and not theirs.private
    assert [entry["branch"] for entry in mine.log] == ["main", "main", "refs/pr/1"]
    assert mine.log[1]["summary"] == "Mine"
    assert [entry["branch"] for entry in theirs.log] == ["main", "branch"]
    assert set(pushed(hub, "org/short")) == {".gitattributes"}
    assert b"72" in pushed(hub, "me/short", "refs/pr/1")["config.json"]


def test_saving_can_push_too(hub: Hub, tmp_path: Any) -> None:
    place = tmp_path / "saved" / "here"
    place.mkdir(parents=True)
    (place / "notes.txt").write_text("mine")
    (place / "README.md").write_text("# Own\n")
    hub.run(
        CONFIG
        + f"""
config.save_pretrained({str(place)!r}, push_to_hub=True, token=TOKEN)
config.save_pretrained({str(place)!r}, push_to_hub=True, token=TOKEN, repo_id="org/other", tags=["one"])
config.save_pretrained({str(place)!r}, commit_message="of no use", token=TOKEN)
"""
    )
    assert set(pushed(hub, "me/here")) == {".gitattributes", "README.md", "config.json"}
    assert pushed(hub, "me/here")["README.md"] == b"# Own\n"
    assert card(hub, "org/other") == ({"tags": ["one"]}, "# Own\n")
    assert len(hub.repos["me/here"].log) == len(hub.repos["org/other"].log) == 2


def test_a_folder_of_the_models_name_is_saved_into(hub: Hub, tmp_path: Any) -> None:
    start = f"os.chdir({str(tmp_path)!r})\n" + CONFIG
    hub.run(start + "config.push_to_hub('me/model', token=TOKEN)\nassert os.listdir() == []\n")
    hub.run(start + "config.push_to_hub('me/model', token=TOKEN, use_temp_dir=False, revision='second')")
    (tmp_path / "model" / "notes.txt").write_text("mine")
    hub.run(start + "config.push_to_hub('me/model', token=TOKEN, revision='third')")
    assert (tmp_path / "model" / "config.json").is_file()
    for branch in ("main", "second", "third"):
        assert set(pushed(hub, branch=branch)) == {".gitattributes", "README.md", "config.json"}


def test_a_tokenizer_is_pushed(hub: Hub, tmp_path: Any) -> None:
    hub.run(
        f"""
        from triformers import BertTokenizerFast
        tokenizer = BertTokenizerFast.from_pretrained({str(TOKENIZER)!r})
        tokenizer.add_tokens(["[new]"])
        tokenizer.push_to_hub("me/model", token=TOKEN)
        again = BertTokenizerFast.from_pretrained("me/model")
        assert again("a [new] test") == tokenizer("a [new] test")
        paths = tokenizer.save_pretrained({str(tmp_path / "t")!r}, push_to_hub=True, repo_id="me/other", token=TOKEN)
        assert len(paths) == 5
        """
    )
    assert len(hub.repos["me/model"].log) == 2
    assert {"tokenizer.json", "README.md"} < set(pushed(hub)) == set(pushed(hub, "me/other"))


def test_what_a_push_cannot_do_is_one_clear_error(hub: Hub) -> None:
    hub.repos["org/other"] = Repo()
    hub.repos["org/other"].commit("main", {"README.md": b"---\n- no: [mapping\n---\n"})
    before = {name: list(repo.commits) for name, repo in hub.repos.items()}
    hub.run(
        CONFIG
        + """
def push(name="me/model", **told):
    return lambda: config.push_to_hub(name, **{"token": TOKEN, **told})

clear("refused the token", push(token="hf_unknown"))
clear("refused the token", push(token=False))
clear("does not allow it", push(token=READER))
clear("the repository 'a/b/c'", push("a/b/c"))
clear("no argument comit_message", push(comit_message="x"))
clear("no argument comit_message", lambda: config.save_pretrained("place", comit_message="x"))
clear("the token is empty", push(token="a\\nb"))
clear("differ", push(use_auth_token="hf_another"))
clear("the head of README.md", push("org/other", tags=["one"]))
clear("no revision 'refs/pr/9'", push("org/other", revision="refs/pr/9"))
assert not os.path.exists("place")
"""
    )
    assert {name: list(repo.commits) for name, repo in hub.repos.items()} == before


def test_a_push_that_is_refused_at_any_step_changes_nothing(hub: Hub) -> None:
    hub.repos["me/model"] = Repo()
    hub.repos["me/model"].commit("main", {"config.json": b"old"})
    hub.run(
        CONFIG
        + """
quick()
push = lambda: config.push_to_hub("me/model", token=TOKEN)
reasons = {
    403: "does not allow it", 412: "has changed since", 429: "too many requests", 500: "the Hub answers 500",
}
for code, reason in reasons.items():
    for step in ("/api/repos/create", "/preupload/", "/commit/"):
        if (step, code) != ("/api/repos/create", 403):
            fail(code, f"POST .*{step}")
            clear(reason, push)
"""
    )
    assert pushed(hub) == {"config.json": b"old"}
    hub.faults[:] = [Fault("POST /api/repos/create", status(403))]
    hub.run(CONFIG + "config.push_to_hub('me/model', token=TOKEN)")  # to write, one need not be free to create


def test_another_push_in_between_is_noticed(hub: Hub) -> None:
    hub.repos["me/model"] = Repo()
    hub.repos["me/model"].commit("main", {"config.json": b"old"})

    def intrude(handler: Any) -> None:
        hub.repos["me/model"].commit("main", {"config.json": b"theirs"})
        handler.respond(handler.path)

    hub.faults.append(Fault("POST .*/preupload/", intrude))
    hub.run(CONFIG + "clear('has changed since', lambda: config.push_to_hub('me/model', token=TOKEN))")
    assert pushed(hub) == {"config.json": b"theirs"}


# Large files


#: Something of a user's own that can be saved and pushed: on side 0 one large file, on side 1 three.
OWN = """
import huggingface_hub.hf_api, huggingface_hub.lfs
from triformers.conversion.formats.names import left_over_beside
from triformers.files.transaction import SaveTransaction
from triformers.hub.push import PushToHub

class Own(PushToHub):
    def __init__(self, side):
        self.side = side

    def save_pretrained(self, save_directory, **kwargs):
        with self.pushing(save_directory, kwargs.pop("push_to_hub", False), kwargs):
            with SaveTransaction(save_directory) as stage:
                stage.write_text("config.json", f"side {self.side}")
                stage.write_text("sub/more.json", f"more of {self.side}")
                for part in [""] if self.side == 0 else [f"-{part:05d}-of-00003" for part in (1, 2, 3)]:
                    stage.write_text(f"model{part}.safetensors", f"{part} of {self.side}" * 10_000)

    def _left_over_beside(self, saved):
        return left_over_beside(saved)

"""


def test_large_files_go_to_the_store_and_the_token_does_not(hub: Hub) -> None:
    hub.run(OWN + "Own(1).push_to_hub('me/model', token=TOKEN); Own(0).push_to_hub('me/model', token=TOKEN)")
    assert set(pushed(hub)) == {".gitattributes", "README.md", "config.json", "model.safetensors", "sub/more.json"}
    assert "# Own is a class of the author's" in pushed(hub)["README.md"].decode()
    assert pushed(hub)["config.json"] == b"side 0" and len(hub.repos["me/model"].log) == 3
    assert [request[:3] for request, _ in hub.store_requests] == ["PUT"] * 4
    assert {told for _, told in hub.store_requests} == {""}
    assert {told for _, told in hub.requests} == {f"Bearer {TOKEN}"}
    hub.run(OWN + "Own(0).push_to_hub('me/model', token=TOKEN)")
    assert len(hub.repos["me/model"].log) == 3 and not hub.store_requests  # nothing has changed


@pytest.mark.parametrize("code", [403, 500])
def test_a_store_that_refuses_is_one_clear_error(hub: Hub, code: int) -> None:
    hub.faults.append(Fault("PUT /[0-9a-f]{64}", status(code)))
    hub.run(OWN + "quick(); clear('could not be pushed to', lambda: Own(0).push_to_hub('me/model', token=TOKEN))")
    assert set(pushed(hub)) == {".gitattributes"}


def test_a_push_killed_at_any_moment_leaves_the_old_state_or_the_new(hub: Hub) -> None:
    start = (
        OWN
        + """
for line in sys.stdin:
    child = os.fork()
    if child == 0:
        Own(int(line)).push_to_hub("me/model", token=TOKEN)
        os._exit(0)
    print(child, flush=True)
    os.waitpid(child, 0)
    print("gone", flush=True)
"""
    )
    chance, server = random.Random(0), hub.start(start)
    assert server.stdin and server.stdout

    def push(side: int, wait: float | None = None) -> float:
        print(side, file=server.stdin, flush=True)
        child, began = int(server.stdout.readline()), time.monotonic()
        if wait is not None:
            time.sleep(wait)
            with suppress(ProcessLookupError):
                os.kill(child, signal.SIGKILL)
        assert server.stdout.readline() == "gone\n"
        return time.monotonic() - began

    whole, longest = [], 0.0
    for side in (0, 1):
        longest = push(side)
        whole.append(pushed(hub))
    for turn in range(30):
        push(turn % 2, chance.uniform(0, longest))
        assert pushed(hub) in whole, sorted(pushed(hub))
    server.stdin.close()
    assert server.wait(60) == 0


# Models


@pytest.mark.backend
def test_a_model_is_pushed_and_its_earlier_files_go(hub: Hub, backend: str) -> None:
    prefix = BACKENDS[backend].class_prefix
    hub.repos["me/model"] = Repo()
    kept = {"README.md": b"# Mine", "model.fp16.safetensors": b"of a variant", "pytorch_model-00001.bin": b"?"}
    hub.repos["me/model"].commit("main", {**kept, "model.safetensors": b"old", "model-00001-of-00009.safetensors": b""})
    hub.run(
        f"""
        from triformers import BertConfig, {prefix}BertForMaskedLM as Model
        config = BertConfig(vocab_size=50, hidden_size=12, num_hidden_layers=1, num_attention_heads=2)
        model = Model(config, seed=1)
        model.push_to_hub("me/model", token=TOKEN, max_shard_size="10KB")
        model.push_to_hub("me/whole", token=TOKEN)
        model.push_to_hub("me/whole", token=TOKEN, safe_serialization=False, tags=["one"])
        model.save_pretrained("kept", push_to_hub=True, repo_id="me/kept", token=TOKEN)
        model.save_pretrained("kept", push_to_hub=True, repo_id="me/none", token=TOKEN, is_main_process=False)
        model.create_model_card("kept", "org/name", license="mit", tags="two", tasks="other", dataset=["a", "b"])
        for name in ("me/model", "me/whole", "me/kept"):
            loaded = Model.from_pretrained(name, token=TOKEN)
            for slot in model.slots():
                assert (loaded.read_slot(slot) == model.read_slot(slot)).all()
        """.replace('"kept"', repr(str(hub.home.parent / "kept")))
    )
    native = FORMATS[{"torch": "bin", "tensorflow": "h5", "flax": "msgpack"}[backend]].file
    assert set(pushed(hub)) > {*kept, "config.json", "model.safetensors.index.json"}
    assert not {"model.safetensors", "model-00001-of-00009.safetensors"} & set(pushed(hub))
    assert {"config.json", "model.safetensors", native} < set(pushed(hub, "me/whole"))
    assert len(hub.repos["me/model"].log) == 2 and "me/none" not in hub.repos
    head, text = card(hub, "me/whole")
    assert head == {"library_name": "transformers", "pipeline_tag": "fill-mask", "tags": ["one"]}
    written = (hub.home.parent / "kept" / "README.md").read_text()
    assert "license: mit" in written and "pipeline_tag: other" in written and "trained on a, b." in written
    assert all(f"{each.class_prefix}BertForMaskedLM" in text for each in BACKENDS.values())
