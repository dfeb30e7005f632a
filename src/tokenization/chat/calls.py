"""The calls that lay out a conversation: by a template, to text, and on to ids."""

from __future__ import annotations

import logging
import os
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from ...files.errors import InputError, three_beats
from ..errors import ArgumentTypeError, EmptyError
from ..inputs import describe
from ..options import TensorType, TruncationStrategy
from .tools import tool_schemas

if TYPE_CHECKING:
    from ..batch_encoding import BatchEncoding
    from ..calls import Padding
    from .rendering import Rendered

logger = logging.getLogger(__name__)

_GENERATION = re.compile(r"\{%-?\s*generation\s*-?%\}")

Tools = Sequence[Mapping[str, Any] | Callable[..., Any]]
Conversation = Sequence[Mapping[str, Any]]


class ChatTemplates:
    """What every tokenizer does with conversations.

    Attributes:
        chat_template: A Jinja template, or several by name.
    """

    chat_template: str | dict[str, str] | None

    def apply_chat_template(
        self,
        conversation: Conversation | Sequence[Conversation],
        tools: Tools | None = None,
        documents: Sequence[Mapping[str, Any]] | None = None,
        chat_template: str | None = None,
        add_generation_prompt: bool = False,
        continue_final_message: bool = False,
        tokenize: bool = True,
        padding: Padding = False,
        truncation: bool | str | TruncationStrategy = False,
        max_length: int | None = None,
        return_tensors: str | TensorType | None = None,
        return_dict: bool = False,
        return_assistant_tokens_mask: bool = False,
        tokenizer_kwargs: Mapping[str, Any] | None = None,
        **kwargs: Any,
    ) -> Any:
        """Lay out a conversation as the model knows it: as ids, or as text.

        A template is a program that came with the model. It runs in a sandbox, and on a budget of steps and of
        characters that grows with what it is given: `docs/tokenizers.md` has the numbers.

        Args:
            conversation: Messages, each a dict with `role` and `content`; or a batch of conversations.
            tools: JSON schemas, or functions with annotations and docstrings, which become such.
            documents: Dicts with `title` and `text`, for templates that take them.
            chat_template: A template, or the name of one of the tokenizer's; None is the tokenizer's own.
            add_generation_prompt: End with what comes before an answer of the assistant.
            continue_final_message: End with the last message, unfinished.
            tokenize: Give ids; False gives text.
            padding, truncation, max_length, return_tensors: As for the tokenizer's call.
            return_dict: Give all fields, not the ids alone.
            return_assistant_tokens_mask: Add the field `assistant_masks`: 1 for each token of a
                `{% generation %}` block of the template.
            tokenizer_kwargs: Further arguments of the tokenizer's call.
            kwargs: Further variables of the template.

        Returns:
            The text, the ids [T], or the encoding; a list of them [B], or rows [B, T], for a batch.

        Raises:
            InputError: Arguments that exclude each other, no template, or messages that are none.
            ChatTemplateError: The template fails, refuses the conversation, or takes too much; it is a
                `ValueError` and a `jinja2.TemplateError`.
        """
        _check_choices(
            tokenize, return_dict, return_assistant_tokens_mask, add_generation_prompt, continue_final_message
        )
        template = self.get_chat_template(chat_template, tools)
        conversations, is_batched = _conversations(conversation)
        if return_assistant_tokens_mask and not _GENERATION.search(template):
            logger.warning("the assistant's tokens were asked for, and the chat template has no {% generation %}.")
        given = {
            **self.special_tokens_map,  # type: ignore[attr-defined]
            **kwargs,
            "tools": tool_schemas(tools),
            "documents": _documents(documents),
            "add_generation_prompt": add_generation_prompt,
        }
        rendered = [_rendered(template, messages, given, continue_final_message) for messages in conversations]
        texts = [one.text for one in rendered] if is_batched else rendered[0].text
        if not tokenize:
            return texts
        encoded = self(  # type: ignore[operator]
            texts,
            padding=padding,
            truncation=truncation,
            max_length=max_length,
            add_special_tokens=False,
            return_tensors=return_tensors,
            **(tokenizer_kwargs or {}),
        )
        if not return_dict:
            return encoded["input_ids"]
        if return_assistant_tokens_mask:
            _add_masks(encoded, rendered, has_rows=is_batched or return_tensors is not None)
            encoded.convert_to_tensors(return_tensors)
        return encoded

    def get_chat_template(self, chat_template: str | None = None, tools: Tools | None = None) -> str:
        """The template that a call uses.

        Args:
            chat_template: The name of one of the tokenizer's templates, or a template.
            tools: Whether there are any: of several templates the one named `tool_use` is then taken.

        Raises:
            InputError: There is none, or several and none named `default`.
        """
        own = checked_templates(self.chat_template)
        if not isinstance(own, dict):
            template = own if chat_template is None else chat_template
        elif chat_template is not None:
            template = own.get(chat_template, chat_template)
        else:
            template = own.get("tool_use") if tools is not None else None
            template = own.get("default") if template is None else template
        if template is None:
            names = ", ".join(sorted(own)) if isinstance(own, dict) else ""
            raise InputError(
                three_beats(
                    f"this tokenizer's chat templates are {names}" if names else "this tokenizer has no chat template",
                    "chat_template=..., a template or the name of one",
                    "Pass it, or set tokenizer.chat_template.",
                )
            )
        return template

    def save_chat_templates(
        self,
        save_directory: str | os.PathLike[str],
        tokenizer_config: dict[str, Any],
        filename_prefix: str | None,
        save_jinja_files: bool,
    ) -> tuple[dict[str, Any], list[str]]:
        """Write the templates' files, or put the templates into a configuration; `save_pretrained` does it all.

        Returns:
            The configuration (changed in place), and the paths of the files.

        Raises:
            FileError: The directory cannot be written.
            InputError: A template's name cannot be a file's.
        """
        from ..saving import write_files
        from .files import templates_of

        files, entry = templates_of(self.chat_template, save_jinja_files)
        if entry is not None:
            tokenizer_config["chat_template"] = entry
        return tokenizer_config, list(write_files(save_directory, filename_prefix, files)) if files else []


