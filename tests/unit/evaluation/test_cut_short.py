"""What the deadline cut short while models were judged neither judges, nor chooses, nor calibrates; and it is told."""

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).parents[1] / "models"))
from made_panels import retail

from stockcast import evaluation
from stockcast.core.deadline import STRUCK
from stockcast.evaluation import SELECTED, finishing
from stockcast.evaluation.backtest import backtest
from stockcast.evaluation.comparison import BLENDED
from stockcast.evaluation.folds import rolling
from stockcast.models import catalogue
from stockcast.models.base import FittedForecaster, Forecaster
from stockcast.models.naive import SeasonalNaive
from stockcast.models.states import innovations, sampled

N, TIME = 24, 160
LEVELS = (0.1, 0.5, 0.9)
GIVEN = {"horizon": 14, "periods": np.full(N, 5), "folds": 3, "effort": "normal", "levels": LEVELS}
GIVEN |= {"n_paths": 40, "seed": 7}


@dataclass(frozen=True)
class Late(Forecaster):
    """A model that the deadline cuts short where it is given more than ``until`` periods; then it forecasts zeros."""

    until: int
    name: ClassVar[str] = "tft"
    pooled: ClassVar[bool] = True

    def can_fit(self, panel):
        return np.ones(len(panel.series), dtype=bool)

    def fit(self, panel, *, seed):
        return FittedLate(SeasonalNaive().fit(panel, seed=seed), cut=panel.time.n > self.until)


@dataclass(frozen=True)
class FittedLate(FittedForecaster):
    fitted: FittedForecaster
    cut: bool

    def notes(self):
        return (f"tft: {STRUCK}: learning ended",) if self.cut else ()

    def predict(self, panel, horizon, *, seed, n_paths):
        if not self.cut:
            return self.fitted.predict(panel, horizon, seed=seed, n_paths=n_paths)
        nothing = innovations(len(panel.series), cap=np.ones(len(panel.series)))
        return sampled(panel, nothing, horizon, seed=seed, n_paths=n_paths)


@pytest.fixture
def late(monkeypatch):
    """Give a way to say after how many periods the model is cut short; and those of the origins."""

    def cut(after):
        known = rolling(TIME, 14, 3, "day").known
        until = known[after - 1] if after else 0
        monkeypatch.setitem(catalogue.MAKERS, "tft", lambda setting: Late(until))
        return known

    return cut


def test_a_fit_that_was_cut_short_has_no_outcome_and_leaves_no_paths(late):
    known = late(1)
    past = retail(N, TIME)
    found = backtest(
        ["moving_average", "tft"], past, rolling(TIME, 14, 3, "day"), periods=np.full(N, 5), levels=LEVELS,
        n_paths=40, seed=7, keep=np.arange(N),
    )  # fmt: skip
    assert found.cut == {("tft", known[1]), ("tft", known[2])}
    assert set(found.sources) == {("tft", known[0])}
    assert np.isfinite(found.outcomes[1][0].single).any()
    for fold in (1, 2):
        assert np.isnan(found.outcomes[1][fold].single).all()
        assert np.isnan(found.quantiles[1][fold].single).all()
    assert all(np.isfinite(one.single).any() for one in found.outcomes[0])


def test_one_that_was_cut_short_is_not_chosen_and_it_is_told(late):
    late(2)
    told = evaluation.forecast(["moving_average", "tft"], retail(N, TIME), **GIVEN)
    assert set(told.model.tolist()) == {"moving_average"}
    (note,) = (note for note in told.notes if STRUCK in note)
    assert "tft was cut short at 1 of 3 origins" in note
    assert len({score.origin for score in told.scores if score.model == "tft"}) == 2
    late(3)  # the forecast itself is cut short, of which it tells by itself
    whole = evaluation.forecast(["moving_average", "tft"], retail(N, TIME), **GIVEN)
    assert any("tft" in model for model in whole.model.tolist())  # else the test above would tell nothing


@pytest.mark.parametrize(("after", "rests"), [(3, ""), (2, "by 2 of 3 origins"), (0, "cut short at each origin")])
def test_widths_rest_on_origins_with_whole_fits_alone(late, monkeypatch, after, rests):
    late(after)
    seen = []
    calibrate = finishing.calibrate

    def spy(replays, *given):
        seen.extend(replay.known for replay in replays)
        return calibrate(replays, *given)

    monkeypatch.setattr(finishing, "calibrate", spy)
    told = evaluation.forecast(["tft"], retail(N, TIME), **GIVEN)
    assert tuple(seen) == rolling(TIME, 14, 3, "day").known[:after]
    notes = [note for note in told.notes if "the width of the forecasts is" in note]
    assert len(notes) == bool(rests)
    assert all(note.startswith(STRUCK) and rests in note for note in notes)


def test_a_comparison_leaves_out_what_was_cut_short(late):
    late(1)
    found = evaluation.compare(["moving_average", "tft"], retail(N, TIME), **GIVEN)
    first, second, third = found.origins
    of = {model: {score.origin for score in found.scores if score.model == model} for model in ("tft", SELECTED)}
    assert of["tft"] == {first}
    assert of[SELECTED] <= {second, third}
    assert third in of[SELECTED]
    assert set(found.choices[1].model.tolist()) == {"moving_average"}
    chosen = set(found.choices[0].model.tolist())
    assert (second in of[SELECTED]) == ("tft" not in chosen)
    assert any("tft was cut short at 2 of 3 origins" in note and STRUCK in note for note in found.notes)
    assert third in {score.origin for score in found.scores if score.model == BLENDED}
