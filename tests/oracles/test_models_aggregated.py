"""ADIDA and IMAPA against plain loops of the published procedure, and against an example worked out by hand."""

import sys
from pathlib import Path

import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).parents[1] / "unit" / "models"))
from made_panels import panel

from stockcast.models.aggregated import ADIDA, ALPHAS, FIRST, IMAPA, FittedAggregated, buckets, interval, smoothed
from stockcast.models.catalogue import make

HALF_LIFE, MEMORY = 180, 1080


def plain_buckets(told, length):
    """Cut from the end, drop what is left over at the beginning, add up."""
    out = []
    while len(told) >= length:
        out.insert(0, sum(told[len(told) - length :]))
        told = told[: len(told) - length]
    return out


def plain_rate(told, length):
    """Smooth the buckets with each constant; the level of the best one, by period."""
    demand, best = plain_buckets(told, length), (np.inf, 0.0)
    decay = 0.5 ** (length / HALF_LIFE)
    for alpha in ALPHAS:
        level, loss = sum(demand[:FIRST]) / len(demand[:FIRST]), 0.0
        for y in demand:
            loss = decay * loss + (y - level) ** 2
            level += alpha * (y - level)
        if loss < best[0]:
            best = (loss, level)
    return best[1] / length


@pytest.fixture
def past():
    draw = np.random.default_rng(11)
    share = np.geomspace(0.02, 0.9, 9)[:, None]
    sales = draw.poisson(3.0, (9, 400)) * (draw.random((9, 400)) < share)
    sales[:, 3] = sales[:, 250] = 2  # can_fit asks for two demands
    in_stock = np.where(draw.random((9, 400)) < 0.15, 0.0, 1.0)
    return panel(np.where(in_stock > 0, sales, 0.0), in_stock=in_stock)


def told(past, row):
    return past.sales[row][past.fully_in_stock[row]].tolist()


def test_the_batch_of_adida_agrees_with_the_loop(past):
    rate = ADIDA().fit(past, seed=7).rate(past)
    for row in range(9):
        seen = told(past, row)
        length = round(len(seen) / sum(y > 0 for y in seen))
        assert rate[row] == pytest.approx(plain_rate(seen, min(length, 56)), rel=1e-12)


def test_the_batch_of_imapa_agrees_with_the_loop(past):
    rate = IMAPA().fit(past, seed=7).rate(past)
    for row in range(9):
        seen = told(past, row)
        longest = min(round(len(seen) / sum(y > 0 for y in seen)), 56)
        expected = np.mean([plain_rate(seen, length) for length in range(1, longest + 1)])
        assert rate[row] == pytest.approx(expected, rel=1e-12)


def test_an_example_by_hand():
    # 9 periods, 3 demands: buckets of 3 are 6, 0, 3. With α = 0.5 from their mean 3:
    # 3 → 3 + 0.5·3 = 4.5 → 4.5 − 0.5·4.5 = 2.25 → 2.25 + 0.5·0.75 = 2.625, so 0.875 a period
    past = panel(np.array([[0.0, 6.0, 0.0, 0.0, 0.0, 0.0, 2.0, 0.0, 1.0]]))
    half = np.full((3, 1), 0.5)
    assert FittedAggregated(False, past.series, np.array([3]), half).rate(past).tolist() == [0.875]
    # buckets of 2 (the first 0 is dropped): 6, 0, 2, 1 from (6 + 0 + 2) / 3 = 8/3:
    # 8/3 → 13/3 → 13/6 → 25/12 → 37/24, so 37/48 a period; buckets of 1 from (0 + 6 + 0) / 3 = 2:
    # 2 → 1 → 3.5 → 1.75 → 0.875 → 0.4375 → 0.21875 → 1.109375 → 0.5546875 → 0.77734375
    expected = (0.77734375 + 37 / 48 + 0.875) / 3
    assert FittedAggregated(True, past.series, np.array([3]), half).rate(past)[0] == pytest.approx(expected, rel=1e-15)


def test_the_loss_is_that_of_the_level_before_each_bucket():
    demand = np.array([[0.0, 4.0, 2.0, 6.0]])
    _, loss = smoothed(demand, np.array([[False, True, True, True]]), np.full((1, 1), 0.5), np.array([0.5]))
    # the level begins with (4 + 2 + 6) / 3 = 4: errors 0, −2, 3
    assert loss[0, 0] == 0.25 * 0.0 + 0.5 * 4.0 + 9.0


def test_masked_periods_are_left_out_of_the_buckets():
    sales = np.tile(np.array([0.0, 0.0, 5.0]), 40)[None]
    in_stock = np.ones_like(sales)
    in_stock[0, 30:60] = 0.0  # ten rounds without stock
    closed = panel(np.where(in_stock > 0, sales, 0.0), in_stock=in_stock)
    cut = panel(np.delete(sales, np.arange(30, 60), axis=1))
    for name in ("adida", "imapa"):
        a, b = (make(name).fit(past, seed=7).rate(past)[0] for past in (closed, cut))
        assert a == b
    assert a == pytest.approx(5 / 3, rel=0.1)


def test_adida_of_regular_rare_demand_is_exact():
    past = panel(np.tile(np.array([0.0, 0.0, 0.0, 6.0]), 30)[None])
    fitted = ADIDA().fit(past, seed=7)
    assert fitted.longest.tolist() == [4]
    assert fitted.rate(past).tolist() == [1.5]


def test_buckets_are_bounded():
    count, demands = np.array([2000, 2000, 40, 3]), np.array([2, 1000, 2, 2])
    assert interval(count, demands, "day").tolist() == [56, 2, 10, 1]
    assert interval(count, demands, "week").tolist() == [13, 2, 10, 1]


def test_wider_company_adds_only_masked_buckets():
    recent = np.array([[1.0, 2.0, 3.0, 4.0], [5.0, 6.0, 0.0, 0.0]])
    demand, there = buckets(recent, np.array([4, 2]), np.array([1, 2]))
    assert demand.tolist() == [[1, 2, 3, 4], [0, 0, 0, 11]]
    assert there.tolist() == [[True] * 4, [False] * 3 + [True]]
    level, loss = smoothed(demand, there, np.full((1, 2), 0.3), np.ones(2))
    alone = smoothed(np.array([[11.0]]), np.ones((1, 1), dtype=bool), np.full((1, 1), 0.3), np.ones(1))
    assert (level[0, 1], loss[0, 1]) == (alone[0][0, 0], alone[1][0, 0])
