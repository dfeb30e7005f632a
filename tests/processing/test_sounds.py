"""Sounds on their way into a model: every form they come in, padding, refusals, the processor and its parts."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.conftest import GOLDEN
from triformers import (
    AutoFeatureExtractor,
    AutoProcessor,
    BatchFeature,
    SequenceFeatureExtractor,
    Wav2Vec2Config,
    Wav2Vec2CTCTokenizer,
    Wav2Vec2FeatureExtractor,
    Wav2Vec2Processor,
    Wav2Vec2ProcessorWithLM,
    Wav2Vec2Tokenizer,
)
from triformers.files.errors import ConfigurationError, FileError, InputError, MissingDependencyError

FILES = GOLDEN / "processing" / "audio_wav2vec2" / "processor"
SOUND = np.sin(np.arange(50, dtype=np.float32))
RATE = {"sampling_rate": 16000}


@pytest.mark.parametrize(
    "form",
    [
        SOUND.tolist(),
        tuple(SOUND.tolist()),
        SOUND,
        SOUND.astype(np.float64),
        [SOUND],
        (SOUND,),
        [SOUND.tolist()],
        SOUND[None],
    ],
)
def test_every_form_of_a_sound_is_the_same(form: Any) -> None:
    found = Wav2Vec2FeatureExtractor()(form, **RATE, return_tensors="np")["input_values"]
    assert found.shape == (1, 50) and found.dtype == np.float32
    assert abs(found.mean()) < 1e-6 and abs(found.var() - 1) < 1e-4


@pytest.mark.parametrize(
    ("sound", "message"),
    [
        ([], "an empty sound; expected at least one sample"),
        ([[]], "an empty sound"),
        (np.zeros(0, np.float32), "an empty sound"),
        ([SOUND, np.zeros(0)], "an empty sound"),
        (np.array([0.5, np.nan]), "not finite"),
        ([SOUND, np.array([np.inf, 1.0])], "not finite"),
        (np.zeros((2, 3, 4)), r"shape \[2, 3, 4\]; expected \[samples\], of one channel"),
        ([np.zeros((2, 30))], r"shape \[2, 30\]"),
        ("speech.wav", "a row of raw_speech that is a str"),
        ([None, None], "an array, a tensor or a list of numbers"),
        (1.5, "a row of raw_speech that is a float"),
    ],
)
def test_what_is_no_sound_is_refused(sound: Any, message: str) -> None:
    with pytest.raises(InputError, match=message):
        Wav2Vec2FeatureExtractor()(sound, **RATE)


def test_another_sampling_rate_is_refused() -> None:
    with pytest.raises(InputError, match=r"sounds of 8000 samples a second; expected 16000.*Resample"):
        Wav2Vec2FeatureExtractor()(SOUND, sampling_rate=8000)


def test_an_unknown_sampling_rate_is_a_warning(caplog: pytest.LogCaptureFixture) -> None:
    Wav2Vec2FeatureExtractor()(SOUND)
    assert "sampling_rate" in caplog.text


def test_rows_of_several_numbers_are_padded_along_time() -> None:
    extractor = SequenceFeatureExtractor(3, 16000, 9.0, padding_side="left")
    extractor.model_input_names = ["input_features"]
    rows = [np.ones((2, 3)), np.ones((4, 3))]
    padded = extractor.pad({"input_features": rows}, pad_to_multiple_of=3, return_tensors="np")
    assert padded["input_features"].shape == (2, 6, 3) and padded["input_features"].dtype == np.float32
    assert (padded["input_features"][0, :4] == 9).all() and padded["attention_mask"].tolist()[1] == [0, 0, 1, 1, 1, 1]


def test_given_masks_are_padded_and_cut_too() -> None:
    extractor = Wav2Vec2FeatureExtractor()
    features = [
        BatchFeature({"input_values": SOUND[:5], "attention_mask": np.array([1, 1, 1, 0, 0], np.int32)}),
        {"input_values": SOUND[:2], "attention_mask": np.array([1, 0], np.int32)},
    ]
    padded = extractor.pad(features, "max_length", max_length=4, truncation=True)
    assert padded["input_values"].shape == (2, 4)
    assert padded["attention_mask"].tolist() == [[1, 1, 1, 0], [1, 0, 0, 0]]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (({"x": [SOUND]},), "features with x; expected input_values"),
        (([SOUND],), "features that are a list"),
        (({"input_values": [SOUND]}, "max_length"), "padding='max_length' without max_length"),
        (({"input_values": [SOUND]}, True, None, True), "truncation=True without max_length"),
        (({"input_values": [SOUND]}, "widest"), "widest"),
    ],
)
def test_padding_that_cannot_be_is_refused(arguments: tuple[Any, ...], message: str) -> None:
    with pytest.raises(InputError, match=message):
        Wav2Vec2FeatureExtractor().pad(*arguments)
    with pytest.raises(InputError, match="padding_value"):
        Wav2Vec2FeatureExtractor(padding_value=None).pad({"input_values": [SOUND]})


@pytest.mark.parametrize("options", [{"sampling_rate": 0}, {"feature_size": 1.5}, {"padding_side": "top"}])
def test_options_that_cannot_be_are_refused(options: dict[str, Any], tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=next(iter(options))):
        Wav2Vec2FeatureExtractor(**options)
    (tmp_path / "preprocessor_config.json").write_text(json.dumps(options))
    with pytest.raises(FileError, match=next(iter(options))):
        Wav2Vec2FeatureExtractor.from_pretrained(tmp_path)


# ---- the processor ------------------------------------------------------------------------------------------


@pytest.fixture
def processor() -> Wav2Vec2Processor:
    """A processor of the goldens."""
    return Wav2Vec2Processor.from_pretrained(FILES)


def test_arguments_reach_their_part(processor: Wav2Vec2Processor, caplog: pytest.LogCaptureFixture) -> None:
    sounds, texts = [SOUND, SOUND[:20]], ["AB", "A"]
    inputs = processor(sounds, text=texts, **RATE, padding=True, return_tensors="np")
    assert inputs["input_values"].shape == (2, 50) and inputs["labels"].tolist() == [[7, 24], [7, 0]]
    inputs = processor(
        sounds, texts, **RATE, text_kwargs={"padding": True}, audio_kwargs={"padding": "max_length", "max_length": 60}
    )
    assert [len(row) for row in inputs["input_values"]] == [60, 60] and inputs["labels"] == [[7, 24], [7, 0]]
    assert not caplog.records
    processor(sounds, **RATE, speed=3)
    assert "'speed'" in caplog.text


def test_of_old_labels_were_made_in_a_context(processor: Wav2Vec2Processor) -> None:
    with pytest.warns(FutureWarning, match="as_target_processor"), processor.as_target_processor():
        assert processor("AB")["input_ids"] == [7, 24]
        assert processor.current_processor is processor.tokenizer
    assert processor.current_processor is processor.feature_extractor
    with pytest.raises(InputError, match="neither audio nor text"):
        processor()


def test_parts_are_saved_and_found_again(processor: Wav2Vec2Processor, tmp_path: Path) -> None:
    processor.save_pretrained(tmp_path)
    assert not (tmp_path / "processor_config.json").exists()
    for again in (Wav2Vec2Processor.from_pretrained(tmp_path), AutoProcessor.from_pretrained(tmp_path)):
        assert again.same_parts(processor)
        assert again.feature_extractor.to_dict() == processor.feature_extractor.to_dict()
        assert again.tokenizer.get_vocab() == processor.tokenizer.get_vocab()
    assert isinstance(AutoFeatureExtractor.from_pretrained(tmp_path), Wav2Vec2FeatureExtractor)
    assert repr(processor).startswith("Wav2Vec2Processor:\n- feature_extractor: Wav2Vec2FeatureExtractor {\n")
    assert repr(processor).endswith('\n\n{\n  "processor_class": "Wav2Vec2Processor"\n}\n')


def test_a_checkpoint_that_names_no_class_has_a_ctc_tokenizer(processor: Wav2Vec2Processor, tmp_path: Path) -> None:
    processor.save_pretrained(tmp_path)
    (tmp_path / "tokenizer_config.json").unlink()
    assert isinstance(Wav2Vec2Processor.from_pretrained(tmp_path).tokenizer, Wav2Vec2CTCTokenizer)


def test_the_configuration_names_the_processor(processor: Wav2Vec2Processor, tmp_path: Path) -> None:
    processor.feature_extractor.save_pretrained(tmp_path)
    processor.tokenizer.save_pretrained(tmp_path)
    Wav2Vec2Config().save_pretrained(tmp_path)
    assert isinstance(AutoProcessor.from_pretrained(tmp_path), Wav2Vec2Processor)


def test_a_single_preprocessor_is_the_processor(tmp_path: Path) -> None:
    Wav2Vec2FeatureExtractor().save_pretrained(tmp_path)
    assert isinstance(AutoProcessor.from_pretrained(tmp_path), Wav2Vec2FeatureExtractor)
    with pytest.raises(FileError, match="AutoProcessor"):
        AutoProcessor.from_pretrained(tmp_path.parent)


def test_a_processor_needs_its_parts() -> None:
    from triformers import ProcessorMixin

    with pytest.raises(InputError, match="without a tokenizer"):
        ProcessorMixin(Wav2Vec2FeatureExtractor())
    with pytest.raises(InputError, match="got 3 parts"):
        ProcessorMixin(1, 2, 3)


def test_of_old_a_tokenizer_read_sounds(tmp_path: Path) -> None:
    with pytest.warns(FutureWarning, match="Wav2Vec2Processor"):
        tokenizer = Wav2Vec2Tokenizer.from_pretrained(FILES, do_normalize=True, return_attention_mask=True)
    inputs = tokenizer([SOUND[:5], SOUND[:3]], padding=True)
    assert inputs["input_values"].shape == (2, 5) and abs(inputs["input_values"][0].mean()) < 1e-6
    assert inputs["attention_mask"].tolist() == [[1, 1, 1, 1, 1], [1, 1, 1, 0, 0]]
    assert tokenizer.decode([12, 5, 15, 15, 0, 15, 8, 4, 4, 20]) == "HELLO W"
    with pytest.raises(InputError, match="which reads sounds"):
        tokenizer.tokenize("HELLO")
    tokenizer.save_pretrained(tmp_path)
    with pytest.warns(FutureWarning):
        assert Wav2Vec2Tokenizer.from_pretrained(tmp_path).do_normalize


def test_decoding_with_a_language_model_is_refused() -> None:
    with pytest.raises(MissingDependencyError, match="pyctcdecode"):
        Wav2Vec2ProcessorWithLM.from_pretrained(FILES)


@pytest.mark.backend
def test_sounds_come_back_in_the_framework_that_was_asked_for(backend: str) -> None:
    kind = {"torch": "pt", "tensorflow": "tf", "flax": "jax"}[backend]
    inputs = Wav2Vec2FeatureExtractor(return_attention_mask=True)(
        [SOUND, SOUND[:9]], **RATE, padding=True, return_tensors=kind
    )
    expected = Wav2Vec2FeatureExtractor(return_attention_mask=True)([SOUND, SOUND[:9]], **RATE, padding=True)
    assert type(inputs["input_values"]).__module__.partition(".")[0] in ("torch", "tensorflow", "jaxlib", "jax")
    assert np.array_equal(np.asarray(inputs["input_values"]), np.stack(expected["input_values"]))
    given = Wav2Vec2FeatureExtractor()(inputs["input_values"], **RATE)
    assert len(given["input_values"]) == 2
