"""Where a text may be cut without a trace: what a backend gives for the pieces is what it gives for the whole."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator
from functools import cache
from itertools import pairwise

from tokenizers import AddedToken, Tokenizer, normalizers, pre_tokenizers

#: The characters that are looked at: those of one or two bytes. Of longer ones a text has fewer.
_CHARACTERS = [character for character in map(chr, range(0x800)) if unicodedata.category(character)[0] in "LNPSM"]
_LETTERS = "".join(letter for letter in _CHARACTERS if letter.isascii() and letter.isalnum())


def places_to_cut(backend: Tokenizer) -> re.Pattern[str] | None:
    """What matches the character before a place where no word, no added token and no step of a backend reaches across.

    None where nothing is known to be such a place.
    """
    splitting = backend.pre_tokenizer
    is_bert = isinstance(splitting, pre_tokenizers.BertPreTokenizer)
    if is_bert and isinstance(backend.normalizer, normalizers.BertNormalizer | None):
        return _places_for_bert(backend)
    if isinstance(splitting, pre_tokenizers.ByteLevel) and splitting.use_regex and backend.normalizer is None:
        return _places_for_gpt2(backend, splitting.add_prefix_space)
    return None


def pieces(text: str, places: re.Pattern[str], length: int) -> Iterator[str]:
    """A text in pieces of at least a length, but for the last one."""
    start = 0
    while len(text) - start > length and (before := places.search(text, start + length - 1)):
        yield text[start : before.end()]
        start = before.end()
    yield text[start:]


# -- words and marks, as BERT splits --------------------------------------------------------------------------


def _places_for_bert(backend: Tokenizer) -> re.Pattern[str] | None:
    """After a mark, which is always a word, and between a letter and a space.

    The character before the place is one that the normalizer keeps and no added token has.
    """
    tokens = list(backend.get_added_tokens_decoder().values())
    reserved = set().union(*map(_characters, tokens))
    marks = "".join(mark for mark in _marks() if mark not in reserved)
    letters = "".join(letter for letter in _LETTERS if letter not in reserved)
    return _outside_tokens([(marks, None), (letters, " \n")], tokens)


def _characters(token: AddedToken) -> set[str]:
    """What an added token may be found in: its characters, in both cases and without accents."""
    text = unicodedata.normalize("NFD", token.content)
    return {*token.content, *text, *text.lower(), *text.upper()}


@cache
def _marks() -> str:
    """What BERT's steps keep and split off wherever it stands; without "_", which is in words for added tokens."""
    normalizer, splitting = normalizers.BertNormalizer(), pre_tokenizers.BertPreTokenizer()
    texts = ((mark, normalizer.normalize_str(f"a{mark}b")) for mark in _CHARACTERS if mark != "_")
    return "".join(
        mark for mark, text in texts if [word for word, _ in splitting.pre_tokenize_str(text)] == ["a", mark, "b"]
    )


# -- runs of letters, of digits, and of other characters, as GPT-2 splits -------------------------------------


def _places_for_gpt2(backend: Tokenizer, has_prefix: bool) -> re.Pattern[str] | None:
    """Between characters of two kinds, and before a space.

    Where texts get a space in front, a piece has to begin with one. An apostrophe may begin a contraction.
    """
    letters, digits, others = map(_continuing, "a1!")
    places: list[tuple[str, str | None]] = [(letters + digits + others, " ")]
    if not has_prefix:
        others_alone = others.replace("'", "")
        places += [(letters, digits + others), (digits, letters + others), (others_alone, letters + digits)]
    return _outside_tokens(places, list(backend.get_added_tokens_decoder().values()))


@cache
def _continuing(first: str) -> str:
    """The characters that are in one word with the one before them."""
    splitting = pre_tokenizers.ByteLevel(add_prefix_space=False)
    return "".join(character for character in _CHARACTERS if len(splitting.pre_tokenize_str(first + character)) == 1)


# -- both -----------------------------------------------------------------------------------------------------


def _outside_tokens(places: Iterable[tuple[str, str | None]], tokens: Iterable[AddedToken]) -> re.Pattern[str] | None:
    """What matches one of the characters before a place, where one of those after it follows (None: any).

    It does not in an added token, at the end of one that takes the spaces behind it, or at either end of one that must
    be a word of its own, for what is around decides on that.
    """
    known = [(re.escape(before), after) for before, after in places if before]
    allowed = [f"(?<=[{before}])" + ("" if after is None else f"(?=[{re.escape(after)}])") for before, after in known]
    refused = set()
    for token in tokens:
        signs = [re.escape(sign) for sign in token.content]
        refused.update(f"(?<={before}){after}" for before, after in pairwise(signs))
        if signs and token.single_word:
            refused.update((signs[0], f"(?<={signs[-1]})"))
        if signs and token.rstrip:
            refused.add(f"(?<={signs[-1]})\\s")
    exceptions = f"(?!{'|'.join(sorted(refused))})" if refused else ""
    first = "".join(before for before, _ in known)  # which the library of regular expressions looks for fast
    return re.compile(f"[{first}](?:{'|'.join(allowed)}){exceptions}") if known else None
