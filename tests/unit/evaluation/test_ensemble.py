import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).parents[1] / "models"))
from made_panels import retail, scrambled

from stockcast import evaluation
from stockcast.demand import Blend
from stockcast.evaluation import backtest, ensemble
from stockcast.evaluation.blended import fit_weighted
from stockcast.evaluation.ensemble import Origin, origins, weigh
from stockcast.evaluation.fitting import fit_chosen
from stockcast.evaluation.folds import Folds
from stockcast.evaluation.segments import segments
from stockcast.evaluation.selection import FEW, best, choose, competing
from stockcast.evaluation.weights import alone, label, rounded

LEVELS = (0.1, 0.5, 0.9)
NAMES = ["seasonal_naive", "moving_average", "ses"]
MORE = {"horizon": 10, "folds": 2, "effort": "normal", "levels": LEVELS, "n_paths": 40, "seed": 7}


def forecast(past, names=NAMES, **more):
    return evaluation.forecast(names, past, **(MORE | {"periods": np.full(len(past.series), 5)} | more))


def held(biases, n=60, folds=4, seed=1):
    """Models whose quantiles are off by a part of their own and a part by chance; one row of biases a model."""
    draw = np.random.default_rng(seed)
    spread, out = np.array([-1.28, 0.0, 1.28]), []
    for _ in range(folds):
        actual = 10.0 + draw.normal(0, 1, (n, 6))
        off = np.array(biases)[:, None, None, None] * np.ones((len(biases), n, 6, 1))
        single = (10.0 + off + draw.normal(0, 0.01, off.shape) + spread).astype(np.float32)
        total = (60.0 + 6 * off[:, :, 0] + np.sqrt(6) * spread).astype(np.float32)
        used = np.ones((n, 6), dtype=bool)
        out.append(Origin(single, total, actual, used, actual.sum(axis=1), np.ones(n), np.full(n, 6)))
    return out


def weights_of(earlier, segment, competes=None, chosen=None, rows=None):
    models, n = earlier[0].single.shape[0], len(segment)
    competes = np.ones((models, n), dtype=bool) if competes is None else competes
    chosen = np.zeros(n, dtype=np.int64) if chosen is None else chosen
    rows = np.arange(n) if rows is None else rows
    names = [f"m{at}" for at in range(models)]
    return weigh(earlier, rows, names, segment, competes, chosen, LEVELS)


def test_two_models_that_are_off_to_either_side_share_the_weight():
    found = weights_of(held([1.0, -1.0, 30.0]), np.full(60, "A-smooth"))
    assert (found.weights == found.weights[0]).all()
    assert 0.4 <= found.weights[0, 0] <= 0.6
    assert found.weights[0, 2] == 0.0
    told = {what: value for _, what, value in found.told}
    assert told["weight_m0"] == found.weights[0, 0]
    assert told["gain"] > 0.1


def test_where_no_model_helps_the_chosen_one_keeps_all():
    found = weights_of(held([0.0, 2.0, 3.0]), np.full(60, "A-smooth"))
    assert found.weights.tolist() == [[1.0, 0.0, 0.0]] * 60
    assert found.told == ()


def test_an_addition_must_pay_at_half_of_the_origins():
    # the second model makes one origin of four much better and harms the others a little
    earlier = held([0.6, 0.7], folds=3) + held([3.0, -3.0], folds=1, seed=2)
    pooled = ensemble._Group(earlier, np.arange(60), np.arange(2), LEVELS)
    single, mixed = np.array([1.0, 0.0]), np.array([0.9, 0.1])
    assert pooled.loss(mixed)[0] < pooled.loss(single)[0] + np.log1p(-ensemble.GAIN)
    assert (pooled.loss(mixed)[1] < pooled.loss(single)[1]).tolist() == [False, False, False, True]
    assert weights_of(earlier, np.full(60, "A-smooth")).weights[0].tolist() == [1.0, 0.0]


def test_a_model_that_does_not_compete_gets_no_weight():
    segment = np.array(["A-smooth", "C-lumpy"] * 30)
    competes = np.ones((2, 60), dtype=bool)
    competes[1, segment == "A-smooth"] = False
    found = weights_of(held([1.0, -1.0]), segment, competes)
    assert (found.weights[segment == "A-smooth", 1] == 0.0).all()
    assert (found.weights[segment == "C-lumpy", 1] > 0.0).all()


def test_a_small_segment_takes_the_weights_of_all():
    segment = np.array(["A-smooth"] * (60 - FEW + 1) + ["B-smooth"] * (FEW - 1))
    found = weights_of(held([1.0, -1.0]), segment)
    assert (found.weights[-1] > 0.0).all()
    # and so does one that the sample has nothing of
    segment = np.append(segment, "C-smooth")
    more = weights_of(held([1.0, -1.0]), segment, rows=np.arange(60))
    np.testing.assert_array_equal(more.weights[-1], found.weights[-1])


