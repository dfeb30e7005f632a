"""AutoImageProcessor and AutoFeatureExtractor find the class that a checkpoint's files name."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

import triformers
from triformers import AutoFeatureExtractor, AutoImageProcessor, ConvNextConfig, PretrainedConfig, ViTImageProcessor
from triformers.files.errors import ConfigurationError, FileError, InputError

PREPROCESSOR = "preprocessor_config.json"


def written(folder: Path, **files: Any) -> Path:
    """A folder with these JSON files, `preprocessor` and `config`."""
    names = {"preprocessor": PREPROCESSOR, "config": "config.json"}
    for name, values in files.items():
        (folder / names[name]).write_text(json.dumps(values))
    return folder


@pytest.mark.parametrize(
    ("files", "stem"),
    [
        ({"preprocessor": {"image_processor_type": "ViTImageProcessor"}}, "ViT"),
        ({"preprocessor": {"image_processor_type": "ViTImageProcessorFast"}}, "ViT"),
        ({"preprocessor": {"feature_extractor_type": "ViTFeatureExtractor"}}, "ViT"),
        ({"preprocessor": {}, "config": {"model_type": "convnext"}}, "ConvNext"),
    ],
)  # fmt: skip
@pytest.mark.filterwarnings("ignore:.*old name.*:FutureWarning")
def test_the_class_that_the_files_name(files: dict[str, Any], stem: str, tmp_path: Path) -> None:
    folder = written(tmp_path, **files)
    for source in (folder, str(folder), *([folder / PREPROCESSOR] if "config" not in files else [])):
        assert type(AutoImageProcessor.from_pretrained(source, use_fast=False)) is getattr(
            triformers, f"{stem}ImageProcessor"
        )
        assert type(AutoFeatureExtractor.from_pretrained(source)) is getattr(triformers, f"{stem}FeatureExtractor")
    found, rest = AutoImageProcessor.from_pretrained(folder, do_resize=False, odd=1, return_unused_kwargs=True)
    assert not found.do_resize and rest == {"odd": 1}


def test_files_that_name_none(tmp_path: Path) -> None:
    with pytest.raises(FileError, match="AutoImageProcessor"):
        AutoImageProcessor.from_pretrained(written(tmp_path, preprocessor={}))
    with pytest.raises(FileError, match="ViTImageProcesser"):
        AutoImageProcessor.from_pretrained(
            written(tmp_path, preprocessor={"image_processor_type": "ViTImageProcesser"})
        )
    with pytest.raises(ConfigurationError, match="BertConfig"):
        AutoImageProcessor.from_pretrained(written(tmp_path, preprocessor={}, config={"model_type": "bert"}))
    with pytest.raises(InputError, match="from_pretrained"):
        AutoImageProcessor()


def test_classes_of_ones_own(tmp_path: Path) -> None:
    class OwnConfig(PretrainedConfig):
        model_type = "own-pictures"

    class OwnImageProcessor(ViTImageProcessor):
        pass

    try:
        AutoImageProcessor.register(OwnConfig, OwnImageProcessor)
        OwnImageProcessor(size=3).save_pretrained(tmp_path)
        assert type(AutoImageProcessor.from_pretrained(tmp_path)) is OwnImageProcessor
        assert type(AutoImageProcessor.from_pretrained(tmp_path, config=OwnConfig())) is OwnImageProcessor
        with pytest.raises(InputError, match="taken"):
            AutoImageProcessor.register(ConvNextConfig, OwnImageProcessor)
    finally:
        AutoImageProcessor.registered.clear()
