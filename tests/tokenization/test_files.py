"""Loading and saving: the files that users know, and files that are not what they should be."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path
from typing import Any, ClassVar

import pytest
from tokenizers import AddedToken

from triformers import BertTokenizer, BertTokenizerFast, PreTrainedTokenizer, PreTrainedTokenizerFast
from triformers.files.errors import FileError, InputError, TriformersError

CLASSES = {"slow": BertTokenizer, "fast": BertTokenizerFast}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A directory with a tiny vocabulary."""
    (tmp_path / "vocab.txt").write_text("[UNK]\na\nb\n")
    return tmp_path


def names(directory: Path) -> set[str]:
    return {path.name for path in directory.iterdir() if not path.name.startswith(".")}


def test_saved_files_and_returned_paths(tokenizer: Any, kind: str, tmp_path: Path) -> None:
    paths = tokenizer.save_pretrained(tmp_path, filename_prefix="my")
    tail = ["my-tokenizer.json"] if kind == "fast" else []
    ordered = [
        "my-tokenizer_config.json",
        "my-special_tokens_map.json",
        "my-vocab.txt",
        "my-added_tokens.json",
    ]
    assert [Path(path).name for path in paths] == ordered + tail
    assert names(tmp_path) == {*ordered, *tail} - {"my-added_tokens.json"}


def test_a_round_trip_keeps_everything(kind: str, cased: Any, tmp_path: Path) -> None:
    tokenizer = CLASSES[kind].from_pretrained(
        cased.files[kind],
        model_max_length=77,
        padding_side="left",
        truncation_side="left",
        note="kept",
        chat_template="{{ messages }}",
        extra_special_tokens={"image_token": "<img>"},
    )
    tokenizer.add_tokens(["newtok", AddedToken("other", lstrip=True, single_word=True)])
    tokenizer.add_special_tokens({"eos_token": "</s>", "additional_special_tokens": ["<a>"]})
    tokenizer.save_pretrained(tmp_path / "first")
    again = CLASSES[kind].from_pretrained(tmp_path / "first")
    assert repr(again).replace(str(tmp_path / "first"), "") == repr(tokenizer).replace(str(cased.files[kind]), "")
    text = "a newtok xother  other <a> <img></s>"
    assert again(text, text).data == tokenizer(text, text).data
    assert again.chat_template == "{{ messages }}" and again.init_kwargs["note"] == "kept"
    again.save_pretrained(tmp_path / "second")
    CLASSES[kind].from_pretrained(tmp_path / "second").save_pretrained(tmp_path / "third")
    for name in names(tmp_path / "second"):
        assert (tmp_path / "second" / name).read_bytes() == (tmp_path / "third" / name).read_bytes(), name


def test_saving_again_replaces(tokenizer: Any, tmp_path: Path) -> None:
    tokenizer.save_pretrained(tmp_path)
    tokenizer.add_tokens(["newtok"])
    tokenizer.save_pretrained(tmp_path)
    assert json.loads((tmp_path / "added_tokens.json").read_text()) == {"newtok": len(tokenizer) - 1}
    assert len(type(tokenizer).from_pretrained(tmp_path)) == len(tokenizer)


def test_formats_of_fast_tokenizers(cased: Any, tmp_path: Path) -> None:
    fast, slow = cased.load("fast"), cased.load("slow")
    fast.save_pretrained(tmp_path / "slow", legacy_format=True)
    fast.save_pretrained(tmp_path / "fast", legacy_format=False)
    assert "tokenizer.json" not in names(tmp_path / "slow") and "vocab.txt" not in names(tmp_path / "fast")
    text = "The harbour was quiet."
    for kind in ("slow", "fast"):
        assert BertTokenizerFast.from_pretrained(tmp_path / kind)(text).data == fast(text).data
    with pytest.raises(InputError, match="legacy_format=False"):
        slow.save_pretrained(tmp_path, legacy_format=False)
    with pytest.raises(FileError, match=r"no vocab\.txt"):
        BertTokenizer.from_pretrained(tmp_path / "fast")


