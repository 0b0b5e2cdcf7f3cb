import sys
from pathlib import Path

import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).parents[1] / "models"))
from made_panels import panel, retail, scrambled

from stockcast import evaluation
from stockcast.core.errors import AlignmentError, UsageError
from stockcast.core.random import Stream
from stockcast.demand import Reconciled, RecordedPaths, SampledForecast, Scaled
from stockcast.demand.arrays import pack, unpack
from stockcast.demand.reconciled import not_negative
from stockcast.evaluation import alignment
from stockcast.evaluation.alignment import METHODS, align, choose
from stockcast.evaluation.replay import Replay
from stockcast.evaluation.scores import Outcome
from stockcast.models.catalogue import make
from stockcast.models.ladder import Ladder
from stockcast.models.smoothing import one_step_errors
from stockcast.models.states import clipped
from stockcast.models.uncensor import evidence

BY = ("category",)
LEVELS = (0.1, 0.5, 0.9, 0.95)
every_method = pytest.mark.parametrize("method", METHODS)


def forecast(past, horizon=10, n_paths=60, seed=7):
    return Ladder(make("ets")).fit(past, seed=seed).predict(past, horizon, seed=seed, n_paths=n_paths)


def aligned(past, method, by=BY, **more):
    return align(past, forecast(past, **more), by, method, seed=7)[0]


def groups(past, paths):
    names = past.attributes.column("category")
    return {name: paths[names == name].sum(axis=0) for name in np.unique(names).tolist()} | {"": paths.sum(axis=0)}


@every_method
def test_paths_are_finite_not_negative_and_changed(method):
    past = retail(14, 170)
    before, after = forecast(past).paths(), aligned(past, method).paths()
    assert after.shape == before.shape
    assert np.isfinite(after).all()
    assert (after >= 0).all()
    assert not np.allclose(before, after)


def test_bottom_up_and_none_change_nothing():
    past = retail(8, 90)
    demand = forecast(past)
    for method in ("none", "bottom_up"):
        made, notes = align(past, demand, BY, method, seed=7)
        assert made is demand
        assert notes == ()


@every_method
def test_chunks_and_selections_give_the_same_bytes_as_the_whole(method):
    made = aligned(retail(11, 120), method)
    whole = made.paths()
    for rows in (np.arange(4), np.array([4]), np.array([0, 3, 7, 10])):
        assert made.paths(rows).tobytes() == whole[rows].tobytes()
        assert made.take(rows).paths().tobytes() == whole[rows].tobytes()
        assert made.take(rows).paths(np.array([0])).tobytes() == whole[rows[:1]].tobytes()


@every_method
def test_the_size_of_the_chunks_of_the_pass_over_the_series_changes_no_byte(method, monkeypatch):
    past = retail(11, 120)
    whole = aligned(past, method).paths()
    monkeypatch.setattr("stockcast.demand.forecast.CHUNK", 3)
    monkeypatch.setattr(alignment, "CHUNK", 1)
    monkeypatch.setattr("stockcast.panel.aggregation.CHUNK", 4)
    assert aligned(past, method).paths().tobytes() == whole.tobytes()


@every_method
def test_what_is_written_down_draws_the_same_bytes(method):
    made = aligned(retail(6, 90), method)
    packed = pack(made)
    assert all(isinstance(value, str) or value.dtype != object for value in packed.values())
    assert unpack(packed).paths().tobytes() == made.paths().tobytes()


@every_method
def test_nothing_after_the_origin_is_read(method):
    whole = retail(10, 160)
    clean, other = (aligned(p.until(120), method).paths() for p in (whole, scrambled(whole, 120)))
    assert clean.tobytes() == other.tobytes()


@every_method
def test_another_number_of_paths_keeps_the_mean(method):
    past = panel(np.random.default_rng(1).poisson(30.0, (6, 150)), category=np.array(["a", "b"] * 3))
    made = aligned(past, method, n_paths=200)
    more = SampledForecast(made.series, made.time, made.source, made.stream, 450).paths()
    assert more.shape == (6, 450, 10)
    np.testing.assert_allclose(more.mean(axis=(1, 2)), made.mean().mean(axis=1), rtol=0.02)


