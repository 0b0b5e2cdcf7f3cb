"""Croston, SBA and TSB against plain loops of the published equations."""

import numpy as np
import pytest

from stockcast.models.intermittent import initial, recursion


def croston(values, alpha, z, tau, factor):
    q = 1.0
    for y in values:
        if y > 0:
            z, tau, q = z + alpha * (y - z), tau + alpha * (q - tau), 1.0
        else:
            q += 1.0
    return z, min(1.0, factor / tau)


def tsb(values, alpha, delta, z, p):
    for y in values:
        p += delta * ((y > 0) - p)
        z += alpha * (y - z) if y > 0 else 0.0
    return z, p


@pytest.fixture
def demand():
    draw = np.random.default_rng(11)
    values = draw.poisson(4.0, (6, 120)) * (draw.random((6, 120)) < 0.3)
    values[:, 0] = 2
    return values.astype(float)


@pytest.mark.parametrize("kind", ["croston", "sba", "tsb"])
def test_the_batch_agrees_with_the_loop(demand, kind):
    alphas, deltas = np.array([0.05, 0.2, 0.5]), np.array([0.02, 0.1, 0.4])
    shape = (3, 6)
    told = recursion(
        demand, demand >= 0, kind, np.broadcast_to(alphas[:, None], shape), np.broadcast_to(deltas[:, None], shape),
        np.full(6, 3.0), np.full(6, 0.25),
    )  # fmt: skip
    for c in range(3):
        for s in range(6):
            if kind == "tsb":
                expected = tsb(demand[s], alphas[c], deltas[c], 3.0, 0.25)
            else:
                expected = croston(demand[s], alphas[c], 3.0, 4.0, 1.0 - alphas[c] / 2 * (kind == "sba"))
            np.testing.assert_allclose((told.size[c, s], told.occurrence[c, s]), expected, rtol=1e-12)


@pytest.mark.parametrize("kind", ["croston", "sba", "tsb"])
def test_periods_without_evidence_are_skipped(demand, kind):
    half = np.full((1, 6), 0.3)
    used = np.random.default_rng(2).random(demand.shape) < 0.7
    told = recursion(np.where(used, demand, 99.0), used, kind, half, half, np.full(6, 3.0), np.full(6, 0.25))
    for s in range(6):
        short = demand[s : s + 1, used[s]]
        alone = recursion(short, short >= 0, kind, half[:, :1], half[:, :1], np.full(1, 3.0), np.full(1, 0.25))
        np.testing.assert_allclose(told.size[0, s], alone.size[0, 0], rtol=1e-12)
        np.testing.assert_allclose(told.occurrence[0, s], alone.occurrence[0, 0], rtol=1e-12)


def test_the_loss_is_that_of_the_rate_before_each_period():
    y = np.array([[0.0, 4.0, 2.0]])
    told = recursion(
        y, y >= 0, "tsb", np.full((1, 1), 0.5), np.full((1, 1), 0.5), np.array([4.0]), np.array([0.5]), decay=0.5
    )
    # rates: 0.5·4 = 2, 0.25·4 = 1, 0.625·4 = 2.5
    assert told.loss[0, 0] == pytest.approx(0.25 * 4.0 + 0.5 * 9.0 + 0.25)


def test_the_first_state_is_read_off_the_first_periods():
    y = np.array([[0.0, 0.0, 6.0, 0.0, 2.0, 9.0]])
    size, occurrence = initial(y, y >= 0, 5)
    assert (size[0], occurrence[0]) == (4.0, 0.4)
    size, occurrence = initial(y, y >= 0, 1)  # widened to the first demand
    assert (size[0], occurrence[0]) == (6.0, pytest.approx(1 / 3))
