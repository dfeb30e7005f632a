"""RoBERTa-PreLayerNorm, for the tests: RoBERTa's inputs and options, and a norm that stands elsewhere."""

from __future__ import annotations

from dataclasses import replace

from tests.specs import roberta

SPEC = replace(roberta.SPEC, model_type="roberta-prelayernorm")