def test_minimum_trace_lies_between_the_group_and_the_sum_of_its_series():
    past = panel(np.random.default_rng(1).poisson(30.0, (6, 150)), category=np.array(["a"] * 6))
    demand = forecast(past)
    sums, base = groups(past, demand.paths()), alignment._base(past, demand, BY, 7)
    made = groups(past, align(past, demand, BY, "mint_diagonal", seed=7)[0].paths())
    assert base.nodes.series.sku.tolist() == ["category=a"]
    low, high = np.minimum(sums[""], base.paths[0]), np.maximum(sums[""], base.paths[0])
    assert ((made[""] >= low - 1e-9) & (made[""] <= high + 1e-9)).all()


def test_top_down_sums_to_the_forecast_of_the_top():
    past = panel(np.random.default_rng(1).poisson(30.0, (6, 150)), category=np.array(["a", "b"] * 3))
    demand = forecast(past)
    base = alignment._base(past, demand, BY, 7)
    made = align(past, demand, BY, "top_down", seed=7)[0].paths()
    top = base.nodes.series.sku.tolist().index("total")
    np.testing.assert_allclose(made.sum(axis=0), base.paths[top], rtol=1e-9)


@every_method
def test_the_spread_of_single_periods_is_not_taken_away(method):
    # paths that were drawn apart and averaged would lose an eighth of it here
    past = panel(np.random.default_rng(1).poisson(30.0, (4, 250)), category=np.array(["a"] * 4))
    demand = forecast(past, n_paths=500)
    made = align(past, demand, BY, method, seed=7)[0]
    assert made.paths().std(axis=1).mean() > 0.96 * demand.paths().std(axis=1).mean()


def test_a_group_without_a_history_moves_nobody():
    past = retail(8, 90)
    observed = past.observed & (past.attributes.column("category") == "a")[:, None]
    some = panel(past.sales, observed=observed, in_stock=past.in_stock, category=past.attributes.column("category"))
    demand = forecast(some)
    base = alignment._base(some, demand, BY, 7)
    assert base.nodes.series.sku.tolist() == ["category=a", "total"]
    nobody = panel(past.sales, observed=np.zeros(past.sales.shape, dtype=bool))
    made, notes = align(nobody, forecast(nobody), BY, "top_down", seed=7)
    assert made.paths().tobytes() == forecast(nobody).paths().tobytes()
    assert "not reconciled" in notes[0]


@every_method
@pytest.mark.parametrize("step", ["day", "week"])
def test_series_without_and_with_little_history_and_weeks(method, step):
    past = retail(8, 130, step=step)
    observed, sales = past.observed.copy(), past.sales.copy()
    observed[0], observed[1, :-3], sales[2] = False, False, 0.0
    some = panel(sales, step=step, observed=observed, category=past.attributes.column("category"))
    made = align(some, forecast(some), BY, method, seed=7)[0].paths()
    assert np.isfinite(made).all()
    assert (made >= 0).all()
    assert made[2].max() == 0


@every_method
def test_a_poisoned_series_spoils_no_other(method):
    past = retail(8, 120)
    sales = past.sales.copy()
    sales[3] = 0.0
    sales[3, ::9] = 1e300
    names = past.attributes.column("category")
    with np.errstate(all="ignore"):
        bad = panel(sales, observed=past.observed, in_stock=past.in_stock, category=names)
        made, _ = align(bad, forecast(bad), BY, method, seed=7)
        paths = made.paths()
    assert np.isfinite(paths).all()
    if method == "mint_shrunk":  # other groups move its neighbours by what their errors have in common
        return
    base = forecast(bad).paths()
    others = np.flatnonzero(names == names[3])
    others = others[others != 3]
    assert paths[others].tobytes() == base[others].tobytes()


def test_a_series_alone_has_no_group():
    past = retail(1, 90)
    made, notes = align(past, forecast(past), BY, "mint_shrunk", seed=7)
    assert "not reconciled" in notes[0]
    assert len(made.series) == 1


def test_an_unknown_column_and_another_axis_are_refused():
    past = retail(5, 90)
    for method in ("bottom_up", "mint_diagonal"):
        with pytest.raises(UsageError, match="no column 'kategory'"):
            align(past, forecast(past), ["kategory"], method, seed=7)
    with pytest.raises(AlignmentError):
        align(past, forecast(past.take(np.arange(3))), BY, "top_down", seed=7)


