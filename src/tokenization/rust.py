"""The `tokenizers` library behind the fast tokenizers: its errors made clear, its state kept."""

from __future__ import annotations

import os
from typing import Any, NamedTuple, Self

from tokenizers import AddedToken, Tokenizer, models, normalizers, pre_tokenizers, processors

from ..files.errors import FileError, InputError, three_beats
from ..files.strict_json import load_json_object
from .options import Limits, PaddingStrategy
from .reading import check_file

#: The class of what the library raises where it did not expect to fail; it cannot be imported.
_PANIC = "PanicException"


class backend_errors:
    """A context in which what the library raises becomes a refusal with three beats.

    Raises:
        InputError: The library raised; its reason is in the message.
    """

    def __init__(self, doing: str, expected: str, remedy: str) -> None:
        self._beats = (doing, expected, remedy)

    def __enter__(self) -> None:
        pass

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: object) -> None:
        # The library's errors are of the bare class `Exception`, its panics derive from BaseException alone.
        if isinstance(error, (TypeError, ValueError, OverflowError)) or kind is Exception or _is_panic(kind):
            doing, expected, remedy = self._beats
            raise InputError(three_beats(f"{doing}: {error}", expected, remedy)) from error


def _is_panic(kind: type[BaseException] | None) -> bool:
    return kind is not None and kind.__name__ == _PANIC


def read_backend(path: str | os.PathLike[str]) -> Tokenizer:
    """A tokenizer from its tokenizer.json.

    Raises:
        FileError: The file is missing, is not JSON, or describes no tokenizer.
    """
    source = check_file(path)
    try:
        with backend_errors(source, "a tokenizer.json", "Fetch or save it again."):
            return Tokenizer.from_file(source)
    except InputError as error:
        # The strict loader's reason is the better one where the file is not even a JSON object.
        document = load_json_object(source)
        missing = [name for name in ("model", "added_tokens") if name not in document]
        found = f"{source} lacks {missing[0]!r}" if missing else f"{source} describes no tokenizer"
        raise FileError(
            three_beats(f"{found} ({error.__cause__})", "a tokenizer.json", "Fetch or save it again.")
        ) from error


def set_truncation(backend: Tokenizer, limits: Limits, side: str) -> None:
    """Make the backend cut as a call wants it, or not at all."""
    if not limits.truncates:
        if backend.truncation is not None:
            backend.no_truncation()
        return
    wanted = {
        "max_length": limits.max_length,
        "stride": limits.stride,
        "strategy": limits.truncation.value,
        "direction": side,
    }
    if backend.truncation != wanted:
        with backend_errors(
            f"cannot truncate to {limits.max_length} tokens with stride={limits.stride}",
            "a stride smaller than the room that special tokens leave",
            "Raise max_length or lower stride.",
        ):
            backend.enable_truncation(**wanted)


def set_padding(backend: Tokenizer, limits: Limits, side: str, token: str, index: int, type_id: int) -> None:
    """Make the backend fill up as a call wants it, or not at all."""
    if not limits.pads:
        if backend.padding is not None:
            backend.no_padding()
        return
    wanted = {
        "length": limits.max_length if limits.padding is PaddingStrategy.MAX_LENGTH else None,
        "direction": side,
        "pad_id": index,
        "pad_token": token,
        "pad_type_id": type_id,
        "pad_to_multiple_of": limits.pad_to_multiple_of,
    }
    if backend.padding != wanted:
        with backend_errors("cannot pad", "a length within range", "Lower max_length."):
            backend.enable_padding(**wanted)


def draws(backend: Tokenizer) -> bool:
    """Whether a backend cuts the same word in different ways, as chance has it."""
    return any(getattr(backend.model, name, None) for name in ("dropout", "alpha", "nbest_size"))


class Snapshot(NamedTuple):
    """The parts of a backend as they stand: shared with it, so that taking them costs nothing."""

    model: models.Model
    normalizer: normalizers.Normalizer | None
    pre_tokenizer: pre_tokenizers.PreTokenizer | None
    post_processor: processors.PostProcessor | None
    added_tokens: dict[int, AddedToken]
    encode_special_tokens: bool
    truncation: dict[str, Any] | None
    padding: dict[str, Any] | None

    @classmethod
    def of(cls, backend: Tokenizer) -> Self:
        """The parts of a backend."""
        return cls(
            backend.model,
            backend.normalizer,
            backend.pre_tokenizer,
            backend.post_processor,
            backend.get_added_tokens_decoder(),
            backend.encode_special_tokens,
            backend.truncation,
            backend.padding,
        )

    def backend(self) -> Tokenizer:
        """Another backend of the same parts, which encodes as the first one did."""
        backend = Tokenizer(self.model)
        backend.normalizer = self.normalizer
        backend.pre_tokenizer = self.pre_tokenizer
        backend.post_processor = self.post_processor
        backend.add_tokens([token for _, token in sorted(self.added_tokens.items())])
        backend.encode_special_tokens = self.encode_special_tokens
        if self.truncation is not None:
            backend.enable_truncation(**self.truncation)
        if self.padding is not None:
            backend.enable_padding(**self.padding)
        return backend


def saved_settings(backend: Tokenizer) -> dict[str, Any]:
    """The truncation and padding inside a tokenizer.json, as the configuration file spells them out."""
    settings: dict[str, Any] = {}
    if backend.truncation is not None:
        settings["max_length"] = backend.truncation["max_length"]
        settings["truncation_side"] = backend.truncation["direction"]
        settings["stride"] = backend.truncation["stride"]
        settings["truncation_strategy"] = backend.truncation["strategy"]
    if backend.padding is not None:
        settings["pad_token"] = backend.padding["pad_token"]
        settings["pad_token_type_id"] = backend.padding["pad_type_id"]
        settings["padding_side"] = backend.padding["direction"]
        settings["max_length"] = backend.padding["length"]
        settings["pad_to_multiple_of"] = backend.padding["pad_to_multiple_of"]
    return settings
