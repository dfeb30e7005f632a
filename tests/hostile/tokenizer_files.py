"""Tokenizer files that are none, that contradict themselves, or that ask for more than a tokenizer."""

from __future__ import annotations

import copy
from collections.abc import Iterator, Mapping
from typing import Any

from tests.hostile.corpus import BACKEND_VALUES, TOKENIZER, TOKENIZER_VALUES, WORDS, Case, as_json
from tests.hostile.json_texts import NO_OBJECTS

CONFIG, BACKEND, VOCABULARY = "tokenizer_config.json", "tokenizer.json", "vocab.txt"
SPECIAL, ADDED = "special_tokens_map.json", "added_tokens.json"
SLOW, FAST = ("AutoTokenizer, slow",), ("AutoTokenizer", "Tokenizer")
NO_BACKEND, NO_VOCABULARY = frozenset({BACKEND}), frozenset({VOCABULARY})
#: Texts that tokenizer_config.json may be: its numbers may be infinite.
ALLOWED = ("not a number", "infinity", "minus infinity", "a number beyond float64")

#: Values of tokenizer_config.json that are wrong.
WRONG: Mapping[str, tuple[Any, ...]] = {
    "tokenizer_class": (7, [], {}, "os.system", "../x", "__main__.Evil", "NoSuchTokenizer"),
    "added_tokens_decoder": (
        [], 7, "x", {"x": {"content": "a"}}, {"-1": {"content": "a"}}, {"4294967296": {"content": "a"}},
        {"9" * 5000: {"content": "a"}}, {"1": "a"}, {"1": {}}, {"1": {"content": 7}}, {"1": {"content": ["a"]}},
        {"1": {"content": "a", "special": "yes"}}, {"1": {"content": "a", "lstrip": None}}, {"1": None},
    ),
    "additional_special_tokens": (7, "x", {}, [7], [None], [[]]),
    "model_max_length": ("x", [], {}, True),
    "padding_side": (7, "up", []),
    "truncation_side": (7, "up", []),
    "unk_token": (7, [], {}, {"content": 7}, True),
    "cls_token": (["a"], {"__type": "AddedToken"}, 1.5),
    "extra_special_tokens": (7, "x"),
    "model_input_names": (7, "x", {}),
    "clean_up_tokenization_spaces": (7, "x", []),
    "split_special_tokens": (7, "x"),
}  # fmt: skip
#: Keys of tokenizer_config.json that would turn on code, a network or a path if anyone took them from there.
ASKING: Mapping[str, Any] = {
    "auto_map": {"AutoTokenizer": ["evil.Tokenizer", "evil.TokenizerFast"]},
    "trust_remote_code": True,
    "vocab_file": "/etc/passwd",
    "tokenizer_file": "/etc/passwd",
    "special_tokens_map_file": "/etc/passwd",
    "name_or_path": "https://example.com/evil",
    "token": "hf_secret",
    "use_auth_token": "hf_secret",
    "cache_dir": "../outside",
    "proxies": {"https": "http://example.com"},
    "subfolder": "../outside",
    "revision": "evil",
    "verify": False,
    "init_inputs": [["/etc/passwd"]],
    "tokenizer_object": "evil",
    "self": "x",
    "from_pretrained": 1,
    "__class__": "evil",
    "backend": "custom",
    "tokenize": "evil",
    "encode": 1,
    "vocab": {"a": 1},
    "pretrained_vocab_files_map": {"vocab_file": {"x": "https://example.com"}},
    "chat_template_file": "/etc/passwd",
    "from_slow": True,
    "use_fast": False,
    "processor_class": "evil.Processor",
}


def split_by(pattern: str) -> dict[str, Any]:
    """A splitter by a pattern."""
    return {"pre_tokenizer": dict(type="Split", pattern={"Regex": pattern}, behavior="Removed", invert=False)}


def padded(strategy: Any) -> dict[str, Any]:
    """Padding in this way."""
    direction = dict(direction="Right", pad_to_multiple_of=None)
    return {"padding": dict(strategy=strategy, **direction, pad_id=0, pad_type_id=0, pad_token="[PAD]")}


def cut(length: Any, stride: int = 0) -> dict[str, Any]:
    """Truncation to a length."""
    return {"truncation": dict(max_length=length, strategy="LongestFirst", stride=stride, direction="Right")}