def test_a_fast_tokenizer_is_built_from_vocab_txt(cased: Any) -> None:
    built = BertTokenizerFast.from_pretrained(cased.files["slow"])
    loaded = cased.load("fast")
    assert json.loads(built.backend_tokenizer.to_str()) == json.loads(loaded.backend_tokenizer.to_str())
    ignored = BertTokenizerFast.from_pretrained(cased.files["fast"], from_slow=True)
    assert ignored.backend_tokenizer.to_str() == built.backend_tokenizer.to_str()


def test_a_single_vocabulary_file(cased: Any) -> None:
    path = cased.files["slow"] / "vocab.txt"
    assert len(BertTokenizer.from_pretrained(path, do_lower_case=False)) == len(cased.load("slow"))
    with pytest.raises(ValueError, match="single file"):
        BertTokenizerFast.from_pretrained(path)


def test_special_tokens_that_the_vocabulary_lacks(kind: str, folder: Path) -> None:
    (folder / "added_tokens.json").write_text('{"x": 3}')
    tokenizer = CLASSES[kind].from_pretrained(folder)
    tokens = {"[UNK]": 0, "a": 1, "b": 2, "x": 3, "[SEP]": 4, "[PAD]": 5, "[CLS]": 6, "[MASK]": 7}
    assert tokenizer.get_vocab() == tokens
    assert tokenizer("a x zz")["input_ids"] == [6, 1, 3, 0, 4]


def test_files_of_older_versions(kind: str, cased: Any, tmp_path: Path) -> None:
    shutil.copy(cased.files["slow"] / "vocab.txt", tmp_path)
    mask = {"content": "<m>", "lstrip": True, "normalized": True, "rstrip": False, "single_word": False}
    roles = {"mask_token": mask, "additional_special_tokens": ["<z>", "<y>"]}
    (tmp_path / "special_tokens_map.json").write_text(json.dumps(roles))
    (tmp_path / "added_tokens.json").write_text('{"<y>": 1430, "<m>": 1429, "<w>": 1431}')
    tokenizer = CLASSES[kind].from_pretrained(tmp_path)
    added = {index: token for index, token in tokenizer.added_tokens_decoder.items() if index > 1428}
    assert [token.content for token in added.values()] == ["<m>", "<y>", "<w>", "<z>"]
    assert [token.special for token in added.values()] == [True, True, False, True]
    assert added[1429].lstrip and not added[1430].lstrip


def test_odd_vocabularies_are_read_as_they_are(folder: Path) -> None:
    (folder / "vocab.txt").write_bytes(b"[UNK]\r\na\r\nb\n\n  c  \nd\xc2\x85e\na\n")
    vocabulary = BertTokenizer.from_pretrained(folder).vocab
    assert vocabulary == {"[UNK]": 0, "a": 6, "b": 2, "": 3, "  c  ": 4, "d\x85e": 5}


@pytest.mark.parametrize(
    "config",
    [
        "",
        "{",
        "[]",
        '{"do_lower_case": "x"}',
        '{"strip_accents": 3}',
        '{"never_split": "a"}',
        '{"model_max_length": "512"}',
        '{"model_max_length": true}',
        '{"model_max_length": -5}',
        '{"model_max_length": NaN}',
        '{"model_input_names": [3]}',
        '{"padding_side": "up"}',
        '{"padding_side": 3}',
        '{"unk_token": 3}',
        '{"unk_token": null}',
        '{"unk_token": {"content": 3}}',
        '{"cls_token": "\\ud800"}',
        '{"additional_special_tokens": "<x>"}',
        '{"additional_special_tokens": [3]}',
        '{"added_tokens_decoder": []}',
        '{"added_tokens_decoder": {"x": {"content": "a"}}}',
        '{"added_tokens_decoder": {"-3": {"content": "a"}}}',
        '{"added_tokens_decoder": {"99999999999": {"content": "a"}}}',
        '{"added_tokens_decoder": {"3": 3}}',
        '{"added_tokens_decoder": {"3": {"content": 5}}}',
        '{"added_tokens_decoder": {"3": {"content": "x", "lstrip": "y"}}}',
        '{"tokenizer_class": 3}',
        '{"chat_template": 3}',
        '{"chat_template": [{"name": 1}]}',
        '{"extra_special_tokens": {"x": 3}}',
        '{"extra_special_tokens": {"tokenize": "<x>"}}',
    ],
)
def test_a_damaged_configuration_is_refused(kind: str, folder: Path, config: str) -> None:
    (folder / "tokenizer_config.json").write_text(config)
    with pytest.raises(TriformersError, match="; expected "):
        CLASSES[kind].from_pretrained(folder)


