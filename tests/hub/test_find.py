"""Files are found in directories without a network, on the Hub at one commit, and all else is one error.

The Hub is a server on the loopback that speaks as much of its protocol as a download needs. What talks to it
runs in processes of its own: huggingface_hub reads its environment when it is imported.
"""

from __future__ import annotations

import hashlib
import os
import socket
import subprocess
import sys
import textwrap
import threading
from collections.abc import Iterator
from contextlib import nullcontext
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from triformers.files.errors import FileError, InputError
from triformers.files.transaction import PUBLISHED, SaveTransaction
from triformers.hub import HubOptions, Repository, find_file, find_first
from triformers.hub.find import is_hub_name

FIRST, SECOND = "1" * 40, "2" * 40
TOKEN = "hf_secretsecretsecret"


class LoopbackHub(BaseHTTPRequestHandler):
    """`org/model` has two commits and `main` at the first until `/move` is called; the others refuse."""

    protocol_version = "HTTP/1.1"
    branches: dict[str, str] = {}
    requests: list[str] = []
    files = {
        FIRST: {"config.json": b"first config", "model.bin": b"first model", "sub/config.json": b"first sub"},
        SECOND: {"config.json": b"second config", "model.bin": b"second model", "late.bin": b"second late"},
    }

    def log_message(self, format: str, *args: object) -> None:
        pass

    def answer(self, status: int, headers: dict[str, str], body: bytes = b"") -> None:
        self.send_response(status)
        for name, value in {"Content-Length": str(len(body)), **headers}.items():
            self.send_header(name, value)
        self.end_headers()
        if self.command == "GET":
            self.wfile.write(body)

    def do_HEAD(self) -> None:
        self.requests.append(f"{self.command} {self.path}")
        if self.path == "/move":
            self.branches["main"] = SECOND
            return self.answer(200, {})
        repository, _, rest = self.path.strip("/").partition("/resolve/")
        revision, _, name = rest.partition("/")
        commit = self.branches.get(revision, revision)
        if "Bearer bad" in self.headers.get("Authorization", ""):
            self.answer(401, {"X-Error-Message": "Invalid credentials in Authorization header"})
        elif repository == "org/gated":
            self.answer(403, {"X-Error-Code": "GatedRepo"})
        elif repository == "org/broken":
            self.answer(418, {"X-Error-Message": f"the server repeats {self.headers.get('Authorization')}"})
        elif repository != "org/model":
            self.answer(401, {"X-Error-Code": "RepoNotFound"})
        elif commit not in self.files:
            self.answer(404, {"X-Error-Code": "RevisionNotFound"})
        elif name not in self.files[commit]:
            self.answer(404, {"X-Error-Code": "EntryNotFound", "X-Repo-Commit": commit})
        else:
            body = self.files[commit][name]
            etag = f'"{hashlib.sha1(body).hexdigest()}"'
            self.answer(200, {"X-Repo-Commit": commit, "ETag": etag}, body)

    do_GET = do_HEAD


class Loopback:
    """A running server, and processes that take it for the Hub."""

    def __init__(self, address: str, home: Path) -> None:
        self.address = address
        self.home = home

    def run(self, code: str, **environment: str) -> list[str]:
        """The requests that a process made which ran `code`, with `move()` and `refused(...)` at hand."""
        LoopbackHub.requests.clear()
        keep = {name: value for name, value in os.environ.items() if not name.startswith(("HF_", "HUGGING"))}
        hub = {"HF_ENDPOINT": self.address, "HF_HOME": str(self.home), "HF_HUB_DISABLE_TELEMETRY": "1"}
        process = subprocess.run(
            [sys.executable, "-c", PREAMBLE + textwrap.dedent(code)],
            env={**keep, **hub, "HF_HUB_DISABLE_XET": "1", "NO_PROXY": "127.0.0.1", **environment},
            capture_output=True,
            text=True,
            timeout=60,
        )
        assert process.returncode == 0, process.stderr
        return list(LoopbackHub.requests)