def checked_templates(value: Any) -> str | dict[str, str] | None:
    """One template, or name -> template, which files also write as a list.

    Raises:
        ArgumentTypeError: It is neither.
    """
    templates = value
    if isinstance(value, (list, tuple)) and all(isinstance(entry, dict) for entry in value):
        templates = {entry.get("name"): entry.get("template") for entry in value}
    if templates is None or isinstance(templates, str):
        return templates
    if isinstance(templates, dict) and all(isinstance(part, str) for item in templates.items() for part in item):
        return templates
    raise ArgumentTypeError(
        three_beats(f"chat_template is {describe(value)}", "a template, or a dict of them by name", "Correct it.")
    )


def _check_choices(
    tokenize: bool, return_dict: bool, return_mask: bool, add_generation_prompt: bool, continue_final_message: bool
) -> None:
    """Refuse arguments that exclude each other."""
    for wrong, found, expected in (
        (return_dict and not tokenize, "return_dict=True with tokenize=False", "one of them: a text has no fields"),
        (return_mask and not return_dict, "return_assistant_tokens_mask=True", "return_dict=True beside it"),
        (
            continue_final_message and add_generation_prompt,
            "continue_final_message=True with add_generation_prompt=True",
            "one of them: the last message goes on, or a new one begins",
        ),
        (
            continue_final_message and return_mask,
            "continue_final_message=True with return_assistant_tokens_mask=True",
            "one of them",
        ),
    ):
        if wrong:
            raise InputError(three_beats(f"apply_chat_template() was given {found}", expected, "Correct the call."))


def _conversations(conversation: Any) -> tuple[list[Any], bool]:
    """Conversations as lists of messages, and whether a batch of them was given."""
    if not isinstance(conversation, (list, tuple)) and not hasattr(conversation, "messages"):
        raise ArgumentTypeError(
            three_beats(f"the conversation is {describe(conversation)}", "a list of messages", "Write [{...}, ...].")
        )
    if not hasattr(conversation, "messages") and len(conversation) == 0:
        raise EmptyError(three_beats("the conversation is empty", "at least one message", "Add a message."))
    first = None if hasattr(conversation, "messages") else conversation[0]
    is_batched = isinstance(first, (list, tuple)) or hasattr(first, "messages")
    return [getattr(one, "messages", one) for one in (conversation if is_batched else [conversation])], is_batched


def _documents(documents: Any) -> Any:
    if documents is None:
        return None
    if not isinstance(documents, Iterable) or not all(isinstance(document, dict) for document in documents):
        raise ArgumentTypeError(
            three_beats(
                f"the documents are {describe(documents)}",
                "a list of dicts, each with a title and a text",
                "Write documents=[{'title': ..., 'text': ...}].",
            )
        )
    return documents


def _rendered(template: str, messages: Any, given: Mapping[str, Any], continue_final_message: bool) -> Rendered:
    from .rendering import render

    if "messages" in given:
        raise ArgumentTypeError(
            three_beats("apply_chat_template() was given messages=", "the conversation alone", "Leave it out.")
        )
    rendered = render(template, {**given, "messages": messages})
    if not continue_final_message:
        return rendered
    return rendered._replace(text=_up_to_the_final(messages, rendered.text))


def _up_to_the_final(messages: Any, text: str) -> str:
    """The text without what comes after the words of the last message.

    Raises:
        InputError: The last message has no words, or the template changed them.
    """
    words = _words_of(messages[-1] if messages else None)
    stripped = words.strip()
    start = text.rfind(stripped)
    if start < 0:
        raise InputError(
            three_beats(
                f"the chat template does not give the final message as it is: {describe(stripped)}",
                "a template that does, for continue_final_message=True",
                "Correct the template, or end the conversation with another message.",
            )
        )
    # A template may strip what it is given: what it left of the spaces is the end.
    kept = words if text.startswith(words, start) else stripped
    return text[: start + len(kept)]


def _words_of(message: Any) -> str:
    """The text of a message; the last one, where its content is in parts."""
    content = message.get("content") if isinstance(message, Mapping) else None
    if isinstance(content, (list, tuple)):
        parts = (part.get("text") for part in reversed(content) if isinstance(part, Mapping))
        content = next((part for part in parts if part is not None), None)
    if not isinstance(content, str):
        raise ArgumentTypeError(
            three_beats(
                f"the final message is {describe(message)}",
                "a message with text, for continue_final_message=True",
                "End the conversation with the text to go on with.",
            )
        )
    return content


def _add_masks(encoded: BatchEncoding, rendered: Sequence[Rendered], has_rows: bool) -> None:
    """Add which tokens are the assistant's, in the form of the ids."""
    ids = encoded["input_ids"] if has_rows else [encoded["input_ids"]]
    masks = []
    for number, row in enumerate(ids):
        mask = [0] * len(row)
        for start, end in rendered[min(number, len(rendered) - 1)].spans:
            first = encoded.char_to_token(number, start)
            if first is None:  # cut off, or a space: 4.53.3 looks at no further block then
                break
            last = encoded.char_to_token(number, end - 1) if end else None
            stop = last + 1 if last else len(row)  # a block that ends in a space has no end in 4.53.3
            mask[first:stop] = [1] * (stop - first)
        masks.append(mask)
    encoded["assistant_masks"] = masks if has_rows else masks[0]
