"""`triformers convert` and `triformers inspect`."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from tests.conftest import GOLDEN
from triformers.cli import main
from triformers.conversion.formats.names import FORMATS
from triformers.conversion.formats.safetensors import read_safetensors

SOURCE = GOLDEN / "models" / "bert" / "BertForPreTraining"


@pytest.fixture
def checkpoint(tmp_path: Path) -> Path:
    """A copy with a vocabulary beside it and what no save leaves behind."""
    folder = tmp_path / "source"
    folder.mkdir()
    for name in ("config.json", "model.safetensors"):
        (folder / name).write_bytes((SOURCE / name).read_bytes())
    (folder / "vocab.txt").write_text("[PAD]\n[UNK]\n")
    (folder / ".hidden").write_text("no")
    return folder


def same_bytes(one: Path, other: Path) -> bool:
    """Whether two files are the same."""
    return one.read_bytes() == other.read_bytes()


@pytest.mark.parametrize("form", FORMATS)
@pytest.mark.parametrize("size", [[], ["--max-shard-size", "20KB"]], ids=["whole", "sharded"])
def test_there_and_back(form: str, size: list[str], checkpoint: Path, tmp_path: Path) -> None:
    assert main(["convert", str(checkpoint), str(tmp_path / "there"), "--to", form, *size]) == 0
    assert main(["convert", str(tmp_path / "there"), str(tmp_path / "back")]) == 0
    assert same_bytes(tmp_path / "back" / "model.safetensors", checkpoint / "model.safetensors")
    assert same_bytes(tmp_path / "back" / "vocab.txt", checkpoint / "vocab.txt")
    assert not (tmp_path / "there" / ".hidden").exists()
    assert main(["verify", str(checkpoint), str(tmp_path / "there")]) == 0


def test_another_type(checkpoint: Path, tmp_path: Path) -> None:
    assert main(["convert", str(checkpoint), str(tmp_path / "half"), "--to", "bin", "--dtype", "bfloat16"]) == 0
    assert json.loads((tmp_path / "half" / "config.json").read_text())["torch_dtype"] == "bfloat16"
    assert main(["convert", str(tmp_path / "half"), str(tmp_path / "back")]) == 0
    found = read_safetensors(tmp_path / "back" / "model.safetensors")
    for name, tensor in read_safetensors(checkpoint / "model.safetensors").items():
        assert np.array_equal(found[name].read(), tensor.read().astype(found[name].dtype)), name


def test_tensors_that_no_model_knows_are_carried_over(checkpoint: Path, tmp_path: Path) -> None:
    (checkpoint / "config.json").write_text(
        json.dumps({"model_type": "bert", "hidden_size": 8, "num_attention_heads": 2})
    )
    assert main(["convert", str(checkpoint), str(tmp_path / "bin"), "--to", "bin"]) == 0
    assert main(["convert", str(tmp_path / "bin"), str(tmp_path / "back")]) == 0
    assert same_bytes(tmp_path / "back" / "model.safetensors", checkpoint / "model.safetensors")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--to", "h5"], "shape"),
        (["--max-shard-size", "huge"], "size"),
        (["--dtype", "float31"], "float31"),
        (["--from", "h5"], "tf_model.h5"),
        (["--variant", "fp16"], "fp16"),
    ],
    ids=str,
)
def test_what_cannot_be_done_is_told_in_one_line(
    arguments: list[str], words: str, checkpoint: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    if arguments[-1] == "h5" and arguments[0] == "--to":
        config = json.loads((checkpoint / "config.json").read_text())
        (checkpoint / "config.json").write_text(json.dumps({**config, "vocab_size": 7}))
    assert main(["convert", str(checkpoint), str(tmp_path / "there"), *arguments]) == 2
    message = capsys.readouterr().err
    assert words in message and message.count("\n") == 1 and len(message) < 400
    assert not (tmp_path / "there").exists()


def test_a_checkpoint_is_not_converted_onto_itself(checkpoint: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["convert", str(checkpoint), str(checkpoint)]) == 2
    assert "source and target" in capsys.readouterr().err
    assert same_bytes(checkpoint / "model.safetensors", SOURCE / "model.safetensors")


@pytest.mark.parametrize("form", FORMATS)
def test_inspect(form: str, checkpoint: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    main(["convert", str(checkpoint), str(tmp_path / "there"), "--to", form])
    capsys.readouterr()
    assert main(["inspect", str(tmp_path / "there"), "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    truth = read_safetensors(checkpoint / "model.safetensors")
    assert found["formats"] == [form] and len(found["tensors"]) == len(truth)
    assert found["bytes"] == sum(tensor.read().nbytes for tensor in truth.values())
    assert found["classes"]["BertForPreTraining"] == {
        "names": ["BertForPreTraining", "TFBertForPreTraining", "FlaxBertForPreTraining"],
        "loads": True, "new": [], "reason": "",
    }  # fmt: skip
    assert found["classes"]["BertForQuestionAnswering"]["new"] == ["qa_outputs.weight", "qa_outputs.bias"]
    assert main(["inspect", str(tmp_path / "there")]) == 0
    text = capsys.readouterr().out
    assert "BertForPreTraining" in text and "float32" in text and "--all" in text