def model(**changes: Any) -> dict[str, Any]:
    """The sound model with some of its fields changed."""
    return {"model": {**BACKEND_VALUES["model"], **changes}}


def pairs(**fields: Any) -> dict[str, Any]:
    """A model of pairs, of one token."""
    return {"model": dict(type="BPE", vocab={"a": 0}, **fields)}


def added(**changes: Any) -> dict[str, Any]:
    """The first added token with some of its fields changed."""
    return {"added_tokens": [{**BACKEND_VALUES["added_tokens"][0], **changes}]}


TEMPLATE = dict(
    type="TemplateProcessing", single=[{"SpecialToken": {"id": "[X]", "type_id": 0}}], pair=[], special_tokens={}
)
#: Changes of tokenizer.json after which it describes no tokenizer, or one whose parts do not fit.
BROKEN: Mapping[str, Mapping[str, Any]] = {
    "no model": {"model": None},
    "a model that is a list": {"model": []},
    "a model of an unknown type": {"model": {"type": "Evil", "vocab": {}}},
    "a vocabulary of negative ids": model(vocab={"[UNK]": -1}),
    "a vocabulary of large ids": model(vocab={"[UNK]": 2**40}),
    "a vocabulary of fractions": model(vocab={"[UNK]": 1.5}),
    "a vocabulary that is a list": model(vocab=[["[UNK]", 0]]),
    "merges of unknown tokens": pairs(merges=["x y"]),
    "merges of one part": pairs(merges=["a"]),
    "merges of four parts": pairs(merges=[["a", "a", "a", "a"]]),
    "an unknown token beyond the vocabulary": {"model": {"type": "Unigram", "vocab": [["a", 0.0]], "unk_id": 2**40}},
    "a normalizer of an unknown type": {"normalizer": {"type": "Evil"}},
    "a normalizer that is a list": {"normalizer": [1]},
    "a character map that is none": {"normalizer": {"type": "Precompiled", "precompiled_charsmap": "////"}},
    "a pattern that is none": split_by("("),
    "a splitter of an unknown type": {"pre_tokenizer": {"type": "Evil"}},
    "a decoder of an unknown type": {"decoder": {"type": "Evil"}},
    "added tokens that are an object": {"added_tokens": {}},
    "added tokens of negative ids": added(id=-1),
    "added tokens without content": {"added_tokens": [{"id": 0}]},
    "truncation to a string": cut("x"),
    "padding by an unknown strategy": padded("Evil"),
    "a version that is a number": {"version": 7},
    "a version of tomorrow": {"version": "2.0"},
}

#: Changes after which it is still a tokenizer, which need not be refused but must cost nothing.
STRANGE: Mapping[str, Mapping[str, Any]] = {
    "padding to a terabyte": padded({"Fixed": 10**12}),
    "truncation to nothing": cut(0),
    "a stride beyond its length": cut(2, stride=10**9),
    "an id of four thousand million": model(vocab={"[UNK]": 0, "x": 2**32 - 1}),
    "an added token of a large id": added(id=2**32 - 1),
    "a pattern that takes for ever": split_by("(a+)+$"),
    "a pattern of a gigabyte": split_by("a{100000}" * 100),
    "a hundred normalizers in each other": {"normalizer": None},
    "a prefix of a megabyte": model(continuing_subword_prefix="#" * 10**6),
    "a template of unknown tokens": {"post_processor": TEMPLATE},
    "no tokens": {**model(vocab={}), "added_tokens": []},
    "words of any length": model(max_input_chars_per_word=2**60),
    "unknown keys": {"auto_map": {"x": "evil"}, "trust_remote_code": True},
}