def test_words_to_keep_whole_are_words(folder: Path) -> None:
    (folder / "tokenizer_config.json").write_text('{"never_split": [3]}')
    with pytest.raises(InputError, match="never_split"):
        BertTokenizer.from_pretrained(folder)


@pytest.mark.parametrize(
    "config",
    [
        '{"self": 1}',
        '{"decode": 3, "__class__": 3, "vocab_size": 7}',
        '{"vocab_file": "/etc/passwd", "tokenizer_file": "/etc/passwd"}',
        '{"tokenizer_object": 3, "name_or_path": 3, "init_inputs": [1]}',
        '{"auto_map": {"AutoTokenizer": ["x", "y"]}}',
        '{"model_max_length": 1e400}',
        '{"extra_special_tokens": ["<q>"], "tokenizer_class": "TokenizersBackend", "backend": "tokenizers"}',
    ],
)
def test_fields_that_are_not_arguments_do_no_harm(kind: str, folder: Path, config: str) -> None:
    (folder / "tokenizer_config.json").write_text(config)
    tokenizer = CLASSES[kind].from_pretrained(folder)
    assert tokenizer.decode(tokenizer("a b")["input_ids"], skip_special_tokens=True) == "a b"
    tokenizer.save_pretrained(folder / "saved")
    assert len(CLASSES[kind].from_pretrained(folder / "saved")) == len(tokenizer)


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("special_tokens_map.json", "[]"),
        ("special_tokens_map.json", '{"unk_token": 3}'),
        ("special_tokens_map.json", '{"mask_token": {"content": "x", "lstrip": 1}}'),
        ("special_tokens_map.json", '{"additional_special_tokens": "xyz"}'),
        ("special_tokens_map.json", '{"additional_special_tokens": [[1]]}'),
        ("added_tokens.json", "[]"),
        ("added_tokens.json", '{"x": "y"}'),
        ("added_tokens.json", '{"x": -1}'),
        ("added_tokens.json", '{"x": true}'),
        ("added_tokens.json", '{"x": 18446744073709551616}'),
        ("chat_template.jinja", b"\xff"),
        ("vocab.txt", b"[UNK]\na\xff\n"),
        ("vocab.txt", b"[UNK]\n\xed\xa0\x80\n"),
    ],
)
def test_other_damaged_files_are_refused(kind: str, folder: Path, name: str, content: str | bytes) -> None:
    (folder / name).write_bytes(content if isinstance(content, bytes) else content.encode())
    with pytest.raises(FileError, match=name.replace(".", r"\.")):
        CLASSES[kind].from_pretrained(folder)


def damaged_backends() -> dict[str, str]:
    """Contents of a tokenizer.json that describe no tokenizer."""
    return {
        "empty": "",
        "not JSON": "{",
        "a list": "[]",
        "no model": "{}",
        "deep": "[" * 100_000,
        "unknown model": '{"added_tokens": [], "model": {"type": "Nope"}}',
        "vocabulary is a list": '{"added_tokens": [], "model": {"type": "WordPiece", "vocab": [1]}}',
        "negative id": '{"added_tokens": [], "model": {"type": "WordPiece", "vocab": {"a": -1}}}',
        "id is text": '{"added_tokens": [{"id": "x"}], "model": {"type": "WordPiece", "vocab": {}}}',
    }


@pytest.mark.parametrize("damage", damaged_backends())
def test_a_damaged_tokenizer_json_is_refused(tmp_path: Path, damage: str) -> None:
    (tmp_path / "tokenizer.json").write_text(damaged_backends()[damage])
    for cls in (BertTokenizerFast, PreTrainedTokenizerFast):
        with pytest.raises(FileError, match=r"tokenizer\.json"):
            cls.from_pretrained(tmp_path)


