"""What a user can give as an image, and what is refused."""

from __future__ import annotations

import base64
import io
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from tests.processing.goldens import tensor
from triformers import BatchFeature, ConvNextImageProcessor, ViTFeatureExtractor, ViTImageProcessor
from triformers.files.errors import FileError, InputError, TriformersError
from triformers.processing.images import load_image

PIXELS = np.random.default_rng(0).integers(0, 256, (13, 17, 3), dtype=np.uint8)
PROCESSOR = ViTImageProcessor(size={"height": 8, "width": 6})


def pixels(images: Any, **options: Any) -> np.ndarray:
    """A processor's answer as one array."""
    return PROCESSOR(images, return_tensors="np", **options)["pixel_values"]


EXPECTED = pixels(PIXELS)


def encoded(picture: Image.Image, form: str = "PNG", **options: Any) -> bytes:
    """A picture as the content of a file."""
    stream = io.BytesIO()
    picture.save(stream, form, **options)
    return stream.getvalue()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """The picture in a file."""
    target = tmp_path / "picture.png"
    target.write_bytes(encoded(Image.fromarray(PIXELS)))
    return target


# ---- the same picture in many forms -------------------------------------------------------------------------


def test_every_form_of_one_picture(path: Path) -> None:
    picture = Image.fromarray(PIXELS)
    data = base64.b64encode(encoded(picture)).decode()
    forms = {
        "PIL": picture, "PIL, not read yet": Image.open(path), "channels first": PIXELS.transpose(2, 0, 1),
        "batch": PIXELS[None], "int64": PIXELS.astype(np.int64), "float32": PIXELS.astype(np.float32), "path": path,
        "text of a path": str(path), "base64": data, "data": f"data:image/png;base64,{data}", "list": [PIXELS],
        "tuple": (picture,), "not contiguous": PIXELS[::-1][::-1],
    }  # fmt: skip
    for name, form in forms.items():
        assert np.array_equal(pixels(form), EXPECTED), name
    assert np.array_equal(pixels([PIXELS, picture, path, PIXELS.transpose(2, 0, 1)]), np.repeat(EXPECTED, 4, 0))


@pytest.mark.backend
def test_tensors_in_and_out(backend: str) -> None:
    name = {"torch": "pt", "tensorflow": "tf", "flax": "jax"}[backend]
    for array in (PIXELS, PIXELS.transpose(2, 0, 1), PIXELS[None], PIXELS / np.float32(255)):
        options = {} if array.dtype == np.uint8 else {"do_rescale": False}
        answer = PROCESSOR(tensor(array, backend), return_tensors=name, **options)
        assert type(answer["pixel_values"]).__module__.partition(".")[0] in {"pt": "torch", "tf": "tensorflow"}.get(
            name, ("jax", "jaxlib")
        )
        assert np.abs(np.asarray(answer.pixel_values) - EXPECTED).max() < 1e-6


def test_a_batch_is_as_its_images_one_by_one() -> None:
    others = np.random.default_rng(1).integers(0, 256, (4, 9, 23, 3), dtype=np.uint8)
    each = [pixels(one)[0] for one in others]
    assert np.array_equal(pixels(others), np.stack(each))
    assert np.array_equal(PROCESSOR(list(others))["pixel_values"], each)


@pytest.mark.parametrize("mode", ["L", "1", "P", "RGBA", "LA", "CMYK", "I;16", "I", "F"])
def test_other_modes_become_rgb_on_request(mode: str) -> None:
    picture = Image.fromarray(PIXELS)
    picture = picture.convert("L").convert(mode) if mode in ("I;16", "I", "F", "LA") else picture.convert(mode)
    assert np.array_equal(pixels(picture, do_convert_rgb=True), pixels(picture.convert("RGB")))
    with pytest.raises(InputError):
        pixels(picture)


def test_files_are_upright_and_red_green_and_blue(tmp_path: Path) -> None:
    turned = Image.Exif()
    turned[0x0112] = 6  # to be turned by a quarter
    (tmp_path / "turned.png").write_bytes(encoded(Image.fromarray(PIXELS), exif=turned))
    assert np.array_equal(np.asarray(load_image(tmp_path / "turned.png")), np.rot90(PIXELS, -1))
    (tmp_path / "deep.png").write_bytes(encoded(Image.fromarray(PIXELS[..., 0]).convert("I;16")))
    (tmp_path / "palette.gif").write_bytes(encoded(Image.fromarray(PIXELS).quantize(7), "GIF"))
    for name in ("deep.png", "palette.gif"):
        assert load_image(str(tmp_path / name)).mode == "RGB"
        assert pixels(tmp_path / name).shape == EXPECTED.shape


# ---- refusals -----------------------------------------------------------------------------------------------

BAD: dict[str, Any] = {
    "nothing": [],
    "no rows": np.zeros((0, 5, 3), np.uint8),
    "no columns": [np.zeros((5, 0, 3), np.uint8)],
    "not a number": np.full((5, 5, 3), np.nan, np.float32),
    "infinite": np.full((5, 5, 3), np.inf),
    "two axes": PIXELS[..., 0],
    "five axes": PIXELS[None, None],
    "five channels": np.zeros((9, 9, 5), np.uint8),
    "negative": PIXELS.astype(np.int32) - 300,
    "too bright": PIXELS.astype(np.float32) * 2,
    "texts": np.array([[["a"]]]),
    "complex": PIXELS.astype(np.complex64),
    "a number": 3,
    "nothing at all": None,
    "a dict": {"image": PIXELS},
    "a list of numbers": [[1, 2], [3, 4]],
    "an address": "https://example.invalid/picture.png",
    "no such file": "/no/such/picture.png",
    "a text": "text",
    "bytes": b"text",
}


