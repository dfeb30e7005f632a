"""Initial weights: a distribution that is what it says, from streams that depend on seed and name alone."""

from __future__ import annotations

import math
from statistics import NormalDist

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from triformers import BertConfig, DistilBertConfig
from triformers.initialization import (
    BLOCK,
    CHUNK,
    Constant,
    Normal,
    Sinusoids,
    draw,
    inverse_normal,
    normals,
    stream_key,
)


@given(st.floats(min_value=1e-300, max_value=1 - 1e-15, exclude_max=True))
def test_the_inverse_distribution_function(probability: float) -> None:
    expected = NormalDist().inv_cdf(probability)
    assert inverse_normal(np.array([probability]))[0] == pytest.approx(expected, rel=1e-13, abs=1e-15)


def test_the_numbers_are_normal() -> None:
    values = normals(3, "a.weight", 200_000, 2.0, np.dtype("float64"))
    assert abs(values.mean()) < 0.02 and abs(values.std() - 2.0) < 0.02
    assert abs((values**4).mean() / 2.0**4 - 3.0) < 0.1
    assert abs((np.abs(values) < 2.0).mean() - 0.6827) < 0.005


def test_a_stream_depends_on_seed_and_name_alone() -> None:
    double = np.dtype("float64")
    one = normals(3, "a.weight", 100, 1.0, double)
    assert np.array_equal(one, normals(3, "a.weight", 100, 1.0, double))
    assert not np.array_equal(one, normals(4, "a.weight", 100, 1.0, double))
    assert not np.array_equal(one, normals(3, "b.weight", 100, 1.0, double))
    longer = normals(3, "a.weight", 2 * BLOCK + CHUNK + 7, 1.0, double)
    assert np.array_equal(one, longer[:100])
    assert np.array_equal(longer[: BLOCK - 3], normals(3, "a.weight", BLOCK - 3, 1.0, double))
    raw = np.random.Philox(key=stream_key(3, "a.weight")).random_raw(len(longer))
    sequential = inverse_normal(((raw >> np.uint64(11)).astype(np.float64) + 0.5) * 2.0**-53)
    np.testing.assert_array_equal(longer, sequential)
    assert np.array_equal(one.astype(np.float32), normals(3, "a.weight", 100, 1.0, np.dtype("float32")))


def test_the_first_bits_are_those_of_philox() -> None:
    # fixed numbers: a change of any of the steps changes every model that is made from a seed
    found = normals(0, "embeddings.word_embeddings.weight", 3, 1.0, np.dtype("float64"))
    np.testing.assert_allclose(found, FIRST, rtol=1e-14)


FIRST = [0.7905918883786467, 0.29117327592937925, 0.7222575988631438]


def test_rows_of_zeros_and_constants() -> None:
    config, single = BertConfig(pad_token_id=2), np.dtype("float32")
    table = draw(Normal(zero_row="pad_token_id"), "table", (5, 3), single, config, 0)
    assert not table[2].any() and table[[0, 1, 3, 4]].all()
    assert np.array_equal(draw(Constant(1.0), "norm", (4,), single, config, 0), np.ones(4, single))
    assert draw(Normal(), "w", (4, 3), single, BertConfig(initializer_range=0.0), 0).sum() == 0


@pytest.mark.parametrize("width", [6, 7])
def test_sines_and_cosines_by_turns_where_they_are_asked_for(width: int) -> None:
    double, initializer = np.dtype("float64"), Sinusoids(when="sinusoidal_pos_embds")
    table = draw(initializer, "p", (5, width), double, DistilBertConfig(sinusoidal_pos_embds=True), 0)
    assert table[0].tolist() == [0.0, 1.0] * (width // 2) + [0.0] * (width % 2)
    assert table[3, 2] == pytest.approx(math.sin(3 / 10000 ** (2 / width)), rel=1e-15)
    assert table[3, 3] == pytest.approx(math.cos(3 / 10000 ** (2 / width)), rel=1e-15)
    config = DistilBertConfig()
    usual = draw(Normal(), "p", (5, width), double, config, 0)
    assert np.array_equal(draw(initializer, "p", (5, width), double, config, 0), usual)
