"""What the boosted model lives on: SHAP values that add up, what was planted first, and noise last."""

from dataclasses import replace

import numpy as np
import pytest
from made_panels import panel, retail

from stockcast.core.errors import DataError
from stockcast.models.boosting import importance as module
from stockcast.models.boosting.importance import contributions, fitted, gains, importance
from stockcast.models.boosting.rows import Features, take
from stockcast.panel import KnownFuture, Panel


def planted(n=12, time=260, ahead=28) -> Panel:
    """Demand that follows one covariate, beside one that is drawn by itself."""
    draw = np.random.default_rng(4)
    cause, noise = (draw.integers(0, 2, (n, time + ahead)).astype(float) for _ in range(2))
    sales = draw.poisson(np.geomspace(2, 30, n)[:, None] * np.exp(0.9 * cause[:, :time]))
    made = panel(sales)
    nothing = np.full((n, time + ahead), np.nan)
    columns = {"cause": cause, "noise": noise}
    return replace(made, known=KnownFuture(made.time.until(time + ahead), nothing, nothing, time, columns))


def few_features(made: Panel) -> Features:
    every = Features.of(made)
    families = ("lags", "calendar", "season", "availability", "static", "groups")
    return replace(every, spec=every.spec.without(*families))


def test_the_contributions_of_a_forecast_add_up_to_its_logarithm():
    made = retail(8, 220)
    rows = take(made, Features.of(made), 28, 10**6, seed=7)
    past, late = np.flatnonzero(rows.target < 190), np.flatnonzero(rows.target >= 190)
    booster = fitted(rows, past, 7)
    parts = contributions(booster, rows.x[late])
    assert parts.shape == (len(late), len(rows.columns) + 1)
    np.testing.assert_allclose(parts.sum(axis=1), booster.predict(rows.x[late], raw_score=True), atol=1e-9)
    np.testing.assert_allclose(np.exp(parts.sum(axis=1)), booster.predict(rows.x[late]), rtol=1e-9)
    never = gains(booster) == 0  # what no tree asks for moves no forecast
    assert never.any()
    assert (parts[:, :-1][:, never] == 0).all()
    assert gains(booster).sum() == pytest.approx(1.0)


def test_what_was_planted_comes_first_and_noise_last():
    made = planted()
    ranked = importance(made, seed=7, features=few_features(made)).ranked
    assert set(ranked.names[:2]) == {"covariate_cause", "covariate_cause_change"}
    assert ranked.names.index("covariate_noise") > len(ranked.names) // 2  # among what says nothing
    for name in ("gain", "shap", "correlation"):
        value = dict(zip(ranked.names, ranked.measures[name], strict=True))
        first = {"covariate_cause", "covariate_cause_change"}
        assert min(value[cause] for cause in first) > 5 * max(v for other, v in value.items() if other not in first), (
            name
        )
        assert value["covariate_noise"] < 0.01 * value["covariate_cause"], name
    assert ranked.measures["mutual_information"][ranked.names.index("covariate_noise")] < 0.05
    l1 = dict(zip(ranked.names, ranked.measures["l1"], strict=True))
    assert (l1["covariate_cause"] > 0, l1["covariate_noise"]) == (True, 0.0)


def test_only_rows_that_the_model_has_not_seen_are_explained(monkeypatch):
    made = retail(8, 220)
    learnt, explained = [], []
    fit, explain = module.fitted, module.contributions
    monkeypatch.setattr(
        module, "fitted", lambda rows, past, seed: learnt.append(rows.target[past]) or fit(rows, past, seed)
    )
    monkeypatch.setattr(module, "contributions", lambda booster, x: explained.append(len(x)) or explain(booster, x))
    monkeypatch.setattr(module, "EXPLAINED", 50)
    found = importance(made, seed=7)
    until = 220 - 28
    assert learnt[0].max() < until
    assert str(found.since) == str(made.time.date(until))
    assert explained == [50] == [found.explained]
    assert found.held_out > 50
    assert found.learnt == found.offered == len(learnt[0])


def test_every_feature_stands_there_with_what_it_is():
    made = retail(8, 220)
    ranked = importance(made, seed=7).ranked
    columns = {column.name: column for column in Features.of(made).chunk(made, 1).block.columns}
    assert set(ranked.names) == {*columns, "scale", "step"}
    for name, family, what in zip(ranked.names, ranked.family, ranked.what, strict=True):
        if name not in ("scale", "step"):
            assert (family, what) == (columns[name].family, columns[name].what)
    ahead = dict(zip(ranked.names, ranked.known_ahead, strict=True))
    assert (ahead["step"], ahead["lag_0"], ahead["weekday"]) == ("always", "to the origin", "always")


def test_how_far_ahead_a_feature_is_known_is_the_most_over_all_chunks(monkeypatch):
    made = planted(6, 200, ahead=10)
    values = made.known.columns["cause"].copy()
    values[:3, 200:] = np.nan
    known = KnownFuture(made.known.time, made.known.price, made.known.promotion, 200, {"cause": values})
    made = replace(made, known=known)
    monkeypatch.setattr("stockcast.models.boosting.rows.CHUNK", 2)
    rows = take(made, few_features(made), 14, 10**6, seed=7)
    (at,) = [at for at, column in enumerate(rows.columns) if column.name == "covariate_cause"]
    assert rows.reach[at] == 10


@pytest.mark.parametrize("made", [retail(2, 40), panel(np.zeros((8, 200))), panel(np.ones((1, 1)))])
def test_too_little_is_told(made):
    with pytest.raises(DataError, match="too few to rank features by"):
        importance(made, seed=7)


def test_a_sample_is_told(monkeypatch):
    monkeypatch.setattr(module, "LEARNT", 1500)
    found = importance(retail(8, 220), seed=7)
    assert found.learnt < 1600
    assert found.offered > 2 * found.learnt


def test_the_same_seed_gives_the_same_ranks():
    made = retail(8, 220)
    one, again, other = (importance(made, seed=seed).ranked for seed in (7, 7, 8))
    assert one.names == again.names
    assert all((one.measures[name] == again.measures[name]).all() for name in one.measures)
    assert (one.by("gain").measures["gain"] != other.by("gain").measures["gain"]).any()
