"""The distribution that an order depends on, against plain counting."""

import numpy as np
import pytest

from stockcast.core.axes import SeriesAxis, TimeAxis
from stockcast.core.errors import UsageError
from stockcast.core.random import Stream
from stockcast.demand import LeadTimeDemand, QuantileForecast, RecordedPaths, SampledForecast

AXIS = SeriesAxis(np.array(["a", "b"]), np.full(2, "main"))


def demand(samples) -> LeadTimeDemand:
    values = np.array(samples, dtype=float)
    return LeadTimeDemand(AXIS.take(np.arange(len(values))), values, np.ones(len(values), dtype=np.int64))


@pytest.mark.parametrize("level", [0.01, 0.25, 0.5, 0.7, 0.9, 0.95, 0.999])
def test_a_quantile_is_the_smallest_demand_that_covers_its_share(level):
    values = np.random.default_rng(1).poisson(6, (2, 200)).astype(float)
    for row, found in enumerate(demand(values).quantile(level)):
        covered = [d for d in sorted(values[row]) if (values[row] <= d).mean() >= level - 1e-9]
        assert found == covered[0]


def test_a_quantile_takes_a_level_for_each_series():
    both = demand([[1, 2, 3, 4], [10, 20, 30, 40]])
    assert both.quantile(np.array([0.5, 1.0])).tolist() == [2, 40]


def test_shortage_and_fill_rate_by_hand():
    one = demand([[0, 2, 4, 6]])
    assert one.expected_shortage(np.array([3.0])).tolist() == [1.0]
    assert one.fill_rate(np.array([3.0])).tolist() == [pytest.approx(2 / 3)]
    assert one.fill_rate(np.array([6.0])).tolist() == [1.0]


def test_no_demand_is_always_served():
    assert demand([[0, 0]]).fill_rate(np.array([0.0])).tolist() == [1.0]


def test_paths_add_up_over_each_series_own_periods():
    paths = np.arange(24.0).reshape(2, 3, 4)
    time = TimeAxis(np.datetime64("2026-11-23"), 4, "day")
    forecast = SampledForecast(AXIS, time, RecordedPaths(paths), Stream(7, "paths"), 3)
    summed = forecast.lead_time_demand(np.array([4, 0]))
    np.testing.assert_array_equal(summed.samples, [[6, 22, 38], [0, 0, 0]])
    with pytest.raises(UsageError, match="the horizon is 4"):
        forecast.lead_time_demand(np.array([5, 1]))


def test_quantiles_of_periods_do_not_add():
    time = TimeAxis(np.datetime64("2026-11-23"), 1, "day")
    forecast = QuantileForecast(AXIS, time, (0.5,), np.ones((2, 1, 1)), np.ones((2, 1)))
    with pytest.raises(UsageError, match="do not add up") as told:
        forecast.lead_time_demand(np.array([1, 1]))
    assert "to_paths" in str(told.value.help)
