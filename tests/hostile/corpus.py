"""The corpus: a sound checkpoint, and hundreds of others in each of which something is wrong.

A case says which files are put over the sound checkpoint's, through which doors it is to go, and what is to come of it.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import TypeAlias

DATA = Path(__file__).parents[1] / "conversion" / "data"

#: What is put under a name: bytes, or whatever a function makes there (a link, a pipe, a folder).
Content: TypeAlias = bytes | Callable[[Path], object]

#: The doors that read tensors, a configuration, a tokenizer; `doors` opens them.
TENSORS = ("tensors", "inspect", "convert", "Model")
CONFIG = ("AutoConfig", "Config", "AutoModel", "inspect", "convert")
TOKENIZER = ("AutoTokenizer", "AutoTokenizer, slow", "Tokenizer")
MODEL = ("Model", "AutoModel")
#: Those that need a configuration, or tensors: `inspect` shows a checkpoint without them too.
CONFIGURED = ("AutoConfig", "Config", "AutoModel", "convert")
WITH_TENSORS = ("tensors", "convert", "Model")


@dataclass(frozen=True)
class Case:
    """One checkpoint.

    Attributes:
        name: What is wrong with it.
        files: What is put over the sound checkpoint.
        doors: Who is to read it.
        without: Files of the sound checkpoint that it does not have.
        blames: What a refusal names.
        verdict: What every door is to do: "refused", "read", or "harmless", which is either of the two.
    """

    name: str
    files: Mapping[str, Content]
    doors: tuple[str, ...]
    without: frozenset[str] = field(default=frozenset())
    blames: str = ""
    verdict: str = "refused"

    def write(self, folder: Path) -> None:
        """Put the checkpoint into a folder that is not there yet."""
        folder.mkdir(parents=True)
        contents = {name: data for name, data in sound().items() if name not in self.without} | dict(self.files)
        for name, content in contents.items():
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            if isinstance(content, bytes):
                path.write_bytes(content)
            else:
                content(path)


def as_json(value: object) -> bytes:
    """The bytes of a JSON file."""
    return json.dumps(value).encode()


CONFIG_VALUES = dict(
    model_type="bert", architectures=["BertForPreTraining"], vocab_size=20, hidden_size=8, num_hidden_layers=1,
    num_attention_heads=2, intermediate_size=12, max_position_embeddings=16,
)  # fmt: skip
WORDS = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *"abcdefghijklmno"]
TOKENIZER_VALUES = dict(tokenizer_class="BertTokenizer", do_lower_case=True, model_max_length=16)
SPECIAL = dict(id=0, content="[PAD]", single_word=False, lstrip=False, rstrip=False, normalized=False, special=True)
BACKEND_VALUES = dict(
    version="1.0",
    truncation=None,
    padding=None,
    added_tokens=[SPECIAL | dict(id=index, content=word) for index, word in enumerate(WORDS[:5])],
    normalizer=dict(
        type="BertNormalizer", clean_text=True, handle_chinese_chars=True, strip_accents=None, lowercase=True
    ),
    pre_tokenizer=dict(type="BertPreTokenizer"),
    post_processor=dict(type="BertProcessing", sep=["[SEP]", 3], cls=["[CLS]", 2]),
    decoder=dict(type="WordPiece", prefix="##", cleanup=True),
    model=dict(
        type="WordPiece", unk_token="[UNK]", continuing_subword_prefix="##", max_input_chars_per_word=100,
        vocab={word: index for index, word in enumerate(WORDS)},
    ),
)  # fmt: skip

#: The files of each format, as transformers 4.53.3 wrote them, by the name of the format.
WEIGHTS: Mapping[str, tuple[str, str]] = {
    "safetensors": ("canonical", "model.safetensors"),
    "bin": ("canonical", "pytorch_model.bin"),
    "msgpack": ("flax", "flax_model.msgpack"),
    "h5": ("tensorflow", "tf_model.h5"),
}


@cache
def sound() -> Mapping[str, bytes]:
    """The files of the sound checkpoint: a tiny BERT with its tokenizer."""
    return {
        "config.json": as_json(CONFIG_VALUES),
        "model.safetensors": (DATA / "canonical" / "model.safetensors").read_bytes(),
        "vocab.txt": "".join(f"{word}\n" for word in WORDS).encode(),
        "tokenizer_config.json": as_json(TOKENIZER_VALUES),
        "tokenizer.json": as_json(BACKEND_VALUES),
    }


@cache
def whole(form: str) -> bytes:
    """The sound tensors in one file of a format."""
    if form == "bin":
        return _as_bin()
    return Path(DATA, *WEIGHTS[form]).read_bytes()


def _as_bin() -> bytes:
    import io

    from triformers.conversion.formats.pickled import write_pickled
    from triformers.conversion.formats.safetensors import read_safetensors

    file = io.BytesIO()
    write_pickled(file, read_safetensors(DATA / "canonical" / "model.safetensors"))
    return file.getvalue()


def tensors_case(name: str, form: str, data: bytes) -> Case:
    """A checkpoint whose tensors are in a file of a format that is wrong."""
    file = WEIGHTS[form][1]
    return Case(f"{form}: {name}", {file: data}, TENSORS, frozenset({"model.safetensors"}) - {file}, file)


@cache
def cases() -> Mapping[str, Case]:
    """Every hostile case by name."""
    from tests.hostile import (
        archives,
        config_files,
        folders,
        hdf5_files,
        index_files,
        msgpack_files,
        safetensors_files,
        tokenizer_files,
    )

    tables = {
        "safetensors": safetensors_files.HOSTILE,
        "bin": archives.HOSTILE,
        "msgpack": msgpack_files.HOSTILE,
        "h5": hdf5_files.hostile(),
    }
    found = [tensors_case(name, form, data) for form, table in tables.items() for name, data in table.items()]
    for module in (index_files, config_files, tokenizer_files, folders):
        found += module.cases()
    by_name = {case.name: case for case in found}
    assert len(by_name) == len(found), "two cases of one name"
    return by_name


def clean(folder: Path) -> None:
    """Delete a case's folder."""
    shutil.rmtree(folder, ignore_errors=True)