PREAMBLE = f"""
import os, time, traceback, urllib.request
from triformers.files.errors import FileError
from triformers.hub import HubOptions, Repository, find_file, find_first
FIRST, SECOND, TOKEN = {FIRST!r}, {SECOND!r}, {TOKEN!r}

def move():
    urllib.request.urlopen(os.environ["HF_ENDPOINT"] + "/move").read()

def refused(reason, name, *files, required=True, **options):
    try:
        repository = Repository(name, HubOptions(token=TOKEN, **options))
        found = repository.first(files or ["config.json"], required=required)
    except FileError as error:
        assert isinstance(error, OSError) and reason in str(error), str(error)
        assert "; expected " in str(error) and "\\n" not in str(error)
        assert TOKEN not in "".join(traceback.format_exception(error))
    else:
        raise AssertionError(f"found {{found}}")
"""


@pytest.fixture
def loopback(tmp_path: Path) -> Iterator[Loopback]:
    LoopbackHub.branches = {"main": FIRST, "v1": FIRST}
    server = ThreadingHTTPServer(("127.0.0.1", 0), LoopbackHub)
    thread = threading.Thread(target=server.serve_forever, args=(0.05,))
    thread.start()
    try:
        yield Loopback(f"http://127.0.0.1:{server.server_port}", tmp_path / "home")
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


# The Hub


def test_one_load_keeps_to_one_commit_though_the_branch_moves(loopback: Loopback) -> None:
    requests = loopback.run(
        """
        present, absent = Repository("org/model"), Repository("org/model")
        assert present.commit is None
        assert present.file("config.json").read_bytes() == b"first config"
        assert absent.file("late.bin", required=False) is None
        move()
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


def test_subfolders_and_forced_downloads(loopback: Loopback) -> None:
    requests = loopback.run(
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


def test_every_refusal_of_the_hub_is_one_clear_error(loopback: Loopback) -> None:
    loopback.run(
        """
        refused("no such repository", "org/absent")
        refused("no such repository", "org/absent", required=False)
        refused("restricted", "org/gated")
        refused("no revision 'nowhere'", "org/model", revision="nowhere")
        refused("no revision '33333", "org/model", revision="3" * 40)
        refused("no a.bin or b.bin in org/model", "org/model", "a.bin", "b.bin")
        refused("no usable answer", "org/broken")
        TOKEN = "bad_token"
        refused("refused the token", "org/model")
        os.makedirs(os.path.join(os.environ["HF_HOME"], "hub", "models--org--model"), exist_ok=True)
        TOKEN = "hf_other"
        open(os.path.join(os.environ["HF_HOME"], "file"), "w").close()
        refused("could not be fetched", "org/model", cache_dir=os.path.join(os.environ["HF_HOME"], "file"))
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
refused("offline", "org/model", revision="v1", local_files_only=ONLY)
"""


def test_offline_takes_what_the_cache_has(loopback: Loopback) -> None:
    loopback.run('load = Repository("org/model"); load.first(["late.bin", "config.json"]); load.file("model.bin")')
    LoopbackHub.branches["main"] = SECOND
    assert loopback.run("ONLY = True" + OFFLINE) == []
    assert loopback.run("ONLY = False" + OFFLINE, HF_HUB_OFFLINE="1") == []


def test_without_an_answer_the_cache_is_used_but_not_guessed_from(loopback: Loopback) -> None:
    loopback.run('Repository("org/model").first(["late.bin", "config.json"])')
    with socket.socket() as unanswered:  # bound, never listening: connections are refused
        unanswered.bind(("127.0.0.1", 0))
        loopback.run(
            """
            time.sleep = lambda seconds: None  # huggingface_hub waits between its attempts
            load = Repository("org/model")
            assert load.file("config.json").read_bytes() == b"first config"
            assert load.file("late.bin", required=False) is None  # the Hub said so once
            refused("gave no usable answer", "org/model", "model.bin", required=False)
            refused("gave no usable answer", "org/other")
            """,
            HF_ENDPOINT=f"http://127.0.0.1:{unanswered.getsockname()[1]}",
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
