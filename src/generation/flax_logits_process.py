"""Logits processors under the module path that Flax users of 4.x import them from."""

from .logits_process import __getattr__ as __getattr__
