"""The `triformers` command. Each verb is a module of this package, imported when it is asked for."""

from __future__ import annotations

import argparse
import importlib
import os
import sys
from collections.abc import Mapping, Sequence

from .. import __version__
from ..files.errors import TriformersError

#: Verb -> what it does. Its module has the same name, a function `add_arguments` and a function `run`.
VERBS: Mapping[str, str] = {
    "architectures": "print the architectures and their classes in each framework",
    "convert": "write a checkpoint in another format, another type, or other shards",
    "explain": "print where every tensor of a model is, in the file and in the framework",
    "inspect": "print what a checkpoint holds, and which classes can load it",
    "verify": "compare two checkpoints, or one checkpoint in several frameworks",
}

#: Exit statuses: the answer is yes; it is no (`verify`: not the same); there is no answer.
YES, NO, ERROR = 0, 1, 2


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command.

    Args:
        argv: Its arguments; those of the process if None.

    Returns:
        The exit status: 0; 1 if `verify` finds a difference; 2 after an error, told in one line.

    Raises:
        SystemExit: After `--help` and `--version`, and for arguments that are none.
    """
    arguments = sys.argv[1:] if argv is None else list(argv)
    verb = next((word for word in arguments if not word.startswith("-")), None)
    options = _parser(verb).parse_args(arguments)
    try:
        status = options.run(options)
        sys.stdout.flush()  # so that a pipe that was closed shows here
        return status
    except TriformersError as error:
        print(f"triformers: {' '.join(str(error).split())}", file=sys.stderr)
        return ERROR
    except BrokenPipeError:  # the reader has seen enough (`| head`): no error, but nobody to tell
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return ERROR


def _parser(verb: str | None) -> argparse.ArgumentParser:
    """The parser of the whole command; only the verb that is asked for has its arguments in it."""
    description = "One checkpoint, three frameworks, the same function."
    parser = argparse.ArgumentParser("triformers", description=description)
    parser.add_argument("--version", action="version", version=f"triformers {__version__}")
    verbs = parser.add_subparsers(title="verbs", metavar="VERB", required=True)
    for name, line in VERBS.items():
        own = verbs.add_parser(name, help=line, description=line[0].upper() + line[1:] + ".")
        if name == verb:
            module = importlib.import_module(f".{name}", __name__)
            module.add_arguments(own)
            own.set_defaults(run=module.run)
    return parser