VOCABULARIES: Mapping[str, bytes] = {
    "not UTF-8": b"[PAD]\n[UNK]\n\xff\xfe\n",
    "UTF-16": "[PAD]\n[UNK]\n".encode("utf-16"),
    "a pickle": b"\x80\2cos\nsystem\nX\x0e\0\0\0touch executed\x85R.",
}
STRANGE_VOCABULARIES: Mapping[str, bytes] = {
    "empty": b"",
    "a token twice": b"".join(f"{word}\n".encode() for word in [*WORDS, "a", "b"]),
    "a token of a megabyte": "".join(f"{word}\n" for word in [*WORDS, "x" * 10**6]).encode(),
    "NULs": b"[PAD]\n[UNK]\n[CLS]\n[SEP]\n[MASK]\n\0\n\0\0\n",
    "half a million tokens": b"\n".join([*(word.encode() for word in WORDS), *(b"%x" % n for n in range(150_000))]),
    "other ends of lines": "\r\n".join(WORDS).encode(),
}
ADDED_IDS: Mapping[str, Any] = {
    "a negative id": {"x": -1},
    "an id beyond 32 bits": {"x": 2**32},
    "an id that is a string": {"x": "7"},
    "an id that is a fraction": {"x": 1.5},
    "an id of 300 digits": {"x": 10**300},
    "an id that is null": {"x": None},
}


def cases() -> list[Case]:
    """The cases of this file."""
    return [*_of_config(), *_of_backend(), *_of_vocabulary(), *_of_older_files()]


def _of_config() -> Iterator[Case]:
    for what, text in NO_OBJECTS.items():
        verdict = "harmless" if what in ALLOWED else "refused"
        yield Case(f"tokenizer_config: {what}", {CONFIG: text}, TOKENIZER, blames=CONFIG, verdict=verdict)
    for name, values in WRONG.items():
        doors = ("AutoTokenizer", "AutoTokenizer, slow") if name == "tokenizer_class" else TOKENIZER
        for index, value in enumerate(values):
            files = {CONFIG: as_json({**TOKENIZER_VALUES, name: value})}
            yield Case(f"tokenizer_config: {name} ({index}) {str(value)[:20]!r}", files, doors, blames=CONFIG)
    for name, value in ASKING.items():
        files = {CONFIG: as_json({**TOKENIZER_VALUES, name: value})}
        yield Case(f"tokenizer_config: asks for {name}", files, TOKENIZER, verdict="harmless")


def _of_backend() -> Iterator[Case]:
    for what, text in NO_OBJECTS.items():
        yield Case(f"tokenizer.json: {what}", {BACKEND: text}, FAST, NO_VOCABULARY, BACKEND)
    for what, changes in BROKEN.items():
        files = {BACKEND: as_json({**BACKEND_VALUES, **changes})}
        yield Case(f"tokenizer.json: {what}", files, FAST, NO_VOCABULARY, BACKEND)
    for what, changes in STRANGE.items():
        values = copy.deepcopy({**BACKEND_VALUES, **changes})
        if what == "a hundred normalizers in each other":
            for _ in range(100):
                values["normalizer"] = {"type": "Sequence", "normalizers": [values["normalizer"] or {"type": "NFC"}]}
        yield Case(f"tokenizer.json: {what}", {BACKEND: as_json(values)}, FAST, NO_VOCABULARY, verdict="harmless")


def _of_vocabulary() -> Iterator[Case]:
    for what, data in VOCABULARIES.items():
        yield Case(f"vocab.txt: {what}", {VOCABULARY: data}, SLOW, NO_BACKEND, VOCABULARY)
    for what, data in STRANGE_VOCABULARIES.items():
        yield Case(f"vocab.txt: {what}", {VOCABULARY: data}, TOKENIZER, NO_BACKEND, verdict="harmless")
    yield Case("vocab.txt: none", {}, SLOW, NO_BACKEND | NO_VOCABULARY, VOCABULARY)


def _of_older_files() -> Iterator[Case]:
    for what, text in NO_OBJECTS.items():
        yield Case(f"special_tokens_map: {what}", {SPECIAL: text}, SLOW, NO_BACKEND, SPECIAL)
        yield Case(f"added_tokens: {what}", {ADDED: text}, SLOW, NO_BACKEND, ADDED)
    for what, values in ADDED_IDS.items():
        yield Case(f"added_tokens: {what}", {ADDED: as_json(values)}, SLOW, NO_BACKEND, ADDED)
    for value in (7, [], {}, {"content": 7}, [["a"]]):
        files = {SPECIAL: as_json({"unk_token": value})}
        yield Case(f"special_tokens_map: unk_token {str(value)!r}", files, SLOW, NO_BACKEND, SPECIAL)
