"""What arrives is what the Hub has: compared with its hash, fetched once, asked for with a token that stays there."""

from __future__ import annotations

import hashlib
import signal
import tempfile
import time
from pathlib import Path

import pytest

from tests.hub.client import FIRST, SECOND, TOKEN
from tests.hub.faults import Fault, redirect, spoiled
from tests.hub.loopback import Handler, Hub, Repo
from triformers.hub.refusals import reason

FILES = {"config.json": b"a small file" * 50, "model.safetensors": b"large" * 100_000, "sub/deep.json": b"deep"}
HASHES = {name: hashlib.sha256(body).hexdigest() for name, body in FILES.items()}
CHECK = "import hashlib\ndef hash_of(path): return hashlib.sha256(path.read_bytes()).hexdigest()\n"


@pytest.fixture
def hub(hub: Hub) -> Hub:
    """`org/model` has a small file, a large one in the store, and one in a folder."""
    commits = {FIRST: FILES, SECOND: {**FILES, "config.json": b"changed"}}
    hub.repos["org/model"] = Repo(commits, {"main": FIRST})
    return hub


def body_of(name: str) -> str:
    """What asks for the bytes of a file."""
    return f"GET /{HASHES[name]}$" if name.endswith(".safetensors") else f"GET .*/resolve/.*/{name}$"


def flipped(body: bytes) -> bytes:
    """A body of the same length with one byte changed."""
    return bytes([body[0] ^ 1]) + body[1:]


def found(name: str, **options: object) -> str:
    """Code that finds a file and compares its hash."""
    return CHECK + f"assert hash_of(find_file('org/model', {name!r}, HubOptions(**{options}))) == {HASHES[name]!r}\n"


# Hashes


@pytest.mark.parametrize("name", FILES)
def test_a_body_of_the_right_size_with_wrong_bytes_is_refused_and_not_kept(hub: Hub, name: str) -> None:
    hub.faults.append(Fault(body_of(name), spoiled(flipped)))
    hub.run(f'refused("other bytes than the Hub has", "org/model", {name!r})')
    hub.run(f'refused("other bytes than the Hub has", "org/model", {name!r}, force_download=True)')
    hub.faults.clear()
    hub.run(f'assert find_file("org/model", {name!r}, HubOptions(local_files_only=True), required=False) is None')
    hub.run(found(name))


@pytest.mark.parametrize("name", FILES)
def test_a_body_cut_short_is_one_clear_error(hub: Hub, name: str) -> None:
    hub.faults.append(Fault(body_of(name), spoiled(bytes, cut=3)))
    hub.run(f'quick(); refused("cut short", "org/model", {name!r})')
    hub.faults.clear()
    hub.run(found(name))


def test_what_a_killed_process_had_of_a_body_harms_nobody(hub: Hub) -> None:
    hub.run(found("model.safetensors"))
    blobs = hub.home / "hub" / "models--org--model" / "blobs"
    for rest in (b"wrong", b"wrong" * 200_000):
        for path in [*blobs.iterdir(), *(blobs.parent / "snapshots" / FIRST).iterdir()]:
            path.unlink()
        (blobs / f"{HASHES['model.safetensors']}.incomplete").write_bytes(rest)
        hub.run(found("model.safetensors"))


def test_a_good_download_replaces_a_damaged_file_when_it_is_forced(hub: Hub) -> None:
    hub.run(found("config.json"))
    blob = next((hub.home / "hub" / "models--org--model" / "blobs").iterdir())
    blob.write_bytes(b"?" * len(FILES["config.json"]))
    hub.run(found("config.json", force_download=True) + found("config.json"))


def test_what_the_cache_has_is_not_hashed_again(hub: Hub) -> None:
    names = [name for name in FILES if name != "config.json"]
    hub.run("".join(found(name) for name in names))
    hub.repos["org/model"].branches["main"] = SECOND
    unhashed = "import triformers.hub.fetch as f\nf.compare = None\n"
    code = "".join(f"assert find_file('org/model', {name!r})\n" for name in names)
    hub.run(unhashed + code)  # at another commit, and the same there


def test_a_process_killed_before_it_compares_leaves_a_file_that_the_next_one_does(hub: Hub) -> None:
    hub.faults.append(Fault(body_of("config.json"), spoiled(flipped)))
    process = hub.start(
        "import triformers.hub.fetch as f\nf.compare = lambda *a: os._exit(9)\nfind_file('org/model', 'config.json')"
    )
    process.communicate(timeout=60)
    assert process.returncode == 9
    hub.faults.clear()
    hub.run('refused("other bytes", "org/model", local_files_only=True)')
    hub.run(found("config.json") + "import triformers.hub.fetch as f\nf.compare = None\n" + found("config.json"))


