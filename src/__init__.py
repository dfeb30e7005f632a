"""triformers: one checkpoint, three frameworks, the same function.

Importing this package imports no framework: a name is looked up when it is first asked for, in the cards of the
architectures (`models/<arch>/__init__.py`) or in the table of shared names (`names.py`).
"""

from __future__ import annotations

import importlib
import importlib.util
import sys
from typing import Any

if __name__ != "triformers":
    raise ImportError(
        f"the folder `src` was imported as {__name__!r}; expected it under its package name. "
        "Install the project (`make setup`) and write `import triformers`."
    )

__version__ = "0.1.0"


def __getattr__(name: str) -> Any:
    if name.startswith("__"):
        raise AttributeError(name)
    value = _find(name)
    globals()[name] = value
    return value


def _find(name: str) -> Any:
    from .cards import public_names, resolve_class
    from .files.errors import UnknownNameError
    from .names import SHARED_NAMES

    if name in SHARED_NAMES:
        return getattr(importlib.import_module(f".{SHARED_NAMES[name]}", __name__), name)
    if name not in public_names() and importlib.util.find_spec(f"{__name__}.{name}") is not None:
        return importlib.import_module(f".{name}", __name__)  # `from triformers import modeling_outputs`
    try:
        return resolve_class(name, SHARED_NAMES)
    except UnknownNameError as error:
        # `from triformers import X` replaces an AttributeError's message by a bare one; an ImportError's stays.
        if sys._getframe(2).f_globals.get("__name__") == "importlib._bootstrap":
            raise ImportError(str(error)) from None
        raise


def __dir__() -> list[str]:
    from .cards import public_names
    from .names import SHARED_NAMES

    return sorted({*globals(), *SHARED_NAMES, *public_names()})
