"""A tokenizer's fingerprint: the hash of what it makes of fixed texts, kept beside its files.

A model knows ids, not texts: a tokenizer that changed under a checkpoint gives wrong answers without a word. Where
`save_pretrained(fingerprint=True)` left a fingerprint, loading compares. The pure-Python and the fast class of one
vocabulary may differ in corner cases, so each has a fingerprint of its own.
"""

# ruff: noqa: RUF001 - letters that look alike are what the texts are for
from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import TYPE_CHECKING

from ..files.errors import FileError, three_beats
from ..files.strict_json import load_json_object

if TYPE_CHECKING:
    from .base import PreTrainedTokenizerBase

FINGERPRINT_FILE = "tokenizer_fingerprint.json"

#: Texts in which tokenizers differ: case, accents, spaces, punctuation, numbers, scripts, what looks like tokens.
#: They never change: fingerprints that were saved are those of these texts.
CORPUS = (
    "",
    " ",
    "a",
    "The quick brown fox jumps over the lazy dog.",
    "THE QUICK BROWN FOX JUMPS OVER THE LAZY DOG!",
    "  Two  spaces,   three   spaces, and one at the end ",
    "A tab\tand a line\nand another\r\nand two\n\nat once",
    "I've said it's not what they'd do; don't, can't, won't - you'll see we're right.",
    "Prices: $1,234.56, 50% off, 3.14159, 2/3, 1e-9, 0x1F, +44 20 7946 0958",
    "In 1999 there were 12345678901234567890 reasons (or 7).",
    "e-mail: first.last@example.com, see https://example.com/a/b?c=d&e=f#g",
    "def f(x): return {x[0]: x[1:] for x in y if x != '' and x <= \"z\"}",
    "one-two--three---four... five…six - seven – eight — nine",
    "«quoted» “quoted” ‘quoted’ „quoted“ \"quoted\" 'quoted' `quoted`",
    "Zażółć gęślą jaźń; Příliš žluťoučký kůň; Árvíztűrő tükörfúrógép",
    "Voix ambiguë d'un cœur qui, au zéphyr, préfère les jattes de kiwis.",
    "Falsches Üben von Xylophonmusik quält jeden größeren Zwerg. STRASSE Straße",
    "El pingüino Wenceslao hizo kilómetros bajo exhaustiva lluvia y frío; ¿añoraba?",
    "Съешь же ещё этих мягких французских булок, да выпей чаю.",
    "Ξεσκεπάζω την ψυχοφθόρα βδελυγμία. ΟΔΟΣ",
    "עטלף אבק נס דרך מזגן שהתפוצץ כי חם",
    "نص حكيم له سر قاطع وذو شأن عظيم",
    "ऋषियों को सताने वाले दुष्ट राक्षसों के राजा",
    "เป็นมนุษย์สุดประเสริฐเลิศคุณค่า",
    "いろはにほへと ちりぬるを 漢字とカタカナ",
    "我能吞下玻璃而不伤身体。我能吞下玻璃而不傷身體",
    "키스의 고유조건은 입술끼리 만나야 하고",
    "İstanbul'da ıssız iğde; Çağrı",
    "ﬁ ﬂ ½ ² № ™ ﬀ ℃ Ⅷ ①",
    "naïve résumé coöperate Ångström façade",
    "[CLS] [SEP] [MASK] [PAD] [UNK] <s> </s> <pad> <unk> <mask> <|endoftext|> <extra_id_0>",
    "##ing @@ ▁under_score __init__ Ġ Ċ </w> \\n \\t \\u0041",
    "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
    "antidisestablishmentarianism pneumonoultramicroscopicsilicovolcanoconiosis",
    "xkcd qwrtpsdfg zzyzx bbbb mhm pfft",
    "a\u00a0no-break and a\u2003wide and a\u200bno space",
    "!?.,:;'\"()[]{}<>/\\|@#$%^&*-_=+~`",
)


def fingerprint_of(tokenizer: PreTrainedTokenizerBase) -> str:
    """The SHA-256 of the ids of the corpus, of a pair, and of the added tokens, in hexadecimal."""
    rows = [_ids(tokenizer, text) for text in CORPUS]
    rows.append(_ids(tokenizer, CORPUS[3], CORPUS[18]))
    rows.append(_ids(tokenizer, CORPUS[8], add_special_tokens=False))
    added = sorted(tokenizer.get_added_vocab().items())
    return hashlib.sha256(json.dumps([rows, added]).encode("ascii")).hexdigest()


def _ids(
    tokenizer: PreTrainedTokenizerBase, text: str, pair: str | None = None, add_special_tokens: bool = True
) -> list[int]:
    encoded = tokenizer(text, pair, add_special_tokens=add_special_tokens, truncation=False, verbose=False)
    return [int(index) for index in encoded["input_ids"]]


def fingerprint_content(tokenizer: PreTrainedTokenizerBase) -> dict[str, str]:
    """What the file of fingerprints holds."""
    return {_kind(tokenizer): fingerprint_of(tokenizer)}


def recorded_fingerprint(path: Path | None, tokenizer: PreTrainedTokenizerBase) -> str | None:
    """The fingerprint that was saved of a tokenizer of this kind, None where there is none.

    Raises:
        FileError: The file holds something else.
    """
    if path is None:
        return None
    found = load_json_object(path).get(_kind(tokenizer))
    if found is not None and not isinstance(found, str):
        raise FileError(
            three_beats(f"{path}: {_kind(tokenizer)!r} is no fingerprint", "a string", "Save the tokenizer again.")
        )
    return found


def check_fingerprint(path: Path | None, tokenizer: PreTrainedTokenizerBase) -> None:
    """Compare a tokenizer with the fingerprint that was saved of it.

    Raises:
        FileError: It gives other ids.
    """
    recorded = recorded_fingerprint(path, tokenizer)
    if recorded is not None and recorded != fingerprint_of(tokenizer):
        raise FileError(
            three_beats(
                f"this {type(tokenizer).__name__} gives other ids than the one whose fingerprint is in {path}",
                "the tokenizer that the model was trained with",
                "Restore its files and leave out arguments that change it; or load with fingerprint=False.",
            )
        )


def _kind(tokenizer: PreTrainedTokenizerBase) -> str:
    return "fast" if tokenizer.is_fast else "slow"