def test_too_many_series_for_a_full_covariance_are_told(monkeypatch):
    monkeypatch.setattr(alignment, "DENSE", 5)
    past = retail(6, 90)
    demand = forecast(past)
    made, notes = align(past, demand, BY, "mint_shrunk", seed=7)
    assert any("mint_diagonal in place of mint_shrunk: 6 series and 3 groups" in note for note in notes)
    assert made.paths().tobytes() == align(past, demand, BY, "mint_diagonal", seed=7)[0].paths().tobytes()


@every_method
def test_fewer_paths_are_compared_where_there_are_many_groups(method, monkeypatch):
    past = retail(6, 90)
    demand = forecast(past)
    monkeypatch.setattr(alignment, "HELD", 3 * 10 * 25)
    made, notes = align(past, demand, BY, method, seed=7)
    assert any("compared on 25 of 60 paths" in note for note in notes)
    assert made.paths().shape == (6, 60, 10)
    assert made.paths(np.array([2])).tobytes() == made.paths()[[2]].tobytes()


def test_what_is_below_zero_is_owed_by_the_periods_after_it():
    draw = np.random.default_rng(3)
    values = draw.normal(1.0, 3.0, (5, 40, 12))
    made = not_negative(values.copy(), np.full(5, np.inf))
    assert (made >= 0).all()
    np.testing.assert_allclose(made.sum(axis=2), np.maximum(values.sum(axis=2), 0.0), atol=1e-9)
    above = np.abs(values)
    assert not_negative(above, np.full(5, np.inf)).tobytes() == above.tobytes()
    assert not_negative(above, np.full(5, 2.0)).max() == 2.0


def test_values_at_the_cap_are_counted_once():
    from stockcast.core.axes import SeriesAxis, TimeAxis

    axis = SeriesAxis(np.array(["a", "b"]), np.array(["x", "x"]))
    time = TimeAxis(np.datetime64("2026-01-01"), 3, "day")
    inner, cap = RecordedPaths(np.full((2, 4, 3), 5.0)), np.array([8.0, 50.0])
    shift = np.full((1, 4, 3), 4.0)
    moved = Reconciled(inner, np.zeros((2, 1), dtype=np.int64), np.ones((2, 1)), np.ones((2, 3)), shift, cap)
    demand = SampledForecast(axis, time, moved, Stream(7, "paths"), 4)
    assert demand.paths()[:, 0, 0].tolist() == [8.0, 9.0]
    assert clipped(demand) == 12
    scaled = Scaled(inner, np.array([0, -1]), shift, cap)
    demand = SampledForecast(axis, time, scaled, Stream(7, "paths"), 4)
    assert demand.paths()[:, 0, 0].tolist() == [8.0, 5.0]
    assert clipped(demand) == 12


def test_a_forecast_that_comes_near_no_cap_is_not_drawn_to_count(monkeypatch):
    past = panel(np.random.default_rng(1).poisson(30.0, (6, 150)), category=np.array(["a", "b"] * 3))
    made = aligned(past, "mint_diagonal")
    monkeypatch.setattr(Reconciled, "draw", None)
    assert clipped(made) == 0


def test_the_errors_of_one_step_lie_at_their_periods():
    past = retail(5, 120)
    (errors, known), told = one_step_errors(past, seed=7), evidence(past)
    assert (known == told.used).all()
    fitted = make("ets").fit(past, seed=7)
    for last in np.flatnonzero(told.used[4])[-3:].tolist():
        # what was forecast for that period from all before it, by the same parameters
        before = fitted.predict(past.until(last), 1, seed=7, n_paths=1).source
        mean = before.level[4] + before.damping[4] * before.trend[4]
        mean = mean * before.season[4, 0] if before.ratio[4] else mean + before.season[4, 0]
        assert errors[4, last] == pytest.approx(told.values[4, last] - mean, rel=1e-6)


# --- is anything gained? --------------------------------------------------------------------------------------------


