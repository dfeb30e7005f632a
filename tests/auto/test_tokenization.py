"""AutoTokenizer: the class that the files name, slow or fast, and what users register."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from tokenizers import Tokenizer
from tokenizers.models import WordLevel

from tests.auto.own import ScalerConfig
from tests.auto.test_configuration import refused
from triformers import (
    AutoConfig,
    AutoTokenizer,
    BertConfig,
    BertTokenizer,
    BertTokenizerFast,
    PretrainedConfig,
    PreTrainedTokenizerFast,
)
from triformers.auto import configuration, registered, tokenization
from triformers.cards import Card, all_cards, configuration_of
from triformers.cli import architectures

WORDS = ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "a", "tree", "##s")


class OwnTokenizer(BertTokenizer):
    """A user's slow tokenizer."""


class OwnTokenizerFast(BertTokenizerFast):
    """Its fast sibling."""

    slow_tokenizer_class = OwnTokenizer


def write(folder: Path, tokenizer: Any = None, config: Any = None) -> Path:
    """A directory with a vocabulary, and the two files that can name a class."""
    folder.mkdir(exist_ok=True)
    (folder / "vocab.txt").write_text("\n".join(WORDS))
    for name, values in {"tokenizer_config.json": tokenizer, "config.json": config}.items():
        if values is not None:
            (folder / name).write_text(json.dumps(values))
    return folder


NAMING = {
    "tokenizer_config.json": ({"tokenizer_class": "BertTokenizer"}, None),
    "its fast name": ({"tokenizer_class": "BertTokenizerFast"}, None),
    "config.json": ({"do_lower_case": True}, {"tokenizer_class": "BertTokenizer", "model_type": "unknown"}),
    "model_type": (None, {"model_type": "bert"}),
    "null": ({"tokenizer_class": None}, {"tokenizer_class": None, "model_type": "bert"}),
    "the first wins": ({"tokenizer_class": "BertTokenizer"}, {"tokenizer_class": "Nothing", "model_type": "unknown"}),
}


@pytest.mark.parametrize("naming", NAMING)
def test_the_files_name_the_class(naming: str, tmp_path: Path) -> None:
    folder = write(tmp_path, *NAMING[naming])
    fast, slow = AutoTokenizer.from_pretrained(folder), AutoTokenizer.from_pretrained(folder, use_fast=False)
    assert (type(fast), type(slow)) == (BertTokenizerFast, BertTokenizer)
    assert fast("a trees").input_ids == slow("a trees").input_ids == [2, 5, 6, 7, 3]


def test_what_was_saved_loads_again(tmp_path: Path) -> None:
    for kind in (BertTokenizer, BertTokenizerFast):
        saved = tmp_path / kind.__name__
        kind.from_pretrained(write(tmp_path / "files"), do_lower_case=False).save_pretrained(saved)
        for use_fast, expected in ((True, BertTokenizerFast), (False, BertTokenizer)):
            if (saved / "vocab.txt").exists() or use_fast:
                found = AutoTokenizer.from_pretrained(saved, use_fast=use_fast)
                assert type(found) is expected and found("A").input_ids == [2, 1, 3]


def test_a_tokenizer_of_no_architecture(tmp_path: Path) -> None:
    words = {word: index for index, word in enumerate(WORDS)}
    made = PreTrainedTokenizerFast(tokenizer_object=Tokenizer(WordLevel(words, "[UNK]")), unk_token="[UNK]")
    made.save_pretrained(tmp_path)
    for use_fast in (True, False):  # there is no slow one
        found = AutoTokenizer.from_pretrained(tmp_path, use_fast=use_fast)
        assert type(found) is PreTrainedTokenizerFast and found("tree").input_ids == [6]


def test_arguments_reach_the_class(tmp_path: Path) -> None:
    folder = write(tmp_path, {"tokenizer_class": "BertTokenizer", "do_lower_case": False})
    found = AutoTokenizer.from_pretrained(folder, do_lower_case=True, model_max_length=12, trust_remote_code=False)
    assert found.model_max_length == 12 and found("A").input_ids == [2, 5, 3]
    (tmp_path / "inner").mkdir()
    inner = write(tmp_path / "inner", {"tokenizer_class": "BertTokenizer"})
    (inner / "vocab.txt").write_text("\n".join((*WORDS, "leaf")))
    assert len(AutoTokenizer.from_pretrained(folder, subfolder="inner")) == len(WORDS) + 1


