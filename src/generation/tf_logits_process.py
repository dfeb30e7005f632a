"""Logits processors under the module path that TensorFlow users of 4.x import them from."""

from .logits_process import __getattr__ as __getattr__
