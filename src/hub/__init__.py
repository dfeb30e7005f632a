"""Where the files of a checkpoint come from: a directory on this machine, or the Hugging Face Hub."""

from __future__ import annotations

from .find import HubOptions, Repository, find_file, find_first

__all__ = ["HubOptions", "Repository", "find_file", "find_first"]