def test_a_cache_without_links_is_compared_with_what_the_hub_says(hub: Hub) -> None:
    hub.faults.append(Fault(body_of("config.json"), spoiled(flipped)))
    copies = {"HF_HUB_DISABLE_SYMLINKS": "1"}
    unlinked = "import huggingface_hub.file_download as f\nf.are_symlinks_supported = lambda cache_dir=None: False\n"
    hub.run(unlinked + 'refused("other bytes", "org/model")', **copies)
    hub.faults.clear()
    hub.run(unlinked + found("config.json"), **copies)


def test_a_token_that_may_not_be_read_hides_no_error(monkeypatch: pytest.MonkeyPatch) -> None:
    def get_token() -> str:
        raise PermissionError("token")

    monkeypatch.setattr("huggingface_hub.get_token", get_token)
    assert reason(OSError(f"{TOKEN} is gone"), TOKEN) == "OSError: *** is gone"


def test_a_cache_that_cannot_be_written_is_read(hub: Hub) -> None:
    hub.run(found("config.json"))
    as_nobody = "import os\nif os.getuid() == 0: os.setuid(65534)\n"
    folders = [hub.home, *(path for path in hub.home.rglob("*") if path.is_dir())]
    for folder in folders:
        folder.chmod(0o555)
    for parent in hub.home.parents:  # pytest's own folders can be entered by their owner only
        if Path(tempfile.gettempdir()) in parent.parents:
            parent.chmod(0o755)
    try:
        hub.run(found("config.json") + as_nobody + found("config.json"))  # first what is imported late
    finally:
        for folder in folders:
            folder.chmod(0o755)


# Several processes


@pytest.mark.parametrize("seconds", [1.0])
def test_eight_processes_that_load_one_name_for_the_first_time_fetch_each_file_once(hub: Hub, seconds: float) -> None:
    hub.seconds = seconds
    code = CHECK + "load = Repository('org/model')\n"
    code += "".join(f"assert hash_of(load.file({name!r})) == {HASHES[name]!r}\n" for name in FILES)
    processes = [hub.start(code) for _ in range(8)]
    for process in processes:
        _, errors = process.communicate(timeout=120)
        assert process.returncode == 0, errors
    gets = [request for request, _ in (*hub.requests, *hub.store_requests) if request.startswith("GET")]
    assert len(gets) == len(set(gets)) == len(FILES)


def test_a_download_that_is_killed_is_begun_again_by_the_next(hub: Hub) -> None:
    hub.seconds = 1.0
    process = hub.start(found("model.safetensors"))
    while not hub.store_requests:
        assert process.poll() is None
        time.sleep(0.01)
    time.sleep(0.3)
    process.send_signal(signal.SIGKILL)
    process.communicate(timeout=60)
    hub.seconds = 0.0
    hub.run(found("model.safetensors"))


# The token


def test_the_token_goes_to_the_hub_alone(hub: Hub) -> None:
    hub.run("".join(found(name, token=TOKEN) for name in FILES))
    assert {told for _, told in hub.requests} == {f"Bearer {TOKEN}"}
    assert hub.store_requests and {told for _, told in hub.store_requests} == {""}


@pytest.mark.parametrize("method", ["HEAD", "GET"])
def test_a_redirect_to_another_host_is_asked_without_the_token(hub: Hub, method: str) -> None:
    hub.faults.append(Fault(f"{method} .*/config.json", redirect(hub.store_address)))
    hub.faults.append(Fault("/org/model/resolve/", _answer_as_the_hub))
    hub.run(
        """
        quick()
        try:
            find_file("org/model", "config.json", HubOptions(token=TOKEN))
        except FileError as error:
            assert TOKEN not in "".join(traceback.format_exception(error))
        """
    )
    assert {told for _, told in hub.store_requests} == ({""} if method == "GET" else set())  # no HEAD is sent on


def _answer_as_the_hub(handler: Handler) -> None:
    body, tag = FILES["config.json"], '"0123"'
    handler.answer(200, body, ETag=tag, X_Repo_Commit=FIRST)


def test_the_stored_token_is_used_unless_the_caller_says_otherwise(hub: Hub) -> None:
    hub.home.mkdir()
    Path(hub.home, "token").write_text(TOKEN)
    hub.run(found("config.json"))
    assert {told for _, told in hub.requests} == {f"Bearer {TOKEN}"}
    hub.run(found("config.json", token=False, force_download=True))
    assert {told for _, told in hub.requests} == {""}


def test_no_log_repeats_the_token(hub: Hub) -> None:
    hub.run("import logging; logging.basicConfig(level=0)\n" + found("config.json", token=TOKEN), HF_DEBUG="1")
    hub.faults.append(Fault("HEAD .*/sub/", redirect(hub.store_address)))
    hub.run(
        """
        import logging
        logging.basicConfig(level=0)
        quick()
        refused("could not be fetched", "org/model", "sub/deep.json")
        """,
        HF_DEBUG="1",
    )