def rising_and_falling(seed=0, n=80, time=420):
    """Rare sales of many items that rise and fall together: lost in the noise of each, plain in their sum."""
    draw = np.random.default_rng(seed)
    together = 1.0 + 0.8 * np.sin(2 * np.pi * np.arange(time) / 100)
    return panel(draw.poisson(draw.gamma(2.0, 0.15, n)[:, None] * together), category=np.array(["a", "b"] * (n // 2)))


def replays(whole, origins, window=14, n_paths=200):
    return [Replay(known, whole.until(known), forecast(whole.until(known), window, n_paths)) for known in origins]


def table(choice):
    told: dict = {}
    for score in choice.scores:
        told.setdefault((score.model, score.metric), []).append(score.value)
    return {key: float(np.mean(values)) for key, values in told.items()}


def test_a_move_that_only_the_groups_can_see_is_found():
    whole = rising_and_falling()
    choice = choose(
        replays(whole, (364, 378, 392, 406)), whole, BY, periods=np.full(80, 14), levels=LEVELS, seed=7
    )  # fmt: skip
    losses = table(choice)
    for method in METHODS:
        for metric, most in (("rmsse", 0.98), ("scaled_quantile_loss_sum", 0.9)):
            assert losses[f"reconciled:{method}", metric] < most * losses["reconciled:none", metric], (method, metric)
    assert choice.method in METHODS
    assert {score.segment for score in choice.scores} == {"all"}
    assert len({score.origin for score in choice.scores}) == 4


def judged(*losses):
    """One outcome an origin, of four series that all lose the same."""
    return [
        Outcome(**{name: np.full((4, 3) if name == "covered" else 4, loss) for name in Outcome.__dataclass_fields__})
        for loss in losses
    ]


@pytest.mark.parametrize(
    ("loss", "wins"),
    [
        ((0.99, 0.99, 0.99, 0.99), True),
        ((0.998, 0.998, 0.998, 0.998), False),  # within the margin: the loss is 0.4 % smaller
        ((0.5, 1.01, 1.01, 1.01), False),  # a gain at one origin of four
        ((0.5, 0.9, 1.01, 1.01), True),
        ((np.inf, 0.5, 0.5, 0.5), False),
        ((np.nan, np.nan, np.nan, np.nan), False),
    ],
)
def test_a_method_wins_by_a_margin_and_at_half_of_the_origins(loss, wins):
    none = judged(1.0, 1.0, 1.0, 1.0)
    with np.errstate(invalid="ignore"):
        won = alignment._winner({"none": none, "mint_diagonal": judged(*loss)})
    assert won == ("mint_diagonal" if wins else None)


def test_of_several_the_smallest_loss_wins():
    told = {"none": judged(1.0, 1.0), "top_down": judged(0.9, 0.9), "mint_diagonal": judged(0.8, 0.8)}
    assert alignment._winner(told) == "mint_diagonal"
    assert alignment._winner(told | {"mint_diagonal": judged(0.95, 0.95)}) == "top_down"


def test_without_origins_or_evidence_nothing_is_chosen():
    whole = retail(6, 90)
    assert choose([], whole, BY, periods=np.full(6, 5), levels=LEVELS, seed=7).method is None
    dark = panel(whole.sales, in_stock=np.where(np.arange(90) >= 60, 0.0, np.ones((6, 1))))
    made = choose(replays(dark, (62, 76), n_paths=20), dark, BY, periods=np.full(6, 5), levels=LEVELS, seed=7)
    assert made.method is None
    assert made.scores == ()


def test_the_choice_reads_nothing_that_is_later_than_its_windows():
    whole = rising_and_falling(n=10, time=200)
    more = {"periods": np.full(10, 5), "levels": LEVELS, "seed": 7}
    clean = choose(replays(whole, (150,), 10, 20), whole, BY, **more)
    other = choose(replays(scrambled(whole, 160), (150,), 10, 20), scrambled(whole, 160), BY, **more)
    assert clean == other


# --- through the door -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("method", ["none", "bottom_up", *METHODS])
def test_a_method_that_is_named_is_used_and_told(method):
    past = retail(10, 120)
    more = {"horizon": 10, "folds": 2, "effort": "fast", "levels": LEVELS, "n_paths": 40, "seed": 7}
    more |= {"periods": np.full(10, 5)}
    made = evaluation.forecast(["ets"], past, **more, hierarchy=BY, reconcile=method)
    plain = evaluation.forecast(["ets"], past, **more)
    same = made.demand.paths().tobytes() == plain.demand.paths().tobytes()
    assert same == (method not in METHODS)
    assert any(f"by {method}" in note for note in made.notes) == (method in METHODS)
