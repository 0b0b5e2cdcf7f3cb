"""Rule 6: scrambling what comes after the origin changes no byte of a forecast, of a fold, of a choice."""

import sys
from pathlib import Path

import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).parents[1] / "unit" / "models"))
from made_deep import small
from made_panels import panel, retail, scrambled

from stockcast import evaluation
from stockcast.evaluation import backtest
from stockcast.evaluation.backtest import Piece, judge_piece
from stockcast.evaluation.folds import Folds
from stockcast.evaluation.segments import segments
from stockcast.models.catalogue import MODELS, make
from stockcast.models.ladder import Ladder
from stockcast.models.profile import profile
from stockcast.models.uncensor import estimate

NAMES = [info.name for info in MODELS if info.available and not info.extra]
SLOW = [info.name for info in MODELS if info.available and not info.auto]  # fitted series by series: fewer of them


@pytest.mark.parametrize("step", ["day", "week"])
@pytest.mark.parametrize("name", NAMES)
def test_a_forecast_does_not_change_when_later_data_is_scrambled(name, step):
    whole = retail(3 if name in SLOW else 8, 200, step=step)
    for known in (30, 163):
        clean, other = whole.until(known), scrambled(whole, known).until(known)
        a, b = (
            Ladder(small(name)).fit(past, seed=7).predict(past, 10, seed=7, n_paths=10).paths()
            for past in (clean, other)
        )
        assert a.tobytes() == b.tobytes()


@pytest.mark.parametrize("name", NAMES)
def test_a_fold_forecasts_from_what_was_known_at_its_origin(name):
    n = 3 if name in SLOW else 8
    whole = retail(n, 120)
    periods, levels = np.full(n, 5), (0.5, 0.9)
    of_all = profile(whole.until(90))
    mine, other = (
        judge_piece(Piece(name, each, 90, 10, periods, levels, 20, 7, of_all))[0].outcome
        for each in (whole, scrambled(whole, 100))
    )
    for measure in mine.__dataclass_fields__:
        np.testing.assert_array_equal(getattr(mine, measure), getattr(other, measure))


@pytest.mark.parametrize("name", NAMES)
def test_no_fold_forecasts_from_the_window_that_judges_it(name, monkeypatch):
    # the judge sees the window; what it is handed to judge must not have: models, profile, and scales alike
    n = 3 if name in SLOW else 8
    past = retail(n, 120)
    observed = past.observed.copy()
    observed[2, :105] = False  # without a history at the first origin: forecast by the profile of the others
    whole = panel(past.sales, observed=observed, in_stock=past.in_stock, category=past.attributes.column("category"))
    seen = []
    judge = backtest.judged

    def spy(demand, actual, used, scales, *more):
        seen.append((demand.paths().tobytes(), *(one.tobytes() for one in scales)))
        return judge(demand, actual, used, scales, *more)

    monkeypatch.setattr(backtest, "judged", spy)
    for known in (90, 105):
        seen.clear()
        for each in (whole, scrambled(whole, known)):
            more = {"periods": np.full(n, 5), "levels": (0.5, 0.9), "n_paths": 20, "seed": 7}
            backtest.backtest([name], each, Folds((known,), 15), **more)
        assert seen[0] == seen[1]


@pytest.mark.parametrize(
    ("names", "n"),
    [([name for name in NAMES if name not in SLOW], 24), (["moving_average", *SLOW], 3)],
    ids=["auto", "slow"],
)
def test_the_choice_of_models_does_not_change_when_later_data_is_scrambled(names, n):
    whole = retail(n, 180)
    more = {"horizon": 10, "periods": np.full(n, 5), "folds": 2, "effort": "normal", "levels": (0.5, 0.9)}
    more |= {"n_paths": 20, "seed": 7}
    clean = evaluation.forecast(names, whole.until(130), **more)
    other = evaluation.forecast(names, scrambled(whole, 130).until(130), **more)
    assert clean.model.tolist() == other.model.tolist()
    assert clean.scores == other.scores
    assert clean.demand.paths().tobytes() == other.demand.paths().tobytes()
    assert segments(whole.until(130)).tolist() == segments(scrambled(whole, 130).until(130)).tolist()


def test_the_scrambling_would_be_seen():
    whole = retail(8, 200)
    a, b = (
        Ladder(make("ets")).fit(p, seed=7).predict(p, 10, seed=7, n_paths=10) for p in (whole, scrambled(whole, 163))
    )
    assert a.paths().tobytes() != b.paths().tobytes()


@pytest.mark.parametrize("step", ["day", "week"])
def test_an_estimate_of_demand_reads_nothing_after_its_period(step):
    whole = retail(12, 150, step=step)
    told = estimate(whole)
    for known in (1, 40, 111):
        for past in (whole.until(known), scrambled(whole, known).until(known)):
            part = estimate(past)
            for name in part.__dataclass_fields__:
                assert getattr(part, name).tobytes() == getattr(told, name)[:, :known].copy().tobytes()
        other = estimate(scrambled(whole, known))  # what comes later is there, and changes nothing before it
        assert other.values[:, :known].tobytes() == told.values[:, :known].tobytes()
        assert other.sd[:, :known].tobytes() == told.sd[:, :known].tobytes()
    assert estimate(scrambled(whole, 40)).values.tobytes() != told.values.tobytes()
