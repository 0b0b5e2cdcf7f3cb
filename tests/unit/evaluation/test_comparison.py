"""Every model is held against the seasonal naive, and each choice is judged by a fold that it has not seen."""

import sys
from pathlib import Path

import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).parents[1] / "models"))
from made_panels import retail, scrambled

from stockcast.evaluation import SELECTED, compare, forecast, leaderboard
from stockcast.evaluation.backtest import backtest
from stockcast.evaluation.comparison import groups
from stockcast.evaluation.ensemble import Weighed, weigh
from stockcast.evaluation.folds import rolling
from stockcast.evaluation.scores import Score
from stockcast.evaluation.segments import segments
from stockcast.evaluation.selection import choose, competing
from stockcast.evaluation.weights import alone

NAMES = ["moving_average", "tsb"]
N = 24
MORE = {"horizon": 14, "periods": np.full(N, 5), "folds": 3, "effort": "fast", "levels": (0.5, 0.9), "seed": 7}


@pytest.fixture(scope="module")
def whole():
    return retail(N, 160)


@pytest.fixture(scope="module")
def found(whole):
    return compare(NAMES, whole, n_paths=40, **MORE)


def cells(found):
    return {(s.segment, s.model, s.origin, s.metric): s.value for s in found.scores}


def test_every_model_is_judged_at_every_origin_and_the_choice_at_all_but_the_first(found):
    told = cells(found)
    first, *later = found.origins
    for model in ("seasonal_naive", *NAMES):
        assert all(("all", model, origin, "rmsse") in told for origin in found.origins)
    assert ("all", SELECTED, first, "rmsse") not in told
    assert all(("all", SELECTED, origin, "rmsse") in told for origin in later)
    assert [choice.origin for choice in found.choices] == later
    assert set(found.timings) == {"seasonal_naive", *NAMES}


def test_the_naive_that_is_not_named_is_not_chosen(found):
    assert {name for choice in found.choices for name in choice.model.tolist()} <= set(NAMES)


def test_a_choice_follows_from_the_folds_before_it(whole, found):
    cut = rolling(160, 14, 3, "day")
    for fold, choice in enumerate(found.choices, 1):
        past = whole.until(cut.known[fold])  # nothing later exists here
        earlier = type(cut)(cut.known[:fold], cut.window)
        more = {"periods": MORE["periods"], "levels": (0.5, 0.9), "n_paths": 40, "seed": 7}
        outcomes = backtest(NAMES, past, earlier, **more).outcomes
        segment = segments(past)
        chosen = choose(outcomes, segment, 0, competing(NAMES, segment))
        assert choice.model.tolist() == [NAMES[at] for at in chosen]
        assert choice.segment.tolist() == segment.tolist()


def test_value_added_is_what_is_saved_of_the_naive_loss(found):
    told = cells(found)
    seen = 0
    for (segment, model, origin, metric), value in told.items():
        if metric == "fva_rmsse":
            loss, naive = told[segment, model, origin, "rmsse"], told[segment, "seasonal_naive", origin, "rmsse"]
            assert value == pytest.approx(1.0 - loss / naive)
            seen += model == SELECTED
    assert seen > 2


def test_one_model_alone_is_what_is_selected(whole):
    told = cells(compare(["tsb"], whole, n_paths=20, **MORE))
    rows = [(key, value) for key, value in told.items() if key[1] == SELECTED]
    assert rows
    for (segment, _, origin, metric), value in rows:
        assert value == told[segment, "tsb", origin, metric]


def test_segments_are_all_classes_and_categories(whole):
    rows_of = groups(whole, segments(whole))
    names = list(rows_of)
    assert names[0] == "all"
    assert names[-2:] == ["category:a", "category:b"]
    assert rows_of["category:b"].tolist() == list(range(1, N, 2))
    classes = np.concatenate([rows_of[name] for name in names[1:-2]])
    assert sorted(classes.tolist()) == list(range(N))