def test_a_name_on_the_hub_is_read_at_one_commit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    commit, refs = "0123456789abcdef0123456789abcdef01234567", tmp_path / "models--org--model" / "refs"
    refs.mkdir(parents=True)
    (refs.parent / "snapshots").mkdir()
    write(refs.parent / "snapshots" / commit, {"tokenizer_class": "BertTokenizer"})
    (refs / "main").write_text(commit)
    choose = tokenization._named_in

    def choose_while_somebody_pushes(*arguments: Any, **options: Any) -> Any:
        found = choose(*arguments, **options)
        (refs / "main").write_text(commit[::-1])
        return found

    monkeypatch.setattr(tokenization, "_named_in", choose_while_somebody_pushes)
    found = AutoTokenizer.from_pretrained("org/model", cache_dir=tmp_path, local_files_only=True)
    assert type(found) is BertTokenizerFast and len(found) == len(WORDS)


def test_a_type_wins_over_the_files(tmp_path: Path) -> None:
    folder = write(tmp_path, {"tokenizer_class": "Nothing"})
    assert type(AutoTokenizer.from_pretrained(folder, tokenizer_type="bert")) is BertTokenizerFast
    found = AutoTokenizer.from_pretrained(folder / "vocab.txt", tokenizer_type="bert", use_fast=False)
    assert type(found) is BertTokenizer and len(found) == len(WORDS)
    with pytest.raises(ValueError, match="such as bert"):
        AutoTokenizer.from_pretrained(folder, tokenizer_type="bertt")


def test_a_configuration_stands_for_config_json(tmp_path: Path) -> None:
    folder = write(tmp_path, None, {"model_type": "unknown"})
    assert type(AutoTokenizer.from_pretrained(folder, config=BertConfig())) is BertTokenizerFast
    AutoTokenizer.register(ScalerConfig, OwnTokenizer)
    named = BertConfig(tokenizer_class="OwnTokenizer")
    assert type(AutoTokenizer.from_pretrained(folder, config=named)) is OwnTokenizer
    assert type(AutoTokenizer.from_pretrained(folder, config=ScalerConfig())) is OwnTokenizer


REFUSED = {
    "an unknown class": ({"tokenizer_class": "BertTokeniser"}, None, ("'BertTokeniser'", "such as BertTokenizer")),
    "no text": ({"tokenizer_class": 3}, None, ("tokenizer_class", "int")),
    "an unknown model type": (None, {"model_type": "bertt"}, ("'bertt'", "such as bert", "config.json")),
    "no name at all": ({}, {}, ("tokenizer_class", "model_type")),
    "no files at all": (None, None, ("tokenizer_class", "model_type")),
}


@pytest.mark.parametrize("case", REFUSED)
def test_files_that_name_no_class(case: str, tmp_path: Path) -> None:
    tokenizer, config, words = REFUSED[case]
    with pytest.raises(ValueError) as error:
        AutoTokenizer.from_pretrained(write(tmp_path, tokenizer, config))
    refused(error, str(tmp_path), *words)


def test_code_of_a_repository_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError) as error:
        AutoTokenizer.from_pretrained(write(tmp_path, {"tokenizer_class": "BertTokenizer"}), trust_remote_code=True)
    refused(error, "trust_remote_code", "No code is ever fetched")


def test_there_are_no_instances() -> None:
    with pytest.raises(OSError) as error:
        AutoTokenizer()
    refused(error, "from_pretrained")


# ---- users' own ---------------------------------------------------------------------------------------------


