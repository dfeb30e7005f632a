"""CamemBERT, for the tests: RoBERTa's, under a name of its own."""

from __future__ import annotations

from dataclasses import replace

from tests.specs import roberta

SPEC = replace(roberta.SPEC, model_type="camembert")
