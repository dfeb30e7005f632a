"""The output types under the module path that Flax users of 4.x import them from."""

from .outputs import __getattr__ as __getattr__