def test_missing_files_and_places(kind: str, tmp_path: Path) -> None:
    cls = CLASSES[kind]
    with pytest.raises(OSError, match=r"vocab\.txt"):
        cls.from_pretrained(tmp_path)
    with pytest.raises(OSError, match="nowhere"):
        cls.from_pretrained(tmp_path / "nowhere")
    with pytest.raises(TypeError, match="directory"):
        cls.from_pretrained(None)
    with pytest.raises(OSError, match="nowhere"):
        cls(tmp_path / "nowhere.txt")


def test_a_pipe_or_a_huge_file_is_not_waited_for(tmp_path: Path, cased: Any) -> None:
    os.mkfifo(tmp_path / "vocab.txt")
    with pytest.raises(FileError, match="no regular file"):
        BertTokenizer(tmp_path / "vocab.txt")
    with open(tmp_path / "tokenizer.json", "wb") as file:
        file.truncate(2**30)
    with pytest.raises(FileError, match="at most"):
        PreTrainedTokenizerFast(tokenizer_file=tmp_path / "tokenizer.json")
    with pytest.raises(FileError, match="cannot be read"):
        BertTokenizerFast(tokenizer_file=tmp_path / "nowhere.json")


def test_a_file_in_place_of_the_directory(tokenizer: Any, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    with pytest.raises(OSError, match="it is a file"):
        tokenizer.save_pretrained(tmp_path / "file")
    with pytest.raises(OSError, match="it is a file"):
        tokenizer.save_vocabulary(tmp_path / "file")


def test_what_json_cannot_hold(tokenizer: Any, tmp_path: Path) -> None:
    tokenizer.init_kwargs["note"] = object()
    with pytest.raises(InputError, match="JSON"):
        tokenizer.save_pretrained(tmp_path)
    assert names(tmp_path) == set()


class Letters(PreTrainedTokenizer):
    """A tokenizer as users of the ecosystem write their own."""

    vocab_files_names: ClassVar[dict[str, str]] = {"vocab_file": "letters.txt"}
    model_input_names: ClassVar[list[str]] = ["input_ids", "attention_mask"]

    def __init__(self, vocab_file: str, unk_token: str = "?", pad_token: str = "_", **kwargs: Any) -> None:
        self.letters = {letter: index for index, letter in enumerate(Path(vocab_file).read_text())}
        super().__init__(unk_token=unk_token, pad_token=pad_token, **kwargs)

    @property
    def vocab_size(self) -> int:
        return len(self.letters)

    def get_vocab(self) -> dict[str, int]:
        return {**self.letters, **self.added_tokens_encoder}

    def _tokenize(self, text: str) -> list[str]:
        return list(text)

    def _convert_token_to_id(self, token: str) -> int:
        return self.letters.get(token, self.letters["?"])

    def _convert_id_to_token(self, index: int) -> str:
        return dict(map(reversed, self.letters.items())).get(index, "?")

    def convert_tokens_to_string(self, tokens: list[str]) -> str:
        return "".join(tokens)

    def save_vocabulary(self, save_directory: str, filename_prefix: str | None = None) -> tuple[str]:
        path = Path(save_directory) / ((filename_prefix + "-" if filename_prefix else "") + "letters.txt")
        path.write_text("".join(self.letters))
        return (str(path),)


def test_a_tokenizer_class_of_the_users_own(tmp_path: Path) -> None:
    (tmp_path / "letters.txt").write_text("?_abc")
    tokenizer = Letters(str(tmp_path / "letters.txt"))
    tokenizer.add_tokens(["[x]"])
    batch = tokenizer(["ab[x]z", "c"], padding=True, return_tensors="np")
    assert batch["input_ids"].tolist() == [[2, 3, 5, 0], [4, 1, 1, 1]] and "token_type_ids" not in batch
    paths = tokenizer.save_pretrained(tmp_path / "saved")
    assert [Path(path).name for path in paths][2:] == ["letters.txt", "added_tokens.json"]
    again = Letters.from_pretrained(tmp_path / "saved")
    assert again("ab[x]z").data == tokenizer("ab[x]z").data
    assert again.decode([2, 3, 5, 4]) == "ab [x] c"
