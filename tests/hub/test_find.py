"""Files are found in directories without a network, on the Hub at one commit, and all else is one error."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import textwrap
from contextlib import nullcontext
from pathlib import Path

import pytest

from tests.hub.client import FIRST, SECOND, TOKEN, WATCHED
from tests.hub.faults import Fault, status
from tests.hub.loopback import Handler, Hub, Repo
from triformers.files.errors import FileError, InputError
from triformers.files.transaction import PUBLISHED, SaveTransaction
from triformers.hub import HubOptions, Repository, find_file, find_first
from triformers.hub.find import is_hub_name

FILES = {
    FIRST: {"config.json": b"first config", "model.bin": b"first model", "sub/config.json": b"first sub"},
    SECOND: {"config.json": b"second config", "model.bin": b"second model", "late.bin": b"second late"},
}


@pytest.fixture
def hub(hub: Hub) -> Hub:
    """`org/model` has two commits, and `main` at the first; the others refuse."""
    hub.repos["org/model"] = Repo(FILES, {"main": FIRST, "v1": FIRST})
    hub.repos["org/gated"] = Repo(FILES, {"main": FIRST})
    hub.gated.add("org/gated")
    return hub


# The Hub


def test_one_load_keeps_to_one_commit_though_the_branch_moves(hub: Hub) -> None:
    requests = hub.run(
        """
        present, absent = Repository("org/model"), Repository("org/model")
        assert present.commit is None
        assert present.file("config.json").read_bytes() == b"first config"
        assert absent.file("late.bin", required=False) is None
        move(SECOND)
        assert present.file("model.bin").read_bytes() == b"first model"
        assert absent.first(["late.bin", "model.bin"]).read_bytes() == b"first model"
        assert present.commit == absent.commit == FIRST
        for revision, content in [("main", b"second"), ("v1", b"first"), (FIRST, b"first")]:
            found = find_file("org/model", "config.json", HubOptions(revision))
            assert found.read_bytes() == content + b" config"
        """
    )
    assert requests.count("HEAD /org/model/resolve/main/late.bin") == 1
    assert not any(FIRST in request and "late.bin" in request for request in requests)  # known to be absent


@pytest.mark.parametrize("second", [b"other config", b"a longer config"])
def test_a_branch_that_moves_between_the_hash_and_the_body(hub: Hub, second: bytes) -> None:
    def move_on(handler: Handler) -> None:
        handler.respond(handler.path)
        repo.branches["main"] = SECOND

    repo = hub.repos["org/model"] = Repo({FIRST: FILES[FIRST], SECOND: {"config.json": second}}, {"main": FIRST})
    hub.faults.append(Fault("HEAD /org/model/resolve/main/", move_on, times=1))
    hub.run(
        """
        load = Repository("org/model")
        assert load.file("config.json").read_bytes() == b"first config" and load.commit == FIRST
        assert load.file("model.bin").read_bytes() == b"first model"
        """
    )


def test_subfolders_and_forced_downloads(hub: Hub) -> None:
    requests = hub.run(
        """
        sub = Repository("org/model", HubOptions(subfolder="sub", revision=None))
        assert sub.file("config.json").read_bytes() == b"first sub" and sub.commit == FIRST
        refused("folder sub", "org/model", "absent.bin", subfolder="sub")
        again = Repository("org/model", HubOptions(subfolder="sub", force_download=True))
        assert [again.file("config.json").read_bytes() for _ in range(2)] == [b"first sub"] * 2
        refused("'..'", "org/model", "../config.json")
        """
    )
    assert sum(request.startswith("GET") and request.endswith("/sub/config.json") for request in requests) == 3


def test_what_the_hub_does_not_have_is_one_clear_error(hub: Hub) -> None:
    hub.run(
        """
        refused("no such repository", "org/absent")
        refused("no such repository", "org/absent", required=False)
        refused("no such repository", "org/absent", token=False)
        refused("restricted", "org/gated")
        refused("no revision 'nowhere'", "org/model", revision="nowhere")
        refused("no revision '33333", "org/model", revision="3" * 40)
        refused("no a.bin or b.bin in org/model", "org/model", "a.bin", "b.bin")
        refused("refused the token", "org/model", token="hf_unknown")
        open(os.path.join(os.environ["HF_HOME"], "file"), "w").close()
        refused("could not be fetched", "org/model", cache_dir=os.path.join(os.environ["HF_HOME"], "file"))
        """
    )


def test_every_status_is_one_clear_error(hub: Hub) -> None:
    hub.run(
        """
        quick()
        reasons = {
            401: "refused the token", 403: "does not allow it", 404: "could not be fetched",
            418: "could not be fetched", 429: "too many requests", 500: "the Hub answers 500", 503: "answers 503",
        }
        for code, reason in reasons.items():
            for where in ("/org/model/resolve/.*/config.json", "GET /org/model/resolve/.*/config.json"):
                fail(code, where)
                refused(reason, "org/model")
                refused(reason, "org/model", required=False)
                refused(reason, "org/model", subfolder="sub")
                refused(reason, "org/model", force_download=True)
                assert find_file("org/model", "model.bin").read_bytes() == b"first model"
        """
    )


OFFLINE = """
load = Repository("org/model", HubOptions(local_files_only=ONLY))
assert load.first(["late.bin", "config.json"]).read_bytes() == b"first config"
assert load.commit == FIRST
assert load.file("model.bin").read_bytes() == b"first model"
assert load.file("never-asked-for.bin", required=False) is None
refused("no never-asked-for.bin", "org/model", "never-asked-for.bin", local_files_only=ONLY)
refused("offline", "org/other", local_files_only=ONLY)
refused("offline", "org/other", local_files_only=ONLY, required=False)
for revision in ("v1", "refs/pr/1", "../../../x", "3" * 40):
    refused("offline", "org/model", revision=revision, local_files_only=ONLY)
