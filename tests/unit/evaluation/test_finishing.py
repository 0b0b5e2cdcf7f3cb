import sys
from pathlib import Path

import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).parents[1] / "models"))
from made_panels import panel

from stockcast import evaluation
from stockcast.evaluation import alignment

N = 24


def shared_moves():
    """Rare sales of many items whose common level moves: what each hides, their sum shows."""
    draw = np.random.default_rng(2)
    level = 0.4 * np.exp(np.cumsum(draw.normal(0, 0.05, 200)))
    return panel(draw.poisson(level, (N, 200)), category=np.array(["a", "b"] * (N // 2)))


def forecast(past, **more):
    given = {"horizon": 14, "periods": np.full(N, 7), "folds": 2, "effort": "normal", "levels": (0.1, 0.5, 0.9)}
    return evaluation.forecast(["ets"], past, **(given | {"n_paths": 40, "seed": 7} | more))


@pytest.mark.parametrize(("effort", "asked"), [("fast", 0), ("normal", 0), ("thorough", 1)])
def test_the_origins_decide_on_reconciliation_under_thorough_only(monkeypatch, effort, asked):
    seen = []
    choose = alignment.choose

    def spy(*given, **more):
        seen.append(given)
        return choose(*given, **more)

    monkeypatch.setattr(alignment, "choose", spy)
    told = forecast(shared_moves(), reconcile="auto", effort=effort)
    assert len(seen) == asked
    models = {score.model for score in told.scores}
    assert ("reconciled:none" in models) == bool(asked)
    assert "calibration" in models


def test_the_method_that_the_origins_choose_is_used_and_told(monkeypatch):
    past = shared_moves()
    choice = alignment.Choice("mint_diagonal", (), ())
    monkeypatch.setattr(alignment, "choose", lambda *given, **more: choice)
    told = forecast(past, reconcile="auto", effort="thorough")
    named = forecast(past, reconcile="mint_diagonal", effort="thorough")
    assert any("by mint_diagonal" in note for note in told.notes)
    assert told.demand.paths().tobytes() == named.demand.paths().tobytes()
    assert told.demand.paths().tobytes() != forecast(past).demand.paths().tobytes()


def test_a_reconciled_forecast_is_calibrated_as_it_is_reconciled(monkeypatch):
    seen = []
    align = alignment.align

    def spy(past, *given, **more):
        seen.append(past.time.n)
        return align(past, *given, **more)

    monkeypatch.setattr(alignment, "align", spy)
    told = forecast(shared_moves(), reconcile="top_down")
    assert sorted(seen) == [172, 186, 200]
    assert (told.demand.paths() == np.floor(told.demand.paths())).all()


def test_without_an_origin_nothing_is_decided():
    told = forecast(panel(np.ones((N, 20)), category=np.array(["a"] * N)), reconcile="auto", effort="thorough")
    assert not any(score.model.startswith("reconciled") for score in told.scores)
    assert any("not calibrated" in note for note in told.notes)
