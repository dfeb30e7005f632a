"""What runs in the processes that take the loopback for the Hub."""

from __future__ import annotations

TOKEN = "hf_secretsecretsecret"
READER = "hf_readonlyreadonly"
FIRST, SECOND = "1" * 40, "2" * 40  # commits that tests make by hand

#: What each of them begins with.
PREAMBLE = f"""
import os, sys, time, traceback, urllib.parse, urllib.request
from triformers.files.errors import FileError, InputError
from triformers.hub import HubOptions, Repository, find_file, find_first
TOKEN, READER, FIRST, SECOND = {(TOKEN, READER, FIRST, SECOND)!r}

def tell(what):
    urllib.request.urlopen(os.environ["HF_ENDPOINT"] + "/-/" + urllib.parse.quote(what)).read()

def move(commit, name="org/model"):
    tell(f"move/{{name}}/{{commit}}")

def fail(code=0, where=""):
    "Have the Hub answer some requests with this status, and no other."
    tell(f"fault/{{code}}/{{where}}")

def quick():
    "Let huggingface_hub try again without waiting."
    time.sleep = lambda seconds: None

def clear(reason, action):
    "The error that an action gives: one of this library's, in three beats, on one line, without the token."
    try:
        found = action()
    except (FileError, InputError) as error:
        text = str(error)
        assert reason in text, text
        assert "; expected " in text and "\\n" not in text and len(text) < 500, text
        said = "".join(traceback.format_exception(error))
        assert TOKEN not in said and READER not in said, said
        return error
    raise AssertionError(f"found {{found}}")

def refused(reason, name, *files, required=True, **options):
    options = {{"token": TOKEN, **options}}
    find = lambda: Repository(name, HubOptions(**options)).first(files or ["config.json"], required=required)
    assert isinstance(clear(reason, find), OSError)
"""

#: Fails when anything asks for a connection, or for an address.
WATCHED = """
def watch(event, arguments):
    assert not event.startswith(("socket.connect", "socket.getaddrinfo", "socket.gethostby", "socket.sendto")), event
sys.addaudithook(watch)
"""
