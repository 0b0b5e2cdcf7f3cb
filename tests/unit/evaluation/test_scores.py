"""What a forecast is judged by, recomputed plainly from its paths."""

import sys
from pathlib import Path

import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).parents[1] / "models"))
from made_panels import retail

from stockcast.evaluation import metrics
from stockcast.evaluation.published import published
from stockcast.evaluation.scores import COVERED, judge, measures, picked
from stockcast.models.catalogue import make
from stockcast.models.ladder import Ladder

LEVELS = (0.5, 0.9, 0.95)


@pytest.fixture(scope="module")
def judged():
    whole = retail(6, 140)
    past = whole.until(126)
    demand = published(Ladder(make("moving_average")).fit(past, seed=7).predict(past, 14, seed=7, n_paths=40), past)
    actual, used = whole.sales[:, 126:], whole.fully_in_stock[:, 126:].copy()
    used[1:3] = True
    used[5] = False
    periods = np.array([3, 5, 14, 2, 7, 4])
    scales = metrics.Scales(
        np.array([2.0, 1.0, 3.0, 1.0, 0.5, 1.0]),
        np.array([1.0, 2.0, 0.5, 1.0, 4.0, 1.0]),
        np.array([1.0, 3.0, 2.0, 0.5, 1.0, 4.0]),
    )
    return demand.paths(), actual, used, periods, judge(demand, actual, used, scales, periods, LEVELS)


def plain_quantile(values, level):
    return sorted(values)[int(np.ceil(level * len(values) - 1e-9)) - 1]


def test_pooled_losses_by_hand(judged):
    paths, actual, used, _, outcome = judged
    lost = sold = 0.0
    for row, period in zip(*np.nonzero(used), strict=True):
        y = actual[row, period]
        sold += y
        for level in LEVELS:
            off = y - plain_quantile(paths[row, :, period], level)
            lost += 2.0 * (level * off if off > 0 else (level - 1.0) * off) / len(LEVELS)
    told = measures(outcome, np.arange(6))
    assert sold > 0
    assert told["weighted_quantile_loss"] == pytest.approx(lost / sold)
    quantiles = np.stack([
        [[plain_quantile(p, level) for level in LEVELS] for p in of.T] for of in paths
    ])  # series, horizon, level
    assert metrics.weighted_quantile_loss(quantiles, actual, used, LEVELS) == pytest.approx(lost / sold)
    mean = paths.mean(axis=1)
    assert told["wape"] == pytest.approx(metrics.wape(mean, actual, used))


def test_periods_in_stock_by_a_walk(judged):
    paths, actual, used, _, outcome = judged
    levels, found = [1.0, 3.0, 2.0, 0.5, 1.0, 4.0], []
    for row in range(6):
        stock, after = 0.0, []
        for forecast, sold, counts in zip(paths[row].mean(axis=0), actual[row], used[row], strict=True):
            if counts:
                stock += forecast - sold
                after.append(stock)
        if after:
            found.append(sum(after) / len(after) / levels[row])
    told = measures(outcome, np.arange(6))
    assert told["periods_in_stock"] == pytest.approx(np.mean(found))
    assert told["periods_in_stock_absolute"] == pytest.approx(np.mean(np.abs(found)))


def test_coverage_of_periods_and_of_sums_by_hand(judged):
    paths, actual, used, periods, outcome = judged
    told = measures(outcome, np.arange(6))
    for level in COVERED:
        single, sums = [], []
        for row in range(6):
            hits = [
                actual[row, t] <= plain_quantile(paths[row, :, t], level) for t in range(14) if used[row, t]
            ]  # fmt: skip
            if hits:
                single.append(np.mean(hits))
            if used[row, : periods[row]].all():
                total = plain_quantile(paths[row, :, : periods[row]].sum(axis=1), level)
                sums.append(actual[row, : periods[row]].sum() <= total)
        assert told[f"coverage_{level:g}"] == pytest.approx(np.mean(single))
        assert told[f"coverage_sum_{level:g}"] == pytest.approx(np.mean(sums))
    assert len(sums) >= 2


def test_what_is_not_judged_is_left_out(judged):
    *_, outcome = judged
    assert measures(outcome, np.array([5])) == {}


def test_picked_takes_each_series_from_its_model(judged):
    *_, one = judged
    other = type(one)(**{name: getattr(one, name) + 1.0 for name in one.__dataclass_fields__})
    chosen = np.array([0, 1, 1, 0, 1, 0])
    mixed = picked([one, other], chosen)
    np.testing.assert_array_equal(mixed.pinball, np.where(chosen == 1, other.pinball, one.pinball))
    np.testing.assert_array_equal(mixed.covered, np.where(chosen[:, None] == 1, other.covered, one.covered))
