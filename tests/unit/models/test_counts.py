import numpy as np
import pytest
from made_panels import panel, retail

from stockcast.demand import Counts, SampledForecast, Stacked
from stockcast.models.catalogue import make
from stockcast.models.ladder import Ladder
from stockcast.models.states import clipped
from stockcast.models.tally import Tally, floor_of, tally, unit_of, weekdays, whole


def predicted(past, n_paths=200, horizon=14):
    return make("negative_binomial").fit(past, seed=7).predict(past, horizon, seed=7, n_paths=n_paths)


def test_paths_are_whole_numbers():
    demand = predicted(retail(8, 150))
    assert isinstance(demand.source, Counts)
    paths = demand.paths()
    assert (paths == np.rint(paths)).all()


def test_a_line_sold_in_sixes_is_forecast_in_sixes():
    sales = 6.0 * np.random.default_rng(2).poisson(1.5, (1, 200))
    demand = predicted(panel(sales))
    assert demand.source.unit.tolist() == [6.0]
    assert (demand.paths() % 6.0 == 0).all()
    assert demand.paths().mean() == pytest.approx(9.0, rel=0.15)


def test_weights_in_hundredths_are_counted_in_hundredths():
    sales = np.random.default_rng(2).gamma(2.0, 0.5, (1, 300)).round(2)
    demand = predicted(panel(sales), n_paths=500)
    assert demand.source.unit.tolist() == [pytest.approx(0.01)]
    assert demand.paths().mean() == pytest.approx(sales.mean(), rel=0.1)
    assert demand.paths().std() == pytest.approx(sales.std(), rel=0.2)


def test_the_unit_of_a_few_demands_is_what_they_are_written_in():
    assert unit_of(np.array([[4.0, 0.0, 8.0]]), np.ones((1, 3), dtype=bool)).tolist() == [1.0]
    masked = np.array([[4.0, 1.5, 8.0]])
    assert unit_of(masked, np.array([[True, False, True]])).tolist() == [1.0]
    assert whole(masked, np.array([[True, False, True]])).tolist() == [True]


def test_what_is_no_count_is_told_and_rounded():
    sales = np.array([[1e150, 3e150], [1e-12, 3e-12], [1e10, 2.0]])
    used = np.ones((3, 2), dtype=bool)
    assert whole(sales, used).tolist() == [False, False, False]
    np.testing.assert_allclose(unit_of(sales, used), [3e147, 3e-15, 1e7], rtol=1e-12)


def test_a_series_that_hardly_varies_is_counted_above_its_floor():
    sales = 40.0 + np.random.default_rng(3).binomial(6, 0.5, (1, 200))
    demand = predicted(panel(sales), n_paths=500)
    assert demand.source.floor[0] == sales.min()
    assert demand.paths().std() < 2.0 * sales.std()
    assert demand.paths().mean() == pytest.approx(43.0, abs=0.5)
    assert floor_of(np.array([[3.0, 9.0, 1.0]]), np.array([[True, True, True]])).tolist() == [0.0]


def test_a_short_or_rare_history_is_left_to_the_ladder():
    sales = np.ones((3, 30))
    sales[1] = 0.0
    sales[1, 7] = 3.0
    observed = np.ones((3, 30), dtype=bool)
    observed[2, :-13] = False
    assert make("negative_binomial").can_fit(panel(sales, observed=observed)).tolist() == [True, False, False]
    assert make("negative_binomial").can_fit(panel(sales, observed=observed, step="week")).tolist() == [
        True,
        False,
        True,
    ]


def test_estimated_demand_is_rounded():
    in_stock = np.full((1, 60), 0.75)
    past = panel(np.full((1, 60), 4.0), in_stock=in_stock)  # censored: 4 / 0.75 a day
    assert make("negative_binomial").can_fit(past).tolist() == [True]
    assert (predicted(past).paths() == 5.0).all()


def test_the_first_level_leans_on_the_mean_where_little_is_known():
    counts = np.array([[0.0, 0.0, 8.0, 8.0, 8.0, 8.0]])
    told = tally(counts, counts >= 0, np.ones(1), np.zeros(1), 1.0, 2)
    assert told.mean.tolist() == [pytest.approx(32 / 6)]
    assert told.start[0] == pytest.approx(7.0 * (32 / 6) / 9.0)


def test_a_closed_day_gets_next_to_nothing():
    sales = np.random.default_rng(4).poisson(9.0, (4, 364)) * (np.arange(364) % 7 != 6)
    told = Tally(sales.astype(float), sales >= 0, sales[:, 0] + 1.0, sales.mean(axis=1), np.full(4, 364.0))
    assert (weekdays(told, 1.0)[0][:, 6] < 0.02).all()
    demand = predicted(panel(sales))
    assert demand.paths()[:, :, 6].mean() < 0.1
    assert demand.paths()[:, :, 5].mean() > 7.0


def test_weeks_have_no_pattern():
    assert predicted(retail(6, 150, step="week")).source.season.shape == (6, 1)


def test_values_at_the_cap_are_counted_in_any_stack():
    past = retail(4, 90)
    demand = predicted(past, n_paths=50)
    low = Counts(**{
        name: np.full(4, 2.0) if name == "cap" else getattr(demand.source, name) for name in Counts.__dataclass_fields__
    })  # fmt: skip
    cut = SampledForecast(demand.series, demand.time, low, demand.stream, 50)
    expected = int((cut.paths() >= 2.0).sum())
    assert expected > 0
    assert clipped(cut) == expected
    stack = Stacked((low.take(np.array([1, 3])), low.take(np.array([0, 2]))), np.array([1, 0, 1, 0]))
    assert clipped(SampledForecast(demand.series, demand.time, stack, demand.stream, 50)) == expected
    assert clipped(demand) == 0


def test_the_ladder_stacks_counts_on_states():
    sales = np.random.default_rng(5).poisson(2.0, (3, 60)).astype(float)
    observed = np.ones((3, 60), dtype=bool)
    observed[1, :-5] = False
    past = panel(sales, observed=observed)
    demand, fallback = Ladder(make("negative_binomial")).fit(past, seed=7).climb(past, 10, seed=7, n_paths=20)
    assert fallback.tolist() == ["", "negative_binomial→moving_average: 5 periods of history", ""]
    assert isinstance(demand.source, Stacked)
    assert demand.paths(np.array([2])).tobytes() == predicted(past, 20, 10).paths(np.array([2])).tobytes()


def test_the_size_of_a_chunk_changes_no_byte(monkeypatch):
    past = retail(9, 130)
    whole = make("negative_binomial").fit(past, seed=7)
    monkeypatch.setattr("stockcast.models.counts.CHUNK", 2)
    parts = make("negative_binomial").fit(past, seed=7)
    for name in ("unit", "floor", "mean", "alpha", "kappa", "dispersion", "inflation", "season"):
        assert getattr(whole, name).tobytes() == getattr(parts, name).tobytes()
