"""What `triformers inspect` shows of a checkpoint's tokenizer."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..auto.tokenization import AutoTokenizer
from ..files.errors import TriformersError
from ..hub.find import HubOptions, Repository
from ..tokenization.fingerprint import FINGERPRINT_FILE, fingerprint_of, recorded_fingerprint
from ..tokenization.saving import BACKEND_FILE, CONFIG_FILE

#: How much of a fingerprint is shown to people.
_SHOWN = 12


def tokenizer_of(repository: Repository, options: HubOptions) -> dict[str, Any] | None:
    """The facts about a checkpoint's tokenizer, or why it does not load; None where there is none."""
    if repository.first((CONFIG_FILE, BACKEND_FILE), required=False) is None:
        return None
    where = {"revision": repository.commit} if repository.commit is not None else {}
    try:
        tokenizer = AutoTokenizer.from_pretrained(repository.name, fingerprint=False, verify=options.verify, **where)
        recorded = recorded_fingerprint(repository.file(FINGERPRINT_FILE, required=False), tokenizer)
        templates = tokenizer.chat_template
        return {
            "class": type(tokenizer).__name__,
            "tokens": len(tokenizer),
            "chat_templates": list(templates) if isinstance(templates, dict) else ["default"] * (templates is not None),
            "fingerprint": fingerprint_of(tokenizer),
            "recorded": recorded,
        }
    except TriformersError as error:
        return {"reason": str(error)}


def is_changed(tokenizer: Mapping[str, Any] | None) -> bool:
    """Whether a tokenizer is another one than that whose fingerprint was saved."""
    recorded = None if tokenizer is None else tokenizer.get("recorded")
    return tokenizer is not None and recorded is not None and recorded != tokenizer["fingerprint"]


def tokenizer_line(tokenizer: Mapping[str, Any]) -> str:
    """The facts in a line."""
    if "reason" in tokenizer:
        return f"tokenizer: does not load: {tokenizer['reason']}"
    recorded = tokenizer["recorded"]
    said = "none was saved" if recorded is None else "as it was saved"
    if is_changed(tokenizer):
        said = f"CHANGED, {str(recorded)[:_SHOWN]} was saved"
    templates = f", chat templates: {', '.join(tokenizer['chat_templates'])}" if tokenizer["chat_templates"] else ""
    return (
        f"tokenizer: {tokenizer['class']}, {tokenizer['tokens']:,} tokens, "
        f"fingerprint {tokenizer['fingerprint'][:_SHOWN]} ({said}){templates}"
    )
