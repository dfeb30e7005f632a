"""A Hub on the loopback: repositories in memory, spoken to as huggingface_hub speaks to the real one.

Small files are inside a commit, large ones (by their names) in a store on another host, to which the Hub sends
the reader on. What talks to it runs in processes of its own: huggingface_hub reads its environment when it is
imported.
"""

from __future__ import annotations

import base64
import hashlib
import json
import os
import re
import subprocess
import sys
import textwrap
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

from tests.hub.client import PREAMBLE, READER, TOKEN
from tests.hub.faults import Fault, status

LARGE = (".safetensors", ".bin", ".h5", ".msgpack")


@dataclass
class Repo:
    """One repository: its commits, each the whole of its files, and where its branches are."""

    commits: dict[str, dict[str, bytes]] = field(default_factory=dict)
    branches: dict[str, str] = field(default_factory=dict)
    log: list[dict[str, Any]] = field(default_factory=list)
    private: bool = False

    def at(self, revision: str) -> str | None:
        """The commit of a revision, None if there is none."""
        commit = self.branches.get(revision, revision)
        return commit if commit in self.commits else None

    def commit(self, branch: str, files: Mapping[str, bytes], **told: Any) -> str:
        """Make a commit of these files on a branch."""
        content = repr((sorted(files), self.branches, len(self.commits), time.time_ns()))
        commit = hashlib.sha1(content.encode()).hexdigest()
        self.commits[commit] = dict(files)
        self.branches[branch] = commit
        self.log.append({"branch": branch, "commit": commit, **told})
        return commit


class Handler(BaseHTTPRequestHandler):
    """What the Hub and the store behind it have in common."""

    protocol_version = "HTTP/1.1"
    hub: Hub
    payload: bytes

    def log_message(self, format: str, *args: object) -> None:
        pass

    def answer(self, status: int, body: Any = b"", **headers: str) -> None:
        """Send an answer: bytes, or what becomes JSON; headers with `_` for `-`."""
        if not isinstance(body, bytes):
            body, headers = json.dumps(body).encode(), {"Content_Type": "application/json", **headers}
        self.send_response(status)
        for name, value in {"Content_Length": str(len(body)), **headers}.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def handle_request(self) -> None:
        self.payload = self._read_body()
        self.url = urlsplit(self.path)
        request = f"{self.command} {unquote(self.url.path)}"
        if "/-/" in request:  # a test's own
            return self.respond(self.url.path)
        with self.hub.lock:
            self._seen().append((request, self.headers.get("Authorization", "")))
        for fault in self.hub.faults:
            if fault.times > 0 and re.search(fault.where, request):
                fault.times -= 1
                return fault.answer(self)
        self.respond(self.url.path)

    do_GET = do_HEAD = do_POST = do_PUT = do_DELETE = handle_request

    def _read_body(self) -> bytes:
        if self.headers.get("Transfer-Encoding") != "chunked":
            length = int(self.headers.get("Content-Length", 0))
            body = self.rfile.read(length)
        else:
            body = b""
            while size := int(self.rfile.readline(), 16):
                body += self.rfile.read(size)
                self.rfile.readline()
            self.rfile.readline()
            length = len(body)
        if len(body) < length:
            raise ConnectionError("the client went away")
        return body

    def _seen(self) -> list[tuple[str, str]]:
        raise NotImplementedError

    def respond(self, path: str) -> None:
        raise NotImplementedError