def test_registered_classes_are_found(tmp_path: Path) -> None:
    AutoConfig.register("scaler-net", ScalerConfig)
    folder = write(tmp_path / "files", None, {"model_type": "scaler-net"})
    with pytest.raises(ValueError) as error:
        AutoTokenizer.from_pretrained(folder)
    refused(error, "ScalerConfig", "AutoTokenizer.register")
    AutoTokenizer.register(ScalerConfig, slow_tokenizer_class=OwnTokenizer)
    assert type(AutoTokenizer.from_pretrained(folder)) is OwnTokenizer
    AutoTokenizer.register(ScalerConfig, fast_tokenizer_class=OwnTokenizerFast)  # the slow one stays
    fast, slow = AutoTokenizer.from_pretrained(folder), AutoTokenizer.from_pretrained(folder, use_fast=False)
    assert (type(fast), type(slow)) == (OwnTokenizerFast, OwnTokenizer)
    slow.save_pretrained(tmp_path / "saved")  # its tokenizer_config.json names the class
    assert "OwnTokenizer" in (tmp_path / "saved" / "tokenizer_config.json").read_text()
    assert type(AutoTokenizer.from_pretrained(tmp_path / "saved", use_fast=False)) is OwnTokenizer


@pytest.mark.parametrize(
    ("classes", "words"),
    [
        ((), ("no tokenizer class",)),
        ((OwnTokenizerFast,), ("slow_tokenizer_class", "OwnTokenizerFast")),
        ((None, OwnTokenizer), ("fast_tokenizer_class", "OwnTokenizer")),
        ((OwnTokenizer, BertTokenizerFast), ("BertTokenizerFast", "BertTokenizer", "OwnTokenizer")),
    ],
    ids=["none", "fast as slow", "slow as fast", "strangers"],
)
def test_classes_of_the_wrong_kind_are_refused(classes: tuple, words: tuple[str, ...]) -> None:
    with pytest.raises(ValueError) as error:
        AutoTokenizer.register(ScalerConfig, *classes)
    refused(error, *words)


def test_the_library_s_own_are_taken_unless_one_says_so(tmp_path: Path) -> None:
    with pytest.raises(ValueError) as error:
        AutoTokenizer.register(BertConfig, OwnTokenizer)
    refused(error, "BertConfig", "BertTokenizer", "exist_ok=True")
    AutoTokenizer.register(BertConfig, OwnTokenizer, OwnTokenizerFast, exist_ok=True)
    folder = write(tmp_path, None, {"model_type": "bert"})
    assert type(AutoTokenizer.from_pretrained(folder)) is OwnTokenizerFast


# ---- architectures with tokenizers alone --------------------------------------------------------------------


@pytest.fixture
def partial_cards(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two architectures without configuration: one with BERT's tokenizers, one that says whose it uses."""
    cards = {
        **all_cards(),
        "plain": Card("plain", tokenizers=("BertTokenizer", "BertTokenizerFast")),
        "guest": Card("guest", tokenizers_of="bert"),
    }
    for module in (tokenization, registered, configuration, architectures):
        monkeypatch.setattr(module, "all_cards", lambda: cards)


@pytest.mark.usefixtures("partial_cards")
@pytest.mark.parametrize("model_type", ["plain", "guest"])
def test_a_card_may_hold_tokenizers_alone(model_type: str, tmp_path: Path) -> None:
    folder = write(tmp_path, None, {"model_type": model_type})
    assert type(AutoTokenizer.from_pretrained(folder)) is BertTokenizerFast
    assert type(AutoTokenizer.from_pretrained(folder, use_fast=False)) is BertTokenizer
    assert type(AutoTokenizer.from_pretrained(folder, tokenizer_type=model_type)) is BertTokenizerFast
    with pytest.raises(ValueError) as error:
        AutoConfig.from_pretrained(folder)
    refused(error, repr(model_type), "AutoConfig.register")
    AutoConfig.register(model_type, type("OwnConfig", (PretrainedConfig,), {"model_type": model_type}))
    assert AutoConfig.from_pretrained(folder).model_type == model_type
    assert type(AutoTokenizer.from_pretrained(folder)) is BertTokenizerFast


@pytest.mark.usefixtures("partial_cards")
def test_the_table_has_what_there_is() -> None:
    tokenizers = "`BertTokenizer`, `BertTokenizerFast`"
    assert architectures.page().endswith(f"\n## plain\n\n{tokenizers}\n\n## guest\n\n{tokenizers}\n")


def test_a_card_without_configuration_says_so() -> None:
    card = Card("plain", tokenizers=("BertTokenizer",))
    assert dict(card.exports()) == {"BertTokenizer": "triformers.models.plain.tokenization_plain"}
    with pytest.raises(AttributeError) as error:
        configuration_of(card)
    refused(error, "plain", "BertTokenizer")