def test_the_fewer_series_the_nearer_a_segment_is_to_all():
    def heavy(n):
        segment = np.array(["a"] * n + ["b"] * (120 - n))
        one, other = held([1.0, -1.0], n=n), held([1.0, -0.25], n=120 - n, seed=2)
        joined = [
            Origin(*(np.concatenate([getattr(a, name), getattr(b, name)], axis=int(name in ("single", "total")))
                     for name in Origin.__dataclass_fields__))
            for a, b in zip(one, other, strict=True)
        ]  # fmt: skip
        chosen = np.where(segment == "a", 0, 1)
        return weights_of(joined, segment, chosen=chosen).weights[0, 0]

    assert heavy(FEW) < heavy(100)


@pytest.mark.parametrize("seed", range(6))
def test_no_segment_is_worse_off_than_with_its_best_model_alone(seed):
    draw = np.random.default_rng(seed)
    n = 40
    segment = np.array(["a"] * 10 + ["b"] * 12 + ["c"] * 18)
    earlier = held(draw.normal(0, 1, 5), n=n, seed=seed)
    earlier = [replace(o, single=(o.single + draw.normal(0, 0.5, (5, n, 1, 1))).astype(np.float32)) for o in earlier]
    group = {name: ensemble._Group(earlier, np.flatnonzero(segment == name), np.arange(5), LEVELS) for name in "abc"}
    chosen = np.array([group[name].best() for name in segment])
    found = weights_of(earlier, segment, chosen=chosen)
    for name in "abc":
        at = np.flatnonzero(segment == name)[0]
        singles = [group[name].loss(one)[0] for one in np.eye(5)]
        assert group[name].loss(found.weights[at])[0] <= min(singles)
        assert (found.weights[at] > 0).sum() <= 4
        assert found.weights[at].sum() == pytest.approx(1.0)
        np.testing.assert_allclose(found.weights[at] * 20, np.round(found.weights[at] * 20))


def test_the_loss_of_a_model_alone_is_that_of_its_choice():
    past = retail(20, 150)
    cut, periods, rows = Folds((110, 130), 20), np.full(20, 5), np.arange(20)
    found = backtest.backtest(NAMES, past, cut, periods=periods, levels=LEVELS, n_paths=30, seed=7, keep=rows)
    outcomes = found.outcomes
    group = ensemble._Group(origins(past, cut, rows, periods, found.quantiles), rows, np.arange(3), LEVELS)
    for at, folds in enumerate(outcomes):
        parts = [np.concatenate([getattr(one, name) for one in folds]) for name in ("single", "total")]
        parts = [np.minimum(part[~np.isnan(part)], 10.0).mean() for part in parts]
        assert group.loss(np.eye(3)[at])[0] == pytest.approx(np.log(parts[0] * parts[1]), rel=1e-5)
    assert group.best() == best(outcomes, rows)


def test_the_quantiles_that_are_kept_do_not_depend_on_the_pieces(monkeypatch):
    past = retail(20, 150)
    competes = np.ones((3, 20), dtype=bool)
    competes[1, ::2] = False
    keep = np.array([0, 3, 4, 9, 19])
    more = {"periods": np.full(20, 5), "levels": LEVELS, "n_paths": 30, "seed": 7, "competes": competes, "keep": keep}
    whole = backtest.backtest(NAMES, past, Folds((130,), 20), **more).quantiles
    monkeypatch.setattr(backtest, "CHUNK", 4)
    pieces = backtest.backtest(NAMES, past, Folds((130,), 20), **more).quantiles
    for one, other in zip(whole, pieces, strict=True):
        np.testing.assert_array_equal(one[0].single, other[0].single)
        np.testing.assert_array_equal(one[0].total, other[0].total)
    assert np.isnan(whole[1][0].single).all(axis=(1, 2)).tolist() == [True, False, True, False, False]
    assert backtest.backtest(NAMES, past, Folds((130,), 20), **(more | {"keep": None})).quantiles == []


def test_weights_are_rounded_to_twentieths_of_few_models():
    assert rounded(np.array([0.46, 0.2, 0.14, 0.11, 0.09])).tolist() == [0.5, 0.2, 0.15, 0.15, 0.0]
    assert rounded(np.array([0.0, 0.95, 0.05])).tolist() == [0.0, 1.0, 0.0]
    assert rounded(np.ones(7) / 7).tolist() == [0.25] * 4 + [0.0] * 3