class StoreHandler(Handler):
    """The store of large files, on another host than the Hub."""

    def _seen(self) -> list[tuple[str, str]]:
        return self.hub.store_requests

    def respond(self, path: str) -> None:
        oid = path.rpartition("/")[2]
        if self.command == "PUT":
            if hashlib.sha256(self.payload).hexdigest() != oid:
                return self.answer(400)
            self.hub.store[oid] = self.payload
            return self.answer(200)
        self.send_slowly(self.hub.store[oid])

    def send_slowly(self, body: bytes) -> None:
        """Answer in several pieces, over the time that the Hub is to take."""
        start = int((re.match(r"bytes=(\d+)-", self.headers.get("Range", "")) or [0, 0])[1])
        if start >= len(body) > 0:
            return self.answer(416)
        self.send_response(206 if start else 200)
        self.send_header("Content-Length", str(len(body) - start))
        self.end_headers()
        size = max(1, -(-len(body) // 10))
        for begin in range(start, len(body), size):
            time.sleep(self.hub.seconds / 10)
            self.wfile.write(body[begin : begin + size])
            self.wfile.flush()


class HubHandler(Handler):
    """The Hub itself."""

    def _seen(self) -> list[tuple[str, str]]:
        return self.hub.requests

    def respond(self, path: str) -> None:
        routes = {
            r"/-/move/([^/]+/[^/]+)/(\w+)": self.move,
            r"/-/fault/(\d+)/(.*)": self.fail,
            r"/api/repos/create": self.create,
            r"/api/validate-yaml": self.validate,
            r"/api/whoami-v2": self.whoami,
            r"/api/models/([^/]+/[^/]+)(?:/revision/(.+))?": self.info,
            r"/api/models/([^/]+/[^/]+)/branch/(.+)": self.make_branch,
            r"/api/models/([^/]+/[^/]+)/preupload/(.+)": self.preupload,
            r"/api/models/([^/]+/[^/]+)/commit/(.+)": self.commit,
            r"/([^/]+/[^/]+)\.git/info/lfs/objects/batch": self.lfs_batch,
            r"/([^/]+/[^/]+)/lfs-verify": self.lfs_verify,
            r"/(.+?)/resolve/([^/]+)/(.+)": self.resolve,
        }
        for pattern, route in routes.items():
            if match := re.fullmatch(pattern, path):
                return route(*(group and unquote(group) for group in match.groups()))
        self.answer(404, {"error": "no such page"})

    @property
    def token(self) -> str:
        return self.headers.get("Authorization", "").removeprefix("Bearer ")

    def repo(self, name: str) -> Repo | None:
        """The repository, after its refusal was sent if there is none to be seen."""
        found = self.hub.repos.get(name)
        if self.token and self.token not in self.hub.tokens:
            self.answer(401, X_Error_Message="Invalid credentials in Authorization header")
        elif found is None or (found.private and not self.token):
            self.answer(404 if self.token else 401, X_Error_Code="RepoNotFound")
        elif name in self.hub.gated:
            self.answer(403, X_Error_Code="GatedRepo")
        else:
            return found
        return None

    def writable(self, name: str) -> Repo | None:
        """The repository, if this token may write there; else its refusal was sent."""
        if self.token not in self.hub.tokens:
            self.answer(401, {"error": "Invalid username or password."})
        elif not self.hub.tokens[self.token]:
            self.answer(403, {"error": "Forbidden: pass a token with the right to write"})
        else:
            return self.repo(name)
        return None

    # ---- reading --------------------------------------------------------------------------------------------

    def move(self, name: str, commit: str) -> None:
        self.hub.repos[name].branches["main"] = commit
        self.answer(200)

    def fail(self, code: str, where: str) -> None:
        self.hub.faults[:] = [Fault(where, status(int(code)))] if where else []
        self.answer(200)

    def resolve(self, name: str, revision: str, filename: str) -> None:
        if name in self.hub.renamed:
            place = f"/{self.hub.renamed[name]}/resolve/{revision}/{filename}"
            return self.answer(307, Location=place)
        repo = self.repo(name)
        if repo is None:
            return
        commit = repo.at(revision)
        if commit is None:
            return self.answer(404, X_Error_Code="RevisionNotFound")
        body = repo.commits[commit].get(filename)
        if body is None:
            return self.answer(404, X_Error_Code="EntryNotFound", X_Repo_Commit=commit)
        told = {"X_Repo_Commit": commit}
        if filename.endswith(LARGE):
            oid = hashlib.sha256(body).hexdigest()
            self.hub.store[oid] = body
            told |= {"X_Linked_Etag": f'"{oid}"', "X_Linked_Size": str(len(body))}
            return self.answer(302, Location=f"{self.hub.store_address}/{oid}", **told)
        if self.command == "GET":
            time.sleep(self.hub.seconds)
        self.answer(200, body, ETag=f'"{git_hash(body)}"', **told)

    def info(self, name: str, revision: str | None) -> None:
        repo = self.repo(name)
        if repo is None:
            return
        commit = repo.at(revision or "main")
        if commit is None and revision not in (None, "main"):
            return self.answer(404, X_Error_Code="RevisionNotFound")
        files = repo.commits.get(commit or "", {})
        siblings = [{"rfilename": filename} for filename in files]
        known = {"id": name, "modelId": name, "sha": commit, "private": repo.private, "tags": [], "downloads": 0}
        self.answer(200, {**known, "siblings": siblings})

    def whoami(self) -> None:
        self.answer(200, {"type": "user", "name": "me"}) if self.token in self.hub.tokens else self.answer(401)

    # ---- writing --------------------------------------------------------------------------------------------

    def create(self) -> None:
        wanted = json.loads(self.payload)
        name = f"{wanted.get('organization') or 'me'}/{wanted['name']}"
        url = {"url": f"{self.hub.address}/{name}"}
        if not self.hub.tokens.get(self.token):
            return self.answer(403 if self.token in self.hub.tokens else 401, {"error": "no right to write"})
        if name in self.hub.repos:
            return self.answer(409, {**url, "error": "You already created this model repo"})
        private = bool(wanted.get("private")) or wanted.get("visibility") == "private"
        repo = self.hub.repos[name] = Repo(private=private)
        repo.commit("main", {".gitattributes": b""}, summary="initial commit")
        self.answer(200, url)

    def validate(self) -> None:
        self.answer(200, {"errors": [], "warnings": []})

    def make_branch(self, name: str, branch: str) -> None:
        repo = self.writable(name)
        if repo is None:
            return
        start = json.loads(self.payload or b"{}").get("startingPoint", "main")
        repo.branches.setdefault(branch, repo.branches[start])
        self.answer(200, {})

    def preupload(self, name: str, revision: str) -> None:
        repo = self.writable(name)
        if repo is None:
            return
        held = repo.commits.get(repo.at(revision) or "", {})
        self.answer(200, {"files": [self._upload(asked, held) for asked in json.loads(self.payload)["files"]]})

    def _upload(self, asked: Mapping[str, Any], held: Mapping[str, bytes]) -> dict[str, Any]:
        """How a file is to be sent, and the hash of what is there under its name."""
        path, there = asked["path"], held.get(asked["path"])
        large = path.endswith(LARGE)
        known = {} if there is None else {"oid": hashlib.sha256(there).hexdigest() if large else git_hash(there)}
        return {"path": path, "uploadMode": "lfs" if large else "regular", "shouldIgnore": False, **known}

    def lfs_batch(self, name: str) -> None:
        if self.writable(name) is None:
            return
        objects = json.loads(self.payload)["objects"]
        for entry in objects:
            if entry["oid"] not in self.hub.store:
                place = {"href": f"{self.hub.store_address}/{entry['oid']}"}
                entry["actions"] = {"upload": place, "verify": {"href": f"{self.hub.address}/{name}/lfs-verify"}}
        self.answer(200, {"transfer": "basic", "objects": objects})

    def lfs_verify(self, name: str) -> None:
        asked = json.loads(self.payload)
        self.answer(200 if len(self.hub.store.get(asked["oid"], b"")) == asked["size"] else 404, {})

    def commit(self, name: str, revision: str) -> None:
        repo = self.writable(name)
        if repo is None:
            return
        lines = [json.loads(line) for line in self.payload.splitlines() if line]
        header = next(line["value"] for line in lines if line["key"] == "header")
        parent = repo.at(revision)
        if header.get("parentCommit") not in (None, parent):
            return self.answer(412, {"error": "A commit has happened since. Please refresh and try again."})
        files = dict(repo.commits.get(parent or "", {}))
        for line in lines:
            value = line["value"]
            if line["key"] == "file":
                files[value["path"]] = base64.b64decode(value["content"])
            elif line["key"] == "lfsFile":
                if value["oid"] not in self.hub.store:
                    return self.answer(400, {"error": f"{value['path']} was not uploaded"})
                files[value["path"]] = self.hub.store[value["oid"]]
            elif line["key"] == "deletedFile":
                del files[value["path"]]
        number, told = None, {"summary": header["summary"], "description": header.get("description", "")}
        if parse_qs(self.url.query).get("create_pr"):
            number = 1 + sum(branch.startswith("refs/pr/") for branch in repo.branches)
            revision = f"refs/pr/{number}"
        oid = repo.commit(revision, files, **told)
        made = {"commitUrl": f"{self.hub.address}/{name}/commit/{oid}", "commitOid": oid, "success": True}
        request = {} if number is None else {"pullRequestUrl": f"{self.hub.address}/{name}/discussions/{number}"}
        self.answer(200, {**made, **request})


class Hub:
    """A running Hub, its store, and processes that take them for the real ones.

    Attributes:
        repos: The repositories, by name.
        renamed: Old name -> the name that readers are sent on to.
        gated: Names whose readers need a grant.
        tokens: Those that are known -> whether they may write.
        faults: What goes wrong.
        seconds: How long the Hub takes for the body of a file.
        requests: What the Hub was asked, and with which `Authorization`.
        store_requests: The same of the store.
    """

    def __init__(self, home: Path) -> None:
        self.home = home
        self.lock = threading.Lock()
        self.repos: dict[str, Repo] = {}
        self.renamed: dict[str, str] = {}
        self.gated: set[str] = set()
        self.tokens = {TOKEN: True, READER: False}
        self.faults: list[Fault] = []
        self.seconds = 0.0
        self.store: dict[str, bytes] = {}
        self.requests: list[tuple[str, str]] = []
        self.store_requests: list[tuple[str, str]] = []
        self.address = self.store_address = ""

    @contextmanager
    def serving(self) -> Iterator[Hub]:
        """The two servers, while they run."""
        servers = [_server(kind, self) for kind in (HubHandler, StoreHandler)]
        self.address, self.store_address = (f"http://127.0.0.1:{server.server_port}" for server in servers)
        threads = [threading.Thread(target=server.serve_forever, args=(0.05,)) for server in servers]
        for thread in threads:
            thread.start()
        try:
            yield self
        finally:
            for server, thread in zip(servers, threads, strict=True):
                server.shutdown()
                server.server_close()
                thread.join()

    def environment(self, **changes: str) -> dict[str, str]:
        """The environment of a process that takes this for the Hub."""
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("HF_", "HUGGING"))}
        own = {"HF_ENDPOINT": self.address, "HF_HOME": str(self.home), "HF_HUB_DISABLE_TELEMETRY": "1"}
        return {**kept, **own, "HF_HUB_DISABLE_XET": "1", "NO_PROXY": "127.0.0.1", **changes}

    def start(self, code: str, **environment: str) -> subprocess.Popen[str]:
        """Start a process that runs `code`."""
        command = [sys.executable, "-c", PREAMBLE + textwrap.dedent(code)]
        pipes = dict.fromkeys(("stdin", "stdout", "stderr"), subprocess.PIPE)
        return subprocess.Popen(command, env=self.environment(**environment), text=True, **pipes)

    def run(self, code: str, **environment: str) -> list[str]:
        """The requests of a process that runs `code`, which must succeed without naming the token."""
        self.requests.clear()
        self.store_requests.clear()
        process = self.start(code, **environment)
        output, errors = process.communicate(timeout=120)
        assert process.returncode == 0, errors
        assert not any(token in output + errors for token in self.tokens)
        return [request for request, _ in self.requests]


def _server(kind: type[Handler], hub: Hub) -> ThreadingHTTPServer:
    server = ThreadingHTTPServer(("127.0.0.1", 0), type(kind.__name__, (kind,), {"hub": hub}))
    server.handle_error = lambda request, client: None  # a client that was killed
    return server


def git_hash(body: bytes) -> str:
    """What git calls a file of this content."""
    return hashlib.sha1(b"blob %d\0" % len(body) + body).hexdigest()