def test_one_origin_selects_nothing_and_says_so(whole):
    found = compare(NAMES, whole, n_paths=20, **{**MORE, "folds": 1})
    assert found.choices == ()
    assert SELECTED not in {score.model for score in found.scores}
    assert any("one origin only" in note for note in found.notes)


def test_a_history_too_short_tells_nothing(whole):
    found = compare(NAMES, whole.until(30), n_paths=20, **MORE)
    assert (found.origins, found.scores, found.notes) == ((), (), ())


def test_the_leaderboard_ranks_by_both_losses_on_common_origins():
    def two(model, origin, single, total):
        return [
            Score("all", model, origin, "scaled_quantile_loss", single),
            Score("all", model, origin, "scaled_quantile_loss_sum", total),
        ]

    told = two("a", "1", 0.1, 0.1) + two("a", "2", 1.0, 1.0) + two("b", "1", 9.0, 9.0) + two("b", "2", 1.2, 0.5)
    assert [line.model for line in leaderboard(told)] == ["a", "b"]
    lines = leaderboard(told + two(SELECTED, "2", 1.2, 0.9))
    assert [line.model for line in lines] == ["b", "a", SELECTED]
    assert lines[0].values["scaled_quantile_loss"] == 1.2
    broken = [Score("all", "c", "2", "scaled_quantile_loss", 0.01)]  # no loss of sums: last, not first
    assert leaderboard(told + broken)[-1].model == "c"


@pytest.fixture
def weights(monkeypatch):
    """The weights that were made, in their order, wherever they were asked for."""
    made = []

    def spy(*given):
        found = weigh(*given)
        made.append(found.weights)
        return found

    monkeypatch.setattr("stockcast.evaluation.unseen.weigh", spy)
    monkeypatch.setattr("stockcast.evaluation.forecasting.weigh", spy)
    return made


BLENDING = MORE | {"effort": "normal", "n_paths": 40}


def test_a_blend_is_what_forecast_would_have_blended_at_that_origin(whole, weights):
    names = ["moving_average", "ses"]
    found = compare(names, whole, **BLENDING)
    cut, mine = rolling(160, 14, 3, "day"), list(weights)
    assert len(mine) == 2
    for fold in (1, 2):
        weights.clear()
        past = whole.until(cut.known[fold])
        forecast(names, past, **(BLENDING | {"folds": fold}))
        np.testing.assert_array_equal(mine[fold - 1], weights[0])
    told = cells(found)
    assert ("all", "blended", found.origins[0], "rmsse") not in told
    assert all(("all", "blended", origin, "scaled_quantile_loss_sum") in told for origin in found.origins[1:])


def test_a_blend_of_one_model_for_each_series_is_judged_as_the_choice_is(whole, monkeypatch):
    def chosen(earlier, keep, names, segment, competes, of_each, levels):
        return Weighed(alone(of_each, len(names)), ())

    monkeypatch.setattr("stockcast.evaluation.unseen.weigh", chosen)
    told = cells(compare(NAMES, whole, **BLENDING))
    pairs = [
        (v, told[segment, "blended", origin, name]) for (segment, m, origin, name), v in told.items() if m == SELECTED
    ]
    assert len(pairs) > 20
    np.testing.assert_allclose(*np.array(pairs).T, rtol=1e-9)


def test_what_comes_after_an_origin_changes_no_weights_of_it(whole, weights):
    names = ["moving_average", "ses"]
    compare(names, whole, **BLENDING)
    clean = list(weights)
    for fold, known in enumerate(rolling(160, 14, 3, "day").known[1:], 1):
        weights.clear()
        compare(names, scrambled(whole, known), **BLENDING)
        for before in range(fold):
            np.testing.assert_array_equal(clean[before], weights[before])


def test_effort_fast_blends_nothing(found):
    assert "blended" not in {score.model for score in found.scores}
