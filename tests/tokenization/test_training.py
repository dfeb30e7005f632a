"""`train_new_from_iterator`: the same pipeline and roles, another vocabulary.

How the library breaks ties is different in every run, so vocabularies are compared as sets, and by what they can do.
"""

from __future__ import annotations

import json
from typing import Any

import pytest
from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers, processors

from triformers import PreTrainedTokenizerFast
from triformers.files.errors import InputError

WORDS = (
    "the cat sat on the mat and the dog ran over to see what was happening there, naïve café 12 don't low lower lowest"
)
TEXTS = [" ".join(WORDS.split()[start:] + WORDS.split()[:start]) for start in range(20)]


def byte_level() -> PreTrainedTokenizerFast:
    """A byte-level BPE with a template around it."""
    backend = Tokenizer(models.BPE({"<s>": 0, "</s>": 1, "a": 2}, []))
    backend.pre_tokenizer = pre_tokenizers.Sequence([pre_tokenizers.ByteLevel(add_prefix_space=False)])
    backend.decoder = decoders.ByteLevel()
    backend.add_special_tokens(["<s>", "</s>"])
    backend.post_processor = processors.RobertaProcessing(("</s>", 1), ("<s>", 0))
    return PreTrainedTokenizerFast(tokenizer_object=backend, cls_token="<s>", sep_token="</s>")


def unigram() -> PreTrainedTokenizerFast:
    """A Unigram model with an unknown token and one that was added without being special."""
    backend = Tokenizer(models.Unigram([("<pad>", 0.0), ("<unk>", 0.0), ("▁a", -1.0), ("a", -2.0)], unk_id=1))
    backend.pre_tokenizer = pre_tokenizers.Metaspace()
    backend.decoder = decoders.Metaspace()
    backend.add_special_tokens(["<pad>", "<unk>"])
    backend.add_tokens([AddedToken("<kept>", normalized=False)])
    backend.post_processor = processors.Sequence(
        [processors.TemplateProcessing("$A <pad>", "$A <pad> $B <pad>", [("<pad>", 0)])]
    )
    return PreTrainedTokenizerFast(tokenizer_object=backend, unk_token="<unk>", pad_token="<pad>")


def test_wordpiece(fast_uncased: Any) -> None:
    new = fast_uncased.train_new_from_iterator(TEXTS, 90, show_progress=False)
    assert type(new) is type(fast_uncased) and len(new) == new.vocab_size == 90
    assert [new.convert_ids_to_tokens(index) for index in range(5)] == ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
    assert new.special_tokens_map == fast_uncased.special_tokens_map
    ids = new("The NAÏVE cat", "a dog")["input_ids"]
    assert new.decode(ids) == "[CLS] the naive cat [SEP] a dog [SEP]" and ids[0] == 2
    assert new.model_max_length == fast_uncased.model_max_length
    assert len(fast_uncased) == 30522  # as it was


def test_the_alphabet_of_bytes_is_whole() -> None:
    new = byte_level().train_new_from_iterator(iter(TEXTS), 300, length=len(TEXTS), show_progress=False)
    assert set(pre_tokenizers.ByteLevel.alphabet()) <= set(new.get_vocab()) and len(new) == 300
    text = "low 漢字 \U0001f600"
    assert new.decode(new(text)["input_ids"], skip_special_tokens=True) == text
    assert new(text)["input_ids"][0] == new.cls_token_id == 0


def test_unigram_keeps_what_was_added() -> None:
    new = unigram().train_new_from_iterator(TEXTS, 60, show_progress=False)
    assert new.convert_ids_to_tokens([0, 1, 2]) == ["<pad>", "<unk>", "<kept>"]
    assert new("漢 cat")["input_ids"].count(new.unk_token_id) == 1
    assert new("cat")["input_ids"][-1] == new.pad_token_id
    assert new.tokenize("the <kept>")[-1] == "<kept>"


def test_tokens_can_be_renamed_and_added(fast_uncased: Any) -> None:
    names = {"[CLS]": "<s>", "[SEP]": "</s>", "[UNK]": "<unk>"}
    new = fast_uncased.train_new_from_iterator(
        TEXTS, 90, new_special_tokens=["<new>", AddedToken("<left>", lstrip=True)], special_tokens_map=names
    )
    assert new.convert_ids_to_tokens(list(range(7))) == ["[PAD]", "<unk>", "<s>", "</s>", "[MASK]", "<new>", "<left>"]
    assert (new.cls_token, new.sep_token, new.unk_token) == ("<s>", "</s>", "<unk>")
    assert new.additional_special_tokens == ["<new>", "<left>"]
    assert new.added_tokens_decoder[6].lstrip and not new.added_tokens_decoder[5].lstrip
    assert new.decode(new("the <new> 漢")["input_ids"]) == "<s> the <new> <unk> </s>"
    for tokenizer, old in ((byte_level(), "<s>"), (unigram(), "<unk>")):
        other = tokenizer.train_new_from_iterator(TEXTS, 300, special_tokens_map={old: "<other>"}, show_progress=False)
        assert "<other>" in other.all_special_tokens and old not in other.get_vocab()
        processor = json.loads(other.backend_tokenizer.to_str())["post_processor"]
        assert old not in json.dumps(processor)
        assert other("漢 the")["input_ids"].count(other.convert_tokens_to_ids("<other>")) == 1


def test_what_was_set_before_stays(cased: Any, tmp_path: Any) -> None:
    old = cased.load("fast")
    old.add_tokens(["plain"])
    old.add_special_tokens({"additional_special_tokens": ["<e>"], "bos_token": "<bos>"})
    old.padding_side = "left"
    new = old.train_new_from_iterator(TEXTS, 120, special_tokens_map={"<e>": "<f>"}, show_progress=False)
    assert new.bos_token == "<bos>" and new.bos_token_id is not None
    assert "plain" not in new.get_vocab() and "<f>" in new.get_vocab()
    new.save_pretrained(tmp_path)
    again = type(new).from_pretrained(tmp_path)
    assert again("the cat <f>")["input_ids"] == new("the cat <f>")["input_ids"]
    assert new.can_save_slow_tokenizer and (tmp_path / "vocab.txt").read_text().splitlines()[1] == "[UNK]"


def test_batches_of_texts_and_arguments_of_the_trainer(fast_uncased: Any) -> None:
    batches = (TEXTS[start : start + 5] for start in range(0, 20, 5))
    choices = {"min_frequency": 10**6, "show_progress": False}
    new = fast_uncased.train_new_from_iterator(batches, 500, **choices)
    assert len(new) < 70  # nothing is that frequent: letters alone
    fewer = fast_uncased.train_new_from_iterator(TEXTS, 500, limit_alphabet=5, **choices)
    assert len(fewer) < len(new)
    assert len(fast_uncased.train_new_from_iterator([], 100, show_progress=False)) == 5


@pytest.mark.parametrize(
    ("texts", "size", "builtin"),
    [("a text", 100, TypeError), (3, 100, TypeError), ([3], 100, TypeError), ([["a", 3]], 100, TypeError)]
    + [(TEXTS, size, ValueError) for size in (-1, "x", None, 2**70)],
)
def test_what_cannot_be_learned_from_is_refused(
    fast_uncased: Any, texts: Any, size: Any, builtin: type[Exception]
) -> None:
    with pytest.raises(builtin, match="; expected ") as refusal:
        fast_uncased.train_new_from_iterator(texts, size, show_progress=False)
    assert isinstance(refusal.value, InputError)
