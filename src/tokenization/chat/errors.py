"""What a chat template can fail with: errors of this library that are Jinja's too, as callers catch them."""

from __future__ import annotations

from jinja2 import TemplateError

from ...files.errors import InputError


class ChatTemplateError(InputError, TemplateError):
    """A template that is none, that failed, or that refuses the conversation."""


class ChatTemplateTypeError(ChatTemplateError, TypeError):
    """A template that met a value of a type that it does not expect."""


class ChatTemplateCostError(ChatTemplateError):
    """A template that would take too long, or too much memory."""
