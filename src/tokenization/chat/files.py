"""Where chat templates are kept: one in chat_template.jinja, others by name in a folder; in the JSON of older files."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from ...files.errors import FileError, InputError, three_beats
from ...files.paths import check_name
from ..reading import read_text
from .calls import checked_templates

TEMPLATE_FILE = "chat_template.jinja"
TEMPLATES_FOLDER = "additional_chat_templates"
_SUFFIX = ".jinja"
_DEFAULT = "default"
#: Far more than the longest template has.
_MAX_BYTES = 2**22


def templates_of(chat_template: Any, as_files: bool = True) -> tuple[dict[str, str], Any]:
    """Templates as they are saved.

    Args:
        chat_template: One template, several by name, or None.
        as_files: Whether they go into files of their own.

    Returns:
        The files by name, and what goes into tokenizer_config.json (None: nothing).

    Raises:
        ArgumentTypeError: They are no templates.
        InputError: A name that cannot be a file's.
    """
    templates = checked_templates(chat_template)
    if not as_files or not isinstance(chat_template, (str, dict)):
        if isinstance(templates, dict):
            return {}, [{"name": name, "template": text} for name, text in templates.items()]
        return {}, templates
    if isinstance(templates, str):
        return {TEMPLATE_FILE: templates}, None
    return {_file_of(name): text for name, text in (templates or {}).items()}, None


def read_templates(path: Path | None, named: dict[str, Path]) -> str | dict[str, str] | None:
    """The templates in files of their own, None where there are none.

    Args:
        path: That of chat_template.jinja.
        named: The paths of the others by name; one named `default` wins over chat_template.jinja.

    Raises:
        FileError: One of them is no text, or too large.
    """
    default = None if path is None else read_text(path, _MAX_BYTES)
    if not named:
        return default
    templates = {} if default is None else {_DEFAULT: default}
    return templates | {name: read_text(path, _MAX_BYTES) for name, path in named.items()}


def template_names(folder: str | os.PathLike[str]) -> list[str]:
    """The names of the templates in a directory's folder for them."""
    try:
        found = sorted(Path(folder, TEMPLATES_FOLDER).iterdir())
    except OSError:
        return []
    return [path.name.removesuffix(_SUFFIX) for path in found if path.suffix == _SUFFIX and path.is_file()]


def named_file(name: str) -> str:
    """The name of the file of a template in the folder for them."""
    return f"{TEMPLATES_FOLDER}/{name}{_SUFFIX}"


def _file_of(name: str) -> str:
    """The file that a template is saved in.

    Raises:
        InputError: The name cannot be a file's.
    """
    if name == _DEFAULT:
        return TEMPLATE_FILE
    file = named_file(name)
    try:
        is_plain = check_name(file, within=TEMPLATES_FOLDER) == file and "/" not in name
    except FileError:
        is_plain = False
    if not is_plain or not name:
        raise InputError(three_beats(f"a chat template is named {name!r}", "a name that a file can have", "Rename it."))
    return file