"""


def test_offline_takes_what_the_cache_has_and_opens_no_connection(hub: Hub) -> None:
    hub.run('load = Repository("org/model"); load.first(["late.bin", "config.json"]); load.file("model.bin")')
    hub.repos["org/model"].branches["main"] = SECOND
    assert hub.run("ONLY = True" + WATCHED + OFFLINE) == []
    assert hub.run("ONLY = False" + WATCHED + OFFLINE, HF_HUB_OFFLINE="1") == []
    refs = hub.home / "hub" / "models--org--model" / "refs" / "main"
    refs.write_bytes(b"\xff" * 40)
    hub.run('refused("offline", "org/model", local_files_only=True)')
    hub.run('refused("downloaded again", "org/model", force_download=True)', HF_HUB_OFFLINE="1")


def test_a_directory_opens_no_connection(hub: Hub, tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text("{}")
    assert hub.run(WATCHED + f"assert find_file({str(tmp_path)!r}, 'config.json')") == []


def test_the_watch_would_notice(hub: Hub) -> None:
    code = WATCHED + 'find_file("org/model", "config.json")'
    process = hub.start(code)
    assert "socket." in process.communicate(timeout=60)[1] and process.returncode == 1


def test_the_cache_is_where_the_caller_says(hub: Hub, tmp_path: Path) -> None:
    place, home = tmp_path / "place", tmp_path / "elsewhere"
    hub.run(f"find_file('org/model', 'config.json', HubOptions(cache_dir={str(place)!r}))")
    assert (place / "models--org--model" / "refs" / "main").read_text() == FIRST and not hub.home.exists()
    hub.run("find_file('org/model', 'config.json', HubOptions(cache_dir='~/cache'))", HOME=str(tmp_path))
    assert (tmp_path / "cache" / "models--org--model").is_dir()
    hub.run("find_file('org/model', 'config.json')", HF_HOME=str(home))
    assert (home / "hub" / "models--org--model").is_dir()


def test_a_renamed_repository_is_followed(hub: Hub) -> None:
    hub.renamed["older/name"] = "org/model"
    hub.run('assert find_file("older/name", "config.json").read_bytes() == b"first config"')


def test_without_an_answer_the_cache_is_used_but_not_guessed_from(hub: Hub) -> None:
    hub.run('Repository("org/model").first(["late.bin", "config.json"])')
    with socket.socket() as unanswered:  # bound, never listening: connections are refused
        unanswered.bind(("127.0.0.1", 0))
        hub.run(
            """
            quick()
            load = Repository("org/model")
            assert load.file("config.json").read_bytes() == b"first config"
            assert load.file("late.bin", required=False) is None  # the Hub said so once
            refused("connection to the Hub failed", "org/model", "model.bin", required=False)
            refused("connection to the Hub failed", "org/other")
            """,
            HF_ENDPOINT=f"http://127.0.0.1:{unanswered.getsockname()[1]}",
        )


def test_a_hub_that_fails_within_a_load_mixes_no_revisions(hub: Hub) -> None:
    hub.run('find_file("org/model", "config.json")')
    hub.repos["org/model"].branches["main"] = SECOND
    hub.faults.append(Fault("HEAD /org/model/resolve/main/config.json", status(500)))
    hub.run(
        """
        quick()
        load = Repository("org/model")
        assert load.file("config.json").read_bytes() == b"first config"  # of the cache, for want of an answer
        assert load.file("model.bin").read_bytes() == b"first model" and load.commit == FIRST
        """
    )


# Directories


def test_a_directory_needs_no_hub_library(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text("{}")
    code = f"""
    import sys
    from triformers.hub import find_file, find_first
    assert find_file({str(tmp_path)!r}, "config.json").name == "config.json"
    assert find_first({str(tmp_path)!r}, ["absent", "config.json"]).name == "config.json"
    assert "huggingface_hub" not in sys.modules and "numpy" not in sys.modules
    """
    subprocess.run([sys.executable, "-c", textwrap.dedent(code)], check=True, timeout=60)


def test_a_directory_wins_over_the_hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "org" / "model" / "sub").mkdir(parents=True)
    (tmp_path / "org" / "model" / "sub" / "config.json").write_text("local")
    found = find_file("org/model", "config.json", HubOptions(subfolder="sub", revision="x", token="t"))
    assert found is not None and found.read_text() == "local"
    assert find_file("org/model", "sub/config.json") == Path("org/model/sub/config.json")
    assert find_file(Path("org/model"), "absent", required=False) is None
    assert find_first("org/model", ["a", "b"], required=False) is None
    with pytest.raises(FileError, match="no a or b in org/model"):
        find_first("org/model", ["a", "b"])
    with pytest.raises(FileError, match=r"org/model/none does not exist"):
        find_file("org/model", "config.json", HubOptions(subfolder="none"))
    for folder in ("..", "../model", "/", "a\\b"):
        with pytest.raises(FileError):
            find_file("org/model", "config.json", HubOptions(subfolder=folder))


@pytest.mark.parametrize(
    "name",
    [
        "./x",
        "/a/b",
        "a/b/c",
        "../x",
        "~/x",
        "a/",
        "",
        ".",
        "C:\\x",
        "x--y",
        "a..b",
        "-a",
        "a/b.git",
        "a\n",
        "a b",
    ],
)
def test_what_cannot_be_a_hub_name_is_a_missing_directory(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert not is_hub_name(name)
    if name != ".":
        with pytest.raises(FileError, match="does not exist"):
            find_file(name, "config.json")


@pytest.mark.parametrize("name", ["bert-base-cased", "org/model", "a", "0/1", "Qwen/Qwen2.5-0.5B", "a_b/c.d"])
def test_hub_names(name: str) -> None:
    assert is_hub_name(name)


def test_a_path_object_is_never_a_hub_name(tmp_path: Path) -> None:
    with pytest.raises(FileError, match="does not exist"):
        find_file(Path("org/model"), "config.json")
    (tmp_path / "file").write_text("")
    with pytest.raises(FileError, match="is a file"):
        find_file(tmp_path / "file", "config.json")


def test_names_from_files_may_not_use_links_out_of_the_directory(tmp_path: Path) -> None:
    (tmp_path / "model").mkdir()
    (tmp_path / "shared.bin").write_text("x")
    (tmp_path / "model" / "shard.bin").symlink_to(tmp_path / "shared.bin")
    load = Repository(tmp_path / "model")
    assert load.file("shard.bin") is not None  # the caller's own name, the user's own link
    with pytest.raises(FileError, match="leads out"):
        load.file("shard.bin", listed=True)
    for name in ("../shared.bin", str(tmp_path / "shared.bin")):
        with pytest.raises(FileError):
            load.file(name)


@pytest.mark.parametrize("held", [True, False])
def test_an_unfinished_save_is_finished_by_the_load(held: bool, tmp_path: Path) -> None:
    child = os.fork()
    if child == 0:
        try:
            os.replace = lambda *paths: os._exit(0)
            with SaveTransaction(tmp_path) as stage:
                stage.write_bytes("config.json", b"new")
        finally:
            os._exit(1)
    assert os.waitpid(child, 0)[1] == 0 and (tmp_path / PUBLISHED).is_dir()
    load = Repository(tmp_path)
    with load.reading() if held else nullcontext():
        assert load.file("config.json") == tmp_path / "config.json"
        assert (tmp_path / "config.json").read_bytes() == b"new"


def test_options_that_cannot_be(tmp_path: Path) -> None:
    assert TOKEN not in repr(HubOptions(token=TOKEN))
    with pytest.raises(InputError, match="force_download"):
        HubOptions(force_download=True, local_files_only=True)
    for token in ("", "a b", f"{TOKEN}\n"):
        with pytest.raises(InputError) as caught:
            HubOptions(token=token)
        assert not token or token not in str(caught.value)
