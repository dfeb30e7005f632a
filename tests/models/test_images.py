"""What models of images do beside the recorded runs: positions between positions, stages, what is refused."""

from __future__ import annotations

from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest

from tests.models.test_loading import tensors_of
from tests.parity.runners import runner_of
from tests.specs import spec_of
from triformers import ConvNextConfig, ViTConfig
from triformers.backends.images import bicubic_weights
from triformers.files.errors import ConfigurationError, InputError


@pytest.fixture(scope="module")
def runner(backend: str) -> ModuleType:
    """The framework of this process."""
    return runner_of(backend)


def made(runner: ModuleType, stem: str, *arguments: Any, **fields: Any) -> Any:
    """A fresh model."""
    model_class = runner.model_class(stem)
    return model_class(model_class.config_class(**{**spec_of(stem).tiny, **fields}), *arguments, seed=3)


def images(config: Any, rows: int, columns: int) -> dict[str, np.ndarray]:
    """Two images of a size."""
    pixels = np.random.default_rng(0).standard_normal((2, config.num_channels, rows, columns), dtype=np.float32)
    return {"pixel_values": pixels}


# ---- positions ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("source", "target"), [(1, 3), (3, 1), (4, 4), (5, 9), (14, 37), (9, 4)])
def test_weights_between_positions(source: int, target: int) -> None:
    weights = bicubic_weights(source, target)
    assert weights.shape == (target, source) and np.allclose(weights.sum(1), 1)
    assert np.allclose(weights[::-1, ::-1], weights)
    assert source != target or np.allclose(weights, np.eye(source))


@pytest.mark.backend("torch")
@pytest.mark.parametrize("target", [(3, 5), (4, 4), (7, 2), (8, 11)])
def test_positions_are_put_where_pytorch_puts_them(target: tuple[int, int]) -> None:
    import torch

    from triformers.backends.torch.images import resize_positions

    table = torch.randn(1, 24, 5, dtype=torch.float64)
    expected = torch.nn.functional.interpolate(table.unflatten(1, (4, 6)).permute(0, 3, 1, 2), target, mode="bicubic")
    found = resize_positions(table, (4, 6), target)
    assert (found - expected.permute(0, 2, 3, 1).flatten(1, 2)).abs().max() < 1e-12


@pytest.mark.backend
def test_images_of_another_size(runner: ModuleType) -> None:
    model = made(runner, "ViTForImageClassification", image_size=[16, 24])
    rows, columns = model.config.image_size
    own = images(model.config, rows, columns)
    plain, free = (runner.forward(model, own, interpolate_pos_encoding=each)["logits"] for each in (False, True))
    assert np.array_equal(plain, free)
    for size in ((rows + 8, columns - 8), (rows + 5, columns + 17)):
        other = images(model.config, *size)
        with pytest.raises(InputError, match=f"{size[0]} x {size[1]} pixels"):
            runner.forward(model, other)
        assert np.isfinite(runner.forward(model, other, interpolate_pos_encoding=True)["logits"]).all()


# ---- what is refused ----------------------------------------------------------------------------------------


@pytest.mark.backend
@pytest.mark.parametrize("stem", ["ViTModel", "ConvNextModel"])
def test_what_is_no_batch_of_images_is_refused(stem: str, runner: ModuleType) -> None:
    model = made(runner, stem)
    pixels = images(model.config, 24, 24)["pixel_values"]
    for wrong in (pixels[0], pixels[None], pixels[:, :2], pixels.transpose(0, 2, 3, 1)):
        with pytest.raises(InputError) as caught:
            runner.forward(model, {"pixel_values": wrong})
        assert len(str(caught.value)) < 400
    with pytest.raises(InputError, match="no pixel_values"):
        model(pixel_values=None)


@pytest.mark.backend
def test_masks_of_patches(runner: ModuleType) -> None:
    model = made(runner, "ViTForMaskedImageModeling")
    inputs = images(model.config, 24, 24)
    count = 9
    every = runner.forward(model, {**inputs, "bool_masked_pos": np.ones((2, count), bool)})
    numbers = runner.forward(model, {**inputs, "bool_masked_pos": np.ones((2, count), np.int64)})
    assert np.array_equal(every["reconstruction"], numbers["reconstruction"])
    distance = np.abs(every["reconstruction"] - inputs["pixel_values"]).mean()
    assert abs(every["loss"] - distance) < 1e-5 * distance
    assert "loss" not in runner.forward(model, inputs)
    with pytest.raises(InputError, match=rf"\[batch, {count}\]"):
        runner.forward(model, {**inputs, "bool_masked_pos": np.ones((2, 3), bool)})
    with pytest.raises(InputError, match="use_mask_token"):
        runner.forward(made(runner, "ViTModel"), {**inputs, "bool_masked_pos": np.ones((2, count), bool)})
    with pytest.raises(InputError, match="encoder_stride"):
        wrong = made(runner, "ViTForMaskedImageModeling", encoder_stride=4)
        runner.forward(wrong, {**inputs, "bool_masked_pos": np.ones((2, count), bool)})


