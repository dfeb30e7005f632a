"""What a test registers is forgotten after it."""

from __future__ import annotations

import pytest

from triformers.auto import configuration, models, registered, tokenization


@pytest.fixture(autouse=True)
def _nothing_stays_registered(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, users in {
        "CONFIGS": (registered, configuration),
        "TOKENIZERS": (registered, tokenization),
        "MODELS": (registered, models),
    }.items():
        fresh: dict = {}
        for module in users:
            monkeypatch.setattr(module, name, fresh)
