"""A small batch for any text model: what `triformers verify` runs when it is given none."""

from __future__ import annotations

import os
import zipfile
import zlib

import numpy as np

from ..configuration import PretrainedConfig
from ..files.errors import FileError, InputError, three_beats

ROWS, LENGTH = 3, 11
#: Rows of a table of positions that some architectures keep for themselves.
RESERVED = 2


def sample_batch(config: PretrainedConfig, seed: int = 0) -> dict[str, np.ndarray]:
    """Token ids within the vocabulary, a ragged mask, and what else the configuration says a model takes.

    Args:
        config: What the model is.
        seed: Seed of the ids and lengths; the same numbers on every machine.

    Returns:
        `input_ids`, `attention_mask` and, where the model has them, `token_type_ids` and those of a decoder:
        each [3, 11], shorter where the model has fewer positions.

    Raises:
        InputError: The model has no vocabulary.
    """
    vocabulary = getattr(config, "vocab_size", None)
    if not isinstance(vocabulary, int):
        found = f"a {config.model_type} model has no vocabulary to draw a batch from"
        raise InputError(three_beats(found, "inputs from a file", "Pass --inputs FILE.npz with an array per argument."))
    generator = np.random.Generator(np.random.Philox(seed))
    positions = getattr(config, "max_position_embeddings", None) or LENGTH + RESERVED
    length = min(LENGTH, max(1, positions - RESERVED))
    batch = _tokens(generator, config, vocabulary, length)
    segments = getattr(config, "type_vocab_size", None) or 0
    if segments > 1:
        batch["token_type_ids"] = generator.integers(0, segments, (ROWS, length))
    if config.is_encoder_decoder:
        batch |= {f"decoder_{name}": array for name, array in _tokens(generator, config, vocabulary, length).items()}
    return batch


def _tokens(
    generator: np.random.Generator, config: PretrainedConfig, vocabulary: int, length: int
) -> dict[str, np.ndarray]:
    lengths = generator.integers((length + 1) // 2, length + 1, ROWS)
    lengths[0] = length
    mask = np.arange(length) < lengths[:, None]  # [B, T]
    padding = config.pad_token_id or 0
    ids = generator.integers(0, vocabulary, mask.shape)
    ids[ids == padding] = (padding + 1) % vocabulary
    return {"input_ids": np.where(mask, ids, padding), "attention_mask": mask.astype(np.int64)}


def read_batch(path: str | os.PathLike[str]) -> dict[str, np.ndarray]:
    """The arrays of an `.npz` file, by the names of a model's arguments.

    Raises:
        FileError: It cannot be read, or holds what is no array of numbers.
    """
    try:
        arrays = np.load(path, allow_pickle=False)
        if not isinstance(arrays, np.lib.npyio.NpzFile):
            raise ValueError("one array without a name")
        with arrays:
            return {name: arrays[name] for name in arrays.files}
    except (OSError, ValueError, EOFError, zipfile.BadZipFile, zlib.error) as error:
        found = f"{os.fspath(path)} cannot be read ({error})"
        raise FileError(three_beats(found, "an .npz file of plain arrays", "Write it with numpy.savez.")) from error