# ---- options of the classes ---------------------------------------------------------------------------------


@pytest.mark.backend
def test_parts_that_are_left_out(runner: ModuleType, tmp_path: Path) -> None:
    whole = made(runner, "ViTModel")
    names = {name.partition(".")[0] for name in tensors_of(whole)}
    whole.save_pretrained(tmp_path)
    for options in ({"add_pooling_layer": False}, {"use_mask_token": True}):
        model, info = runner.load("ViTModel", tmp_path, "float32", output_loading_info=True, **options)
        found = tensors_of(model)
        assert ("pooler" in {name.partition(".")[0] for name in found}) == options.get("add_pooling_layer", True)
        assert info["missing_keys"] == (["embeddings.mask_token"] if "use_mask_token" in options else [])
    assert "pooler" in names


@pytest.mark.backend
@pytest.mark.parametrize("stem", ["ViTForImageClassification", "ConvNextForImageClassification"])
def test_no_labels_leave_no_classifier(stem: str, runner: ModuleType) -> None:
    model = made(runner, stem, num_labels=0)
    assert not any(name.startswith("classifier") for name in tensors_of(model))
    width = getattr(model.config, "hidden_size", None) or model.config.hidden_sizes[-1]
    assert runner.forward(model, images(model.config, 24, 24))["logits"].shape == (2, width)


# ---- stages -------------------------------------------------------------------------------------------------


def test_names_and_numbers_of_stages_say_the_same() -> None:
    config = ConvNextConfig()
    assert (config.out_features, config.out_indices) == (["stage4"], [4])
    config.out_features = ["stem", "stage2"]
    assert config.out_indices == [0, 2]
    config.out_indices = [1, -1]
    assert (config.out_features, config.out_indices) == (["stage1", "stage4"], [1, -1])
    again = ConvNextConfig.from_dict(config.to_dict())
    assert again == config and ConvNextConfig.from_dict(config.to_dict(), out_indices=[3]).out_features == ["stage3"]
    wrong: list[dict[str, Any]] = [
        {"out_features": ["stage2", "stage1"]}, {"out_features": ["stage1", "stage1"]}, {"out_features": ["stage9"]},
        {"out_indices": [9]}, {"out_indices": [1, 1]}, {"out_features": ["stage1"], "out_indices": [2]},
        {"depths": [1, 2]}, {"hidden_sizes": [3]}, {"patch_size": 500}, {"image_size": [1, 2, 3]},
    ]  # fmt: skip
    for fields in wrong:
        with pytest.raises(ConfigurationError):
            ConvNextConfig(**fields).validate()
    with pytest.raises(ConfigurationError):
        ViTConfig(image_size=8, patch_size=16).validate()


@pytest.mark.backend
def test_a_backbone_of_a_classifier(runner: ModuleType, tmp_path: Path) -> None:
    made(runner, "ConvNextForImageClassification").save_pretrained(tmp_path)
    chosen = {"out_features": ["stem", "stage2"]}
    model, info = runner.load("ConvNextBackbone", tmp_path, "float32", output_loading_info=True, **chosen)
    assert set(info["missing_keys"]) == {
        f"hidden_states_norms.{name}.{leaf}" for name in chosen["out_features"] for leaf in ("weight", "bias")
    }
    assert (model.channels, model.out_indices) == ([6, 10], [0, 2])
    found = runner.forward(model, images(model.config, 19, 24))
    assert [found[f"feature_maps.{index}"].shape for index in range(2)] == [(2, 6, 4, 6), (2, 10, 2, 3)]


# ---- layers that are left out -------------------------------------------------------------------------------


@pytest.mark.backend
def test_layers_are_left_out_in_training_alone(runner: ModuleType, backend: str) -> None:
    model = made(runner, "ConvNextModel", drop_path_rate=0.9, layer_scale_init_value=1.0)
    inputs = images(model.config, 19, 24)
    inputs = {"pixel_values": np.repeat(inputs["pixel_values"][:1], 16, 0)}
    rows = runner.forward(model.eval() if backend == "torch" else model, inputs)["pooler_output"]
    assert np.allclose(rows, rows[:1])
    if backend == "torch":
        rows = model.train()(**runner.tensors(inputs)).pooler_output.detach().numpy()
    elif backend == "tensorflow":
        rows = model(**inputs, training=True).pooler_output.numpy()
    else:
        import jax

        rows = np.asarray(model(**inputs, train=True, dropout_rng=jax.random.key(0)).pooler_output)
    kinds = np.unique(rows.round(4), axis=0)
    assert 1 < len(kinds) <= 4 * 2  # each of three layers is there or not