@pytest.mark.parametrize("name", BAD)
def test_what_is_no_image_is_refused(name: str) -> None:
    with pytest.raises(ValueError) as caught:
        pixels(BAD[name])
    assert isinstance(caught.value, TriformersError)
    assert "expected" in str(caught.value) and len(str(caught.value)) < 400


def test_files_that_are_cut_off_or_hostile_are_refused(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = path.read_bytes()
    for content in (whole[: len(whole) // 2], whole[:20], b"", b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n"):
        path.write_bytes(content)
        with pytest.raises(FileError) as caught:
            pixels(path)
        assert "expected" in str(caught.value)
    path.write_bytes(whole[: len(whole) // 2])
    with Image.open(path) as lazy, pytest.raises(FileError):
        pixels(lazy)
    path.write_bytes(whole)
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 100)
    with warnings.catch_warnings(), pytest.raises(FileError, match="pixels"):
        warnings.simplefilter("ignore", Image.DecompressionBombWarning)
        pixels(path)


def test_options_that_cannot_be_are_refused() -> None:
    wrong: list[dict[str, Any]] = [
        {"size": {"height": 0, "width": 3}}, {"size": {"height": 10**9, "width": 10**9}}, {"size": {"side": 3}},
        {"size": "big"}, {"resample": 9}, {"image_mean": [1.0, 2.0]}, {"image_std": "x"}, {"data_format": "middle"},
        {"input_data_format": "last"}, {"return_tensors": "xy"},
    ]  # fmt: skip
    for options in wrong:
        with pytest.raises(InputError) as caught:
            PROCESSOR(PIXELS, **options)
        assert len(str(caught.value)) < 400, options
    for options in ({"do_rescale": True}, {"do_normalize": True}, {"do_resize": True}):
        bare = ViTImageProcessor(size=5)
        bare.rescale_factor = bare.image_mean = bare.resample = None  # type: ignore[assignment]
        off = dict.fromkeys(("do_rescale", "do_normalize", "do_resize"), False)
        with pytest.raises(InputError, match=next(iter(options))):
            bare(PIXELS, **{**off, **options})


# ---- files of options ---------------------------------------------------------------------------------------


def test_options_go_to_disk_and_back(tmp_path: Path) -> None:
    made = ConvNextImageProcessor(size=37, crop_pct=0.5, image_std=[1, 2, 3], own={"a": [1]}, processor_class="Both")
    assert made.save_pretrained(tmp_path) == [str(tmp_path / "preprocessor_config.json")]
    again = ConvNextImageProcessor.from_pretrained(tmp_path)
    assert again.to_dict() == made.to_dict() and again.own == {"a": [1]}
    assert repr(again) == f"ConvNextImageProcessor {again.to_json_string()}"
    assert ConvNextImageProcessor.from_json_file(tmp_path / "preprocessor_config.json").to_dict() == made.to_dict()
    other, unused = ConvNextImageProcessor.from_pretrained(
        tmp_path, size=21, do_resize=False, unknown=1, return_unused_kwargs=True
    )
    assert (other.size, other.do_resize, unused) == ({"shortest_edge": 21}, False, {"unknown": 1})


@pytest.mark.parametrize(
    "content", ["[]", "{", '{"size": "big"}', '{"size": {"height": -1, "width": 2}}', '{"preprocess": 1}', "\x00"]
)
def test_files_of_options_that_lie_are_refused(content: str, tmp_path: Path) -> None:
    (tmp_path / "preprocessor_config.json").write_text(content)
    with pytest.raises(FileError) as caught:
        ViTImageProcessor.from_pretrained(tmp_path)
    assert "preprocessor_config.json" in str(caught.value)


def test_the_old_name_warns() -> None:
    with pytest.warns(FutureWarning, match="ViTImageProcessor"):
        old = ViTFeatureExtractor(size={"height": 8, "width": 6})
    assert np.array_equal(old(PIXELS, return_tensors="np").pixel_values, EXPECTED)


def test_a_batch_feature_is_a_dict_and_more() -> None:
    batch = BatchFeature({"a": [1, 2]})
    assert dict(batch) == {"a": [1, 2]} and batch.a == batch["a"] and "b" not in batch
    for ask in (lambda: batch["b"], lambda: batch.b):
        with pytest.raises((KeyError, AttributeError), match="no field 'b'"):
            ask()
    assert batch.convert_to_tensors("np")["a"].dtype == np.int64


@pytest.mark.backend("torch")
def test_a_batch_feature_moves_to_a_type() -> None:
    import torch

    batch = BatchFeature({"floats": np.ones(2, np.float32), "ids": np.ones(2, np.int64), "text": 1}, None)
    for name in ("floats", "ids"):
        batch[name] = torch.from_numpy(batch[name])
    moved = batch.to("cpu", torch.float16)
    assert (moved.floats.dtype, moved.ids.dtype, moved.text) == (torch.float16, torch.int64, 1)