def test_the_blend_is_named_and_the_shares_add_up(monkeypatch):
    past = retail(24, 150)
    given = np.tile([0.0, 0.3, 0.7], (24, 1))
    given[:5] = [1.0, 0.0, 0.0]
    monkeypatch.setattr("stockcast.evaluation.forecasting.weigh", lambda *args: ensemble.Weighed(given, ()))
    told = forecast(past)
    assert told.model.tolist() == ["seasonal_naive"] * 5 + ["ses 0.7 + moving_average 0.3"] * 19
    assert {name: (t.series, round(t.share, 6)) for name, t in told.timings.items()} == {
        "seasonal_naive": (5, round(5 / 24, 6)),
        "moving_average": (19, round(0.3 * 19 / 24, 6)),
        "ses": (19, round(0.7 * 19 / 24, 6)),
    }
    assert isinstance(told.demand.source.inner, Blend)
    assert np.isfinite(told.demand.paths()).all()


def test_the_width_is_learnt_on_replays_of_the_blend(monkeypatch):
    seen = []
    from stockcast.evaluation import finishing

    calibrate = finishing.calibrate

    def spy(earlier, *more):
        seen.extend(one.demand.source for one in earlier)
        return calibrate(earlier, *more)

    given = np.tile([0.0, 0.3, 0.7], (24, 1))
    monkeypatch.setattr("stockcast.evaluation.forecasting.weigh", lambda *args: ensemble.Weighed(given, ()))
    monkeypatch.setattr(finishing, "calibrate", spy)
    forecast(retail(24, 150))
    assert len(seen) == 2
    assert all(isinstance(source, Blend) and source.weights[0].tolist() == [0.3, 0.7] for source in seen)


def test_each_model_is_fitted_on_the_series_with_weight_on_it_and_tells_of_its_fallback():
    past = retail(12, 120)
    short = past.observed.copy()
    short[3, :117] = False
    past = replace(past, observed=short, sales=np.where(short, past.sales, 0.0))
    given = np.tile([0.4, 0.0, 0.6], (12, 1))
    given[6:] = [0.0, 1.0, 0.0]
    made = fit_weighted(NAMES, given, past, 10, seed=7)
    assert [len(member.level) for member in made.source.members] == [6, 6, 6]
    assert made.fallback[3].startswith("ses→")
    assert "; seasonal_naive→" in made.fallback[3]
    single = fit_weighted(NAMES, alone(np.full(12, 2), 3), past, 10, seed=7)
    chosen = fit_chosen(NAMES, np.full(12, 2), past, 10, seed=7)
    assert single.source.level.tobytes() == chosen.source.level.tobytes()


def test_under_effort_fast_nothing_is_blended(monkeypatch):
    def never(*args):
        raise AssertionError("asked under effort fast")

    past = retail(24, 150)
    monkeypatch.setattr("stockcast.evaluation.forecasting.weigh", never)
    told = forecast(past, effort="fast")
    assert set(told.model.tolist()) <= set(NAMES)
    with pytest.raises(AssertionError):
        forecast(past)


def test_later_data_changes_no_weight_and_no_byte():
    whole = retail(40, 200)

    def weights(past):
        cut, periods, rows = Folds((130, 150), 20), np.full(40, 5), np.arange(40)
        segment = segments(past.until(170))
        competes = competing(NAMES, segment)
        found = backtest.backtest(
            NAMES, past, cut, periods=periods, levels=LEVELS, n_paths=30, seed=7, keep=rows, competes=competes
        )
        chosen = choose(found.outcomes, segment, 0, competes)
        return weigh(origins(past, cut, rows, periods, found.quantiles), rows, NAMES, segment, competes, chosen, LEVELS)

    clean, other, seen = weights(whole), weights(scrambled(whole, 170)), weights(scrambled(whole, 150))
    assert clean.told
    assert clean.weights.tobytes() == other.weights.tobytes()
    assert clean.told == other.told
    assert clean.told != seen.told  # what is scrambled within a window is seen
    a, b = (forecast(p.until(170)) for p in (whole, scrambled(whole, 170)))
    assert " + " in "".join(a.model.tolist())
    assert a.model.tolist() == b.model.tolist()
    assert a.demand.paths().tobytes() == b.demand.paths().tobytes()


def test_the_size_of_the_pieces_changes_no_byte(monkeypatch):
    past = retail(30, 120)
    one = forecast(past)
    monkeypatch.setattr(backtest, "CHUNK", 7)
    monkeypatch.setattr("stockcast.evaluation.fitting.CHUNK", 7)
    two = forecast(past)
    assert " + " in "".join(one.model.tolist())
    assert one.model.tolist() == two.model.tolist()
    assert one.demand.paths().tobytes() == two.demand.paths().tobytes()


def test_names_of_no_series():
    assert label(NAMES, np.zeros((0, 3))).tolist() == []
