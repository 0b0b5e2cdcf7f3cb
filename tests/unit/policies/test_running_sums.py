"""Sums read off a ladder, and minima off a hull, against plain passes over the numbers."""

import numpy as np
import pytest

from planning_case import drawn
from stockcast.policies.hull import Hull
from stockcast.policies.ladder import Ladder
from stockcast.policies.newsvendor import aim
from stockcast.policies.projection import Part, batches


@pytest.mark.parametrize("seed", range(6))
def test_a_ladder_adds_up_what_a_pass_adds_up(seed):
    rng = np.random.default_rng(seed)
    width = int(rng.integers(1, 40))
    numbers = np.round(rng.normal(rng.choice([0.0, 1e6]), 5.0, (7, width)))
    numbers[rng.random(numbers.shape) < 0.2 * (seed % 2)] = np.inf
    numbers[0] = np.inf if seed % 2 else numbers[0]
    some = np.where(np.isfinite(numbers), numbers, 0.0)
    units = some[:, :1] + np.arange(-9.0, 10.0)
    ladder = Ladder.of(numbers, squares=True)
    counts = np.isfinite(numbers)[:, None, :]
    off = units[:, :, None] - some[:, None, :]
    over = np.where(counts, np.maximum(off, 0.0), 0.0)
    assert np.array_equal(ladder.rank(units), (numbers[:, None, :] <= units[:, :, None]).sum(axis=2))
    np.testing.assert_allclose(ladder.over(units), over.sum(axis=2), atol=1e-9)
    np.testing.assert_allclose(ladder.under(units), np.where(counts, np.maximum(-off, 0.0), 0.0).sum(axis=2), atol=1e-9)
    first, second = ladder.squared(units)
    np.testing.assert_allclose(first, over.sum(axis=2), atol=1e-9)
    np.testing.assert_allclose(second, (over**2).sum(axis=2), atol=1e-9)


def test_numbers_far_from_zero_lose_no_digits():
    numbers = 1e9 + np.array([[0.0, 0.25, 3.0]])
    first, second = Ladder.of(numbers, squares=True).squared(np.array([[1e9 + 1.0]]))
    assert (first[0, 0], second[0, 0]) == (1.75, 1.5625)


@pytest.mark.parametrize("seed", range(6))
def test_the_best_at_any_price_is_a_corner(seed):
    rng = np.random.default_rng(seed)
    quantity = np.sort(rng.integers(0, 12, (20, 9)).astype(float), axis=1)
    quantity[:, 0] = 0.0
    cost = rng.normal(0.0, 3.0, (20, 12))[np.arange(20)[:, None], quantity.astype(int)]
    corner = Hull.of(quantity, cost).corner
    for price in rng.normal(0.0, 2.0, 30):
        at = cost - price * quantity
        np.testing.assert_allclose(np.take_along_axis(at, corner, axis=1).min(axis=1), at.min(axis=1))
    at = np.take_along_axis(quantity, corner, axis=1)
    slopes = np.diff(np.take_along_axis(cost, corner, axis=1), axis=1) / np.where(np.diff(at) > 0, np.diff(at), np.inf)
    for row in range(20):
        real = slopes[row][np.diff(at[row]) > 0]
        assert (np.diff(real) > 0).all()


def test_a_line_that_orders_nothing_has_one_corner():
    assert Hull.of(np.zeros((2, 4)), np.zeros((2, 4))).corner.tolist() == [[0], [0]]


@pytest.mark.parametrize("backorder", [False, True])
@pytest.mark.parametrize("seed", [1, 4, 8])
def test_overstock_is_the_mean_of_what_each_path_has_too_much(seed, backorder):
    part = Part.of(drawn(seed, n=20, n_paths=40, backorder=backorder))
    for rows in batches(part):
        left = aim(part.take(rows)).leftover
        units = left.free[:, None] + np.array([-5.0, 0.0, 1.0, 7.0, 90.0])

        def remaining(height, left=left):
            held = height[:, None] if left.backorder else np.maximum(height[:, None], left.peak)
            return held - left.need + left.later

        for j, some in enumerate(units.T):
            above = np.maximum(remaining(some) - np.maximum(remaining(left.free), left.level[:, None]), 0.0)
            charge = above**2 / (2 * left.rate)[:, None] + left.review[:, None] * above / 2
            plain = (left.holding_cost[:, None] * charge).mean(axis=1)
            np.testing.assert_allclose(left.overstock(units)[:, j], plain, rtol=1e-9, atol=1e-9)
