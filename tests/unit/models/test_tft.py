"""The Temporal Fusion Transformer: what it learns, how it goes on after a fault, what is saved, and how sure it is."""

import json
import os
import re
import signal
import subprocess
import sys
from dataclasses import replace
from functools import cache
from pathlib import Path

import numpy as np
import pytest
import torch
from made_deep import SMALL, shop
from made_panels import panel, retail

from stockcast.core import deadline
from stockcast.core.axes import SeriesAxis, TimeAxis
from stockcast.core.errors import DataError
from stockcast.core.random import Stream
from stockcast.demand import Ranked, SampledForecast
from stockcast.demand.arrays import pack, unpack
from stockcast.models.ladder import Ladder, failed
from stockcast.models.naive import SeasonalNaive
from stockcast.models.pooled import in_order
from stockcast.models.ranks import Ranks, ranked
from stockcast.models.tft import Budget, FittedTft, Tft, arrays, interpret, learner, network, reading, saved, training
from stockcast.models.tft.batcher import Pool
from stockcast.models.tft.course import Course
from stockcast.models.tft.fused import Way
from stockcast.models.tft.network import LEVELS, Size
from stockcast.models.tft.windows import Windows


def forecast(fitted, past, horizon=15, *, n_paths=50):
    return fitted.predict(past, horizon, seed=7, n_paths=n_paths)


def material(past, *, size=SMALL.size):
    """What a training takes: network, windows, pool, and the held-out windows."""
    rows = in_order(past, np.arange(len(past.series)))
    recipe, made = arrays.learn(past, rows, None)
    windows = Windows(made, recipe, "cpu")
    late = past.time.n - recipe.encoder - recipe.horizon
    pool = Pool.of(made.first, late - recipe.horizon, "cpu")
    return network.make(recipe, size, 1), windows, pool, reading.at_origin(made.first, late, 99, "cpu")


def train(past, course, **more):
    return training.train(*material(past), course, Stream(7, "test"), **more)


PAST = shop(9, 260)


@cache
def learnt():
    """A fit that several tests look at."""
    return Tft(budget=SMALL).fit(PAST, seed=7)


COURSE = Course(steps=12, batch=16, rate=3e-3, every=4, patience=9)


def test_it_learns_a_season_within_a_minute_of_a_small_machine():
    draw = np.random.default_rng(2)
    level = np.geomspace(2.0, 40.0, 24)[:, None]
    week = np.array([0.3, 0.3, 0.5, 0.8, 1.2, 2.2, 1.7])
    sales = draw.poisson(level * week[np.arange(300) % 7]).astype(float)
    past, came = panel(sales[:, :280]), sales[:, 280:]
    budget = Budget(least=100, share=1.0, few=3_200, most=3_200, batch=32, size=Size(8, 2, 4), rate=1e-2)
    fitted = Tft(budget=budget).fit(past, seed=7)
    looks = [loss for _, loss in fitted.learnt.progress.looks]
    assert min(looks) < 0.6 * looks[0]
    mean = forecast(fitted, past, 20, n_paths=100).mean()
    flat = np.abs(came - past.sales[:, -28:].mean(axis=1, keepdims=True)).mean()
    assert np.abs(came - mean).mean() < 0.75 * flat
    assert forecast(fitted, past, 20).source.values.shape == (24, 20, len(LEVELS))


def test_quantiles_do_not_cross_and_lie_within_the_ceiling():
    source = forecast(learnt(), PAST, 15).source
    assert (np.diff(source.values, axis=2) >= 0).all()
    assert (source.values >= 0).all()
    assert (source.values <= source.cap[:, None, None]).all()
    assert np.isfinite(source.values).all()


def test_the_windows_that_judge_are_not_learnt_from():
    past = PAST
    _, windows, pool, held = material(past)
    series, start = pool.pair(torch.arange(pool.count))
    recipe = windows.recipe
    assert int(start.max()) + recipe.encoder + recipe.horizon == int(held[1].min()) + recipe.encoder
    assert (start >= torch.tensor(windows.first)[series]).all()
    sales = past.sales.copy()
    sales[:, -recipe.horizon :] *= 3.0  # other targets of the held-out windows
    changed = replace(past, sales=sales)
    course = replace(COURSE, every=99, patience=9)  # one look, at the end
    one = train(past, course)
    rows = in_order(past, np.arange(9))
    other_windows = Windows(arrays.make(changed, rows, recipe, 0), recipe, "cpu")
    net = network.make(recipe, SMALL.size, 1)
    other = training.train(net, other_windows, pool, held, course, Stream(7, "test"))
    assert one.progress.best != other.progress.best
    for name, value in one.weights.items():
        assert torch.equal(value, other.weights[name]), name


def test_learning_ends_when_the_held_out_origin_gains_no_more(monkeypatch):
    told = iter([3.0, 2.0, 2.5, 2.6, 2.7, 0.1, 0.1])
    monkeypatch.setattr(training, "judge", lambda *given: next(told))
    trained = train(PAST, replace(COURSE, steps=20, every=2, patience=3))
    assert trained.progress.step == 10
    assert (trained.progress.best, trained.progress.best_step) == (2.0, 4)


def test_the_best_weights_are_kept_not_the_last(monkeypatch):
    told = iter([1.0, 2.0, 3.0])
    monkeypatch.setattr(training, "judge", lambda *given: next(told))
    best = train(PAST, COURSE).weights
    monkeypatch.setattr(training, "judge", lambda *given: 1.0)
    until = []
    early = train(PAST, COURSE, stop=lambda: until.append(0) or len(until) > 4).weights
    for name, value in best.items():
        assert torch.equal(value, early[name]), name


def test_the_deadline_ends_it_with_the_best_weights_and_it_is_told():
    past, asked = PAST, []
    fitted = Tft(budget=SMALL, stop=lambda: asked.append(0) or len(asked) > 5).fit(past, seed=7)
    assert fitted.learnt.progress.step == 5
    assert fitted.notes() == (
        "tft: the deadline struck: learning ended after 5 of 10 steps, with the best weights until then",
    )
    assert np.isfinite(forecast(fitted, past).paths()).all()


@pytest.mark.parametrize("steps", [0, 1])  # the first look comes after the first step, the second after the second
def test_where_the_deadline_left_no_network_all_take_the_ladder_and_it_is_told(steps, tmp_path):
    asked = []
    # the deadline strikes before any weights were judged
    budget = replace(SMALL, few=480, most=480)  # 30 steps, looked at every other
    model = Tft(budget=budget, stop=lambda: asked.append(0) or len(asked) > steps)
    why = f"the deadline struck: no network was learnt, {steps} of 30 steps were taken"
    ladder = Ladder(model).fit(PAST, seed=7)
    assert ladder.notes() == (f"tft: {why}",)
    assert ladder.fitted.learnt is None
    demand, fallback = ladder.climb(PAST, 15, seed=7, n_paths=20)
    assert set(fallback.tolist()) == {f"tft→seasonal_naive: {why}"}
    assert not failed(fallback).any()  # for want of time, not of the model: no run is held back for it
    assert np.isfinite(demand.paths()).all()
    wanted = Ladder(SeasonalNaive()).fit(PAST, seed=7).climb(PAST, 15, seed=7, n_paths=20)[0]
    assert demand.paths().tobytes() == wanted.paths().tobytes()
    ladder.fitted.write(tmp_path)
    assert FittedTft.read(tmp_path) == ladder.fitted


def test_a_loss_that_is_not_finite_is_told(monkeypatch):
    monkeypatch.setattr(training, "judge", lambda *given: float("nan"))
    fitted = Tft(budget=SMALL).fit(PAST, seed=7)
    assert fitted.notes() == ("tft: no network was learnt: its loss at the held-out origin was not finite",)
    demand, fallback = Ladder(Tft(budget=SMALL)).fit(PAST, seed=7).climb(PAST, 15, seed=7, n_paths=20)
    why = "model failed, no network was learnt: its loss at the held-out origin was not finite"
    assert set(fallback.tolist()) == {f"tft→seasonal_naive: {why}"}
    assert failed(fallback).all()
    assert np.isfinite(demand.paths()).all()


def test_the_deadline_of_the_run_reaches_it():
    deadline.give(-1.0)
    try:
        assert Tft(budget=SMALL).fit(PAST, seed=7).learnt is None
        deadline.give(3600.0)
        assert Tft(budget=SMALL).fit(PAST, seed=7).learnt is not None
    finally:
        deadline.give(None)
    assert not deadline.struck()


def test_a_device_without_room_takes_the_step_in_halves_and_it_is_told(monkeypatch):
    past, course = PAST, replace(COURSE, steps=4, every=4)
    whole = train(past, course)
    loss_of, sizes = learner.loss_of, []

    def crowded(net, x, y, *more):
        sizes.append(len(y[0]))
        if net.training and len(y[0]) > 8:
            raise torch.OutOfMemoryError("no room")
        return loss_of(net, x, y, *more)

    monkeypatch.setattr(learner, "loss_of", crowded)
    # dropout falls differently on halves: compare without it
    halves = train(past, course)
    assert sizes[:5] == [16, 8, 8, 8, 8]
    assert halves.progress.parts == 2
    assert halves.notes == ("the device ran out of memory: each step of 16 windows is made of parts of 8",)
    assert whole.notes == ()
    assert halves.progress.step == 4


def test_the_last_steps_learn_from_the_latest_windows_and_the_weights_before_them_have_not(tmp_path):
    _, windows, pool, held = material(PAST)
    recipe, first = windows.recipe, windows.first
    late = PAST.time.n - recipe.encoder - recipe.horizon
    after = np.maximum(first, late - recipe.horizon + 1)
    newest = Pool.of(first, late, "cpu"), Pool.of(after, late, "cpu")
    assert newest[0].count == newest[1].count + pool.count
    sales = PAST.sales.copy()
    sales[:, -recipe.horizon :] *= 3.0  # other targets of the held-out windows
    rows = in_order(PAST, np.arange(9))
    changed = Windows(arrays.make(replace(PAST, sales=sales), rows, recipe, 0), recipe, "cpu")
    course = replace(COURSE, steps=20, every=99)  # one look, at the end
    one, other = (
        training.train(
            network.make(recipe, SMALL.size, 1), each, pool, held, course, Stream(7, "test"), newest=newest
        ) for each in (windows, changed)
    )  # fmt: skip
    assert one.progress.last == 2  # a tenth of twenty
    same, finished = (
        [torch.equal(value, theirs[name]) for name, value in mine.items()]
        for mine, theirs in ((one.weights, other.weights), (one.finished, other.finished))
    )
    assert all(same)
    assert not all(finished)
    assert learnt().learnt.base != learnt().learnt.weights
    learnt().write(tmp_path)
    again = FittedTft.read(tmp_path).learnt
    assert (again.base, again.weights) == (learnt().learnt.base, learnt().learnt.weights)


def test_the_deadline_may_cut_the_last_steps(monkeypatch):
    asked = []
    cut = Tft(budget=SMALL, stop=lambda: asked.append(0) or len(asked) > 10).fit(PAST, seed=7)
    assert cut.notes() == ("tft: the deadline struck: the latest windows were not learnt from",)
    assert cut.learnt.weights == cut.learnt.base == learnt().learnt.base


def test_a_training_that_was_killed_in_its_last_steps_goes_on_to_the_same_weights(tmp_path):
    budget, asked = replace(SMALL, few=640, most=640), []

    def killed():
        asked.append(0)
        if len(asked) == 43:  # of 40 steps and 4 last ones
            raise KeyboardInterrupt
        return False

    more = {"budget": budget, "checkpoint": tmp_path, "keep_every": 2}
    with pytest.raises(KeyboardInterrupt):
        Tft(**more, stop=killed).fit(PAST, seed=7)
    asked.clear()
    again = Tft(**more, stop=lambda: asked.append(0) or False).fit(PAST, seed=7)
    whole = Tft(budget=budget).fit(PAST, seed=7)
    assert len(asked) == whole.learnt.progress.last - 2 > 0
    assert (again.learnt.base, again.learnt.weights) == (whole.learnt.base, whole.learnt.weights)


def gradient(size, batch, parts, *, way=None):
    """The gradient of one step, by the names of the weights."""
    net, windows, pool, _ = material(PAST, size=size)
    pairs = pool.draw(batch, Stream(7, "x"), 0)
    one = learner.Learner.of(net.train(), windows, way or Way.of(net, windows.gather(*pairs)[0])[0], COURSE)
    with training.computing("cpu"):
        one.step(pairs, 5, 0.0, parts)
    return {name: value.grad.clone() for name, value in net.named_parameters()}


@pytest.mark.parametrize("way", [None, Way()])
def test_parts_of_a_step_give_the_gradient_of_the_whole(way):
    size = Size(8, 2, 4, dropout=0.0)
    whole = gradient(size, 16, 1)
    for parts in (1, 2, 4):
        for name, value in gradient(size, 16, parts, way=way).items():
            torch.testing.assert_close(value, whole[name], rtol=1e-4, atol=1e-6)


def test_no_room_for_a_few_windows_is_an_error(monkeypatch):
    def never(*given):
        raise torch.OutOfMemoryError("no room")

    monkeypatch.setattr(learner, "loss_of", never)
    with pytest.raises(torch.OutOfMemoryError):
        train(PAST, COURSE)
    ladder = Ladder(Tft(budget=SMALL)).fit(PAST, seed=7)
    _, fallback = ladder.climb(PAST, 5, seed=7, n_paths=5)
    why = "no network was learnt: out of memory"
    assert set(fallback.tolist()) == {f"tft→seasonal_naive: model failed, {why}"}
    assert ladder.notes() == (f"tft: {why}",)


def crowded(monkeypatch, most):
    """A device that has room for so many windows at once; give the numbers that were asked for."""
    gather, asked = Windows.gather, []

    def full(self, series, *more):
        asked.append(len(series))
        if len(series) > most:
            raise torch.OutOfMemoryError("no room")
        return gather(self, series, *more)

    monkeypatch.setattr(Windows, "gather", full)
    return asked


def test_a_crowded_device_judges_ranks_looks_and_forecasts_in_halves(monkeypatch):
    past = shop(60, 260)
    model = Tft(budget=SMALL, interpret=True)
    whole = model.fit(past, seed=7)
    asked = crowded(monkeypatch, 16)
    fitted = model.fit(past, seed=7)
    assert max(asked) > 16  # it was tried
    assert fitted.learnt.weights == whole.learnt.weights
    assert fitted.notes() == whole.notes() == ()
    np.testing.assert_allclose(fitted.learnt.ranks.courses, whole.learnt.ranks.courses, atol=1e-5)
    assert fitted.looked.keys() == whole.looked.keys() != set()
    values = forecast(fitted, past).source.values
    monkeypatch.undo()
    np.testing.assert_allclose(values, forecast(fitted, past).source.values, rtol=1e-4, atol=1e-5)


def test_where_not_even_a_few_windows_fit_the_reason_names_memory(monkeypatch):
    ladder = Ladder(Tft(budget=SMALL)).fit(PAST, seed=7)
    crowded(monkeypatch, 4)
    _, fallback = ladder.climb(PAST, 15, seed=7, n_paths=5)
    assert set(fallback.tolist()) == {"tft→seasonal_naive: model failed, out of memory"}


def test_what_a_gpu_has_no_room_for_is_computed_on_the_cpu():
    net, windows, _, _ = material(PAST)
    made = arrays.learn(PAST, in_order(PAST, np.arange(9)), None)[1]
    windows.device, asked = "cuda", []

    def compute(given):
        asked.append(given.device)
        if given.device == "cuda":
            raise torch.OutOfMemoryError("no room")
        return len(given)

    assert reading.roomy(net, made, windows, compute) == 9
    assert asked == ["cuda", "cpu"]
    asked.clear()
    windows.device = "cpu"
    with pytest.raises(torch.OutOfMemoryError):
        reading.roomy(net, made, windows, lambda given: asked.append(0) or _full())
    assert len(asked) == 1


def _full():
    raise torch.OutOfMemoryError("no room")


KILLED = """
import os, signal, sys
sys.path[:0] = {path!r}
from made_deep import SMALL, shop
from pathlib import Path
from stockcast.models.tft import Tft
steps = []
def stop():
    steps.append(0)
    if len(steps) == 9:
        os.kill(os.getpid(), signal.SIGKILL)
    return False
Tft(budget=SMALL, checkpoint=Path(sys.argv[1]), stop=stop, keep_every=4).fit(shop(9, 260), seed=7)
"""


def test_a_training_that_was_killed_goes_on_to_the_same_weights(tmp_path):
    folder, past = tmp_path / "state", PAST
    code = KILLED.format(path=[str(Path(__file__).parent)])
    run = subprocess.run([sys.executable, "-c", code, str(folder)], capture_output=True, env=os.environ, check=False)
    assert run.returncode == -signal.SIGKILL, run.stderr.decode()
    asked = []
    again = Tft(budget=SMALL, checkpoint=folder, stop=lambda: asked.append(0) or False, keep_every=4).fit(past, seed=7)
    assert len(asked) == 3  # of ten steps and a last one, eight were done
    whole = learnt()
    assert again.learnt.weights == whole.learnt.weights
    assert again.learnt.progress == whole.learnt.progress
    assert forecast(again, past).paths().tobytes() == forecast(whole, past).paths().tobytes()


def test_the_state_of_another_training_is_not_gone_on_with(tmp_path):
    past, asked = PAST, []
    more = {"budget": SMALL, "checkpoint": tmp_path, "keep_every": 4}
    Tft(**more).fit(past, seed=7)
    Tft(**more, stop=lambda: asked.append(0) or False).fit(past, seed=8)
    assert len(asked) == 11
    asked.clear()
    Tft(**more, stop=lambda: asked.append(0) or False).fit(past.until(259), seed=8)
    assert len(asked) == 11
    asked.clear()
    (tmp_path / "rest.json").write_text("{}")
    Tft(**more, stop=lambda: asked.append(0) or False).fit(past.until(259), seed=8)
    assert len(asked) == 11


def test_what_is_saved_forecasts_the_same_bytes_and_holds_no_pickle(tmp_path):
    past, fitted = PAST, learnt()
    fitted.write(tmp_path)
    names = sorted(path.name for path in tmp_path.iterdir())
    assert len(names) == 2
    assert names[0] == "rest.json"
    assert names[1].endswith(".safetensors")
    again = FittedTft.read(tmp_path)
    assert forecast(again, past).paths().tobytes() == forecast(fitted, past).paths().tobytes()
    assert again.learnt.progress == fitted.learnt.progress
    (tmp_path / ".rest.json.123").write_text("half of it")  # a process was killed here
    fitted.write(tmp_path)  # over itself
    assert sorted(path.name for path in tmp_path.iterdir()) == names
    nothing = Tft().fit(past, seed=7)
    nothing.write(tmp_path)
    assert FittedTft.read(tmp_path).learnt is None
    assert len(list(tmp_path.iterdir())) == 2


@pytest.mark.parametrize("what", ["weights", "rest", "missing", "swapped", "empty"])
def test_a_damaged_file_is_refused(what, tmp_path):
    learnt().write(tmp_path)
    rest = tmp_path / "rest.json"
    weights = next(tmp_path.glob("*.safetensors"))
    data = bytearray(weights.read_bytes())
    if what == "weights":
        data[-3] ^= 1
        weights.write_bytes(bytes(data))
    elif what == "rest":
        rest.write_text(rest.read_text().replace('"day"', '"week"'))
    elif what == "missing":
        weights.unlink()
    elif what == "swapped":
        rest.unlink()
    else:
        rest.write_bytes(b"")
    with pytest.raises(DataError) as refused:
        FittedTft.read(tmp_path)
    assert refused.value.code == "SC-M007"
    earlier, notes = Tft(budget=SMALL, warm_start=tmp_path)._earlier(PAST, np.arange(9))
    assert earlier is None
    assert notes[0].startswith("the network was learnt anew: ")


def test_weights_that_were_changed_in_memory_are_refused():
    weights = learnt().learnt.weights
    with pytest.raises(DataError, match="changed after"):
        replace(weights, data=weights.data[:-1] + b"x").load()


def test_last_nights_weights_are_gone_on_from(tmp_path):
    past = PAST
    budget = replace(SMALL, few=640, most=640)
    first = Tft(budget=budget).fit(past.until(259), seed=7)
    first.write(tmp_path)
    warm = Tft(budget=budget, warm_start=tmp_path).fit(past, seed=7)
    digest = first.learnt.base.digest[:8]
    assert warm.notes() == (f"tft: gone on from the weights of an earlier fit ({digest}), the 1. time in a row",)
    assert warm.learnt.nights == 1
    assert warm.learnt.progress.step == 10  # a quarter of 40
    assert warm.learnt.recipe == first.learnt.recipe
    cold = Tft(budget=budget).fit(past, seed=7)
    assert warm.learnt.progress.looks[0][1] < cold.learnt.progress.looks[0][1]
    same = Tft(budget=budget, warm_start=first).fit(past, seed=7)
    assert same.learnt.weights == warm.learnt.weights


def test_earlier_weights_stay_where_no_step_betters_them(monkeypatch):
    first = learnt()
    told = iter([1.0, 2.0, 2.0, 2.0, 2.0, 2.0])
    monkeypatch.setattr(training, "judge", lambda *given: next(told))
    warm = Tft(budget=SMALL, warm_start=first).fit(PAST, seed=7)
    assert warm.learnt.progress.best_step == 0
    assert warm.learnt.base == first.learnt.base
    ended = Tft(budget=SMALL, warm_start=first, stop=lambda: True)
    monkeypatch.setattr(training, "judge", lambda *given: 1.0)
    assert ended.fit(PAST, seed=7).learnt.weights == first.learnt.base  # not those that had seen what is held out now


def test_weights_are_not_gone_on_from_for_ever_nor_for_other_series():
    first = learnt()
    old = replace(first, learnt=replace(first.learnt, nights=28))
    anew = Tft(budget=SMALL, warm_start=old).fit(PAST, seed=7)
    assert anew.notes() == (
        "tft: the network was learnt anew: the earlier weights were gone on from 28 times in a row",
    )
    assert anew.learnt.nights == 0
    assert anew.learnt.weights == first.learnt.weights
    strange = replace(first, series=SeriesAxis(np.char.add("x", PAST.series.sku), PAST.series.location))
    assert Tft(budget=SMALL, warm_start=strange).fit(PAST, seed=7).notes() == (
        "tft: the network was learnt anew: the earlier one knows few of these series",
    )


def test_what_a_run_keeps_is_what_is_written(tmp_path):
    learnt().write(tmp_path)
    kept = learnt().texts()
    assert {f"tft/{path.name}": path.read_bytes() for path in tmp_path.iterdir()} == kept
    assert Tft().fit(PAST, seed=7).texts() == {}
    with pytest.raises(DataError, match="another version"):
        _read_changed(tmp_path, lambda rest: rest.pop("nights"))


def _read_changed(folder, change):
    """Read a network after a change of what stands beside its weights, with a hash that fits."""
    file = folder / "rest.json"
    held = json.loads(file.read_text().partition("\n")[2])
    change(held["rest"])
    text = json.dumps(held, ensure_ascii=False, sort_keys=True)
    file.write_text(f"{saved.digest_of(text.encode())}\n{text}\n")
    return FittedTft.read(folder)


def test_weights_that_read_other_variables_are_not_gone_on_from():
    past = PAST
    first = learnt()
    plain = retail(9, 260)
    anew = Tft(budget=SMALL, warm_start=first).fit(plain, seed=7)
    assert anew.notes() == ("tft: the network was learnt anew: the earlier one reads other variables",)
    empty = Tft(budget=SMALL, warm_start=Tft().fit(past, seed=7)).fit(past, seed=7)
    assert empty.notes() == ("tft: the network was learnt anew: the earlier fit has no network",)


def test_a_short_series_takes_the_ladder_and_keeps_a_forecast():
    past = retail(9, 260)
    observed = past.observed.copy()
    observed[4, :-40] = False  # 40 days: no window of 56
    some = panel(past.sales, observed=observed, in_stock=past.in_stock)
    assert Tft(budget=SMALL).can_fit(some).tolist() == [True] * 4 + [False] + [True] * 4
    demand, fallback = Ladder(Tft(budget=SMALL)).fit(some, seed=7).climb(some, 10, seed=7, n_paths=20)
    assert re.match(r"tft→seasonal_naive: \d\d periods of history", fallback[4])
    assert fallback[5] == ""
    assert demand.paths().shape == (9, 20, 10)
    assert np.isfinite(demand.paths()).all()


def test_a_series_long_out_of_stock_is_forecast_at_its_demand():
    draw = np.random.default_rng(1)
    sales, in_stock = draw.poisson(10.0, (16, 260)).astype(float), np.ones((16, 260))
    for row, out in enumerate((40, 55, 56, 57, 90)):  # the encoder reads 56 days
        sales[row, -out:] = in_stock[row, -out:] = 0.0
    past = panel(sales, in_stock=in_stock)
    budget = replace(SMALL, few=1_600, most=1_600)
    demand, fallback = Ladder(Tft(budget=budget)).fit(past, seed=7).climb(past, 28, seed=7, n_paths=100)
    assert set(fallback.tolist()) == {""}
    mean = demand.mean().mean(axis=1)
    assert (np.abs(mean[:5] - 10.0) < 3.0).all(), mean.round(1)


def test_what_always_sold_the_same_is_forecast_as_it_is_and_nothing_else_is():
    draw = np.random.default_rng(1)
    sales, in_stock = draw.poisson(6.0, (8, 260)).astype(float), np.ones((8, 260))
    sales[2], sales[5] = 5.0, 5.0
    sales[2, 200:], in_stock[2, 200:] = 1.0, 0.5  # what is masked says nothing
    sales[5, 100] = 6.0
    past = panel(sales, in_stock=in_stock)
    values = forecast(Tft(budget=SMALL).fit(past, seed=7), past).source.values
    assert (values[2] == 5.0).all()
    assert (values[5].max(axis=1) > values[5].min(axis=1)).all()


def test_a_forecast_beyond_what_is_learnt_reads_the_plans_of_its_own_days():
    past = shop(9, 260, further=60)
    fitted = Tft(budget=SMALL).fit(past, seed=7)
    near, far = (forecast(fitted, past, horizon).source.values for horizon in (28, 50))
    np.testing.assert_array_equal(far[:, :28], near)
    promotion = past.known.promotion.copy()
    promotion[:, 260 + 40] = 1.0 - promotion[:, 260 + 40]
    known = replace(past.known, promotion=promotion)
    other = forecast(fitted, replace(past, known=known), 50).source.values
    np.testing.assert_array_equal(other[:, :28], far[:, :28])
    assert (other[:, 28:] != far[:, 28:]).any()


def test_paths_have_the_quantiles_of_every_period_and_the_order_of_the_courses():
    draw = np.random.default_rng(0)
    levels = np.array(LEVELS)
    values = np.sort(draw.gamma(2.0, 3.0, (3, 6, len(levels))), axis=2)
    rough = draw.normal(size=(400, 1)) + 0.3 * draw.normal(size=(400, 6))  # periods that hang together closely
    pool = Ranked.order(rough)
    near = np.tile(np.arange(400), (3, 1))
    axis = SeriesAxis(np.array(["a", "b", "c"]), np.full(3, "x"))
    time = TimeAxis(np.datetime64("2026-01-01"), 6, "day")
    demand = SampledForecast(axis, time, Ranked(levels, values, pool, near, np.full(3, 1e9)), Stream(7, "paths"), 400)
    paths = demand.paths()
    share = (np.arange(400) + 0.5) / 400
    for s in range(3):
        for h in range(6):
            np.testing.assert_allclose(np.sort(paths[s, :, h]), np.interp(share, levels, values[s, h]))
    for s in range(3):
        order = paths[s].argsort(axis=0).argsort(axis=0)
        assert np.corrcoef(order.T)[np.triu_indices(6, 1)].min() > 0.7
    alone = SampledForecast(
        axis,
        time,
        Ranked(levels, values, Ranked.order(draw.random((400, 6))), near, np.full(3, 1e9)),
        Stream(7, "p"),
        400,
    )
    assert paths.sum(axis=2).std(axis=1).min() > 1.3 * alone.paths().sum(axis=2).std(axis=1).max() * 0.9
    np.testing.assert_allclose(alone.paths().mean(axis=1), paths.mean(axis=1), rtol=1e-9)
    assert unpack(pack(demand)).paths().tobytes() == paths.tobytes()
    assert demand.source.reach().tolist() == values[:, :, -1].max(axis=1).tolist()
    assert demand.take(np.array([0, 2])).paths().tobytes() == paths[[0, 2]].tobytes()
    cut = replace(demand.source, cap=np.full(3, 2.0))
    assert SampledForecast(axis, time, cut, Stream(7, "paths"), 400).paths().max() == 2.0


def test_ranks_of_what_is_forecast_rightly_are_even():
    draw = np.random.default_rng(1)
    levels = np.array(LEVELS)
    for came, quantile in (
        (draw.poisson(0.7, (4_000, 1)).astype(float), np.quantile(draw.poisson(0.7, 10**6), levels)),
        (draw.normal(50.0, 9.0, (4_000, 1)), np.quantile(draw.normal(50.0, 9.0, 10**6), levels)),
    ):
        values = np.broadcast_to(quantile, (4_000, 1, len(levels)))
        ranks = ranked(came, values, levels, draw.random((4_000, 1)))
        assert ranks.min() >= 0
        assert ranks.max() <= 1
        below = [(ranks < level).mean() for level in (0.25, 0.5, 0.75)]
        if came.max() > 20:
            np.testing.assert_allclose(below, (0.25, 0.5, 0.75), atol=0.03)
        assert np.corrcoef(ranks[:, 0], came[:, 0])[0, 1] > 0.8


def test_a_series_draws_from_courses_of_its_own_and_of_its_like():
    draw = np.random.default_rng(0)
    keys = np.arange(400, dtype=np.uint64)
    place = np.stack([np.repeat([0.0, 5.0], 200), draw.normal(0, 0.01, 400)], axis=1)
    ranks = Ranks(draw.random((400, 7)), place, keys)
    near = ranks.near(np.array([[5.0, 0.0], [0.0, 0.0]]), np.array([3, 999], dtype=np.uint64))
    assert (near[0] == 3).sum() == 5  # its own, though far from where it stands
    assert (place[near[1], 0] == 0.0).all()


def test_random_states_of_the_caller_are_left_alone():
    torch.manual_seed(5)
    before, threads = torch.get_rng_state(), torch.get_num_threads()
    past = PAST
    forecast(Tft(budget=SMALL).fit(past, seed=7), past)
    assert torch.equal(before, torch.get_rng_state())
    assert torch.get_num_threads() == threads


@pytest.mark.parametrize("asked", [1, 2])
def test_the_number_of_threads_changes_no_byte(asked):
    past = PAST
    before = torch.get_num_threads()
    wanted = Tft(budget=SMALL).fit(past, seed=7).learnt.weights.digest
    try:
        torch.set_num_threads(asked)
        assert Tft(budget=SMALL).fit(past, seed=7).learnt.weights.digest == wanted
    finally:
        torch.set_num_threads(before)


def test_what_the_network_looked_at_is_told_by_name():
    told = interpret(learnt(), PAST)
    assert told.static_names == ("code_location", "code_category", "code_supplier", "level")
    assert {"demand", "covariate_temp.max", "weekday", "event"} <= set(told.encoder_names)
    assert {"promotion", "weekday", "distance"} <= set(told.decoder_names)
    assert not {"demand", "covariate_temp.max"} & set(told.decoder_names)
    assert told.attention.shape == (9, learnt().learnt.recipe.encoder)
    for shares in (told.static, told.encoder, told.decoder, told.attention):
        np.testing.assert_allclose(shares.sum(axis=1), 1.0, rtol=1e-6)
        assert (shares >= 0).all()
    assert interpret(FittedTft(PAST.series), PAST) is None


def test_shares_are_those_of_the_network_on_the_window_at_the_origin():
    fitted = learnt()
    recipe = fitted.learnt.recipe
    rows = in_order(PAST, np.arange(9))
    windows = Windows(arrays.make(PAST, rows, recipe, recipe.horizon), recipe, "cpu")
    x, _ = windows.gather(torch.tensor([4]), torch.tensor([260 - recipe.encoder]))
    with torch.no_grad():
        out = fitted.learnt.network().eval()(x)
    weights = out["encoder_variables"][0, :, 0].double().mean(dim=0).numpy()
    np.testing.assert_allclose(interpret(fitted, PAST).encoder[rows[4]], weights / weights.sum(), rtol=1e-4)
    attention = out["encoder_attention"][0, 0].double().mean(dim=0).numpy()
    np.testing.assert_allclose(interpret(fitted, PAST).attention[rows[4]], attention / attention.sum(), atol=1e-3)


@pytest.mark.gpu
def test_a_gpu_gathers_the_windows_of_the_cpu_and_learns_from_them():
    if not torch.cuda.is_available():
        pytest.fail("make test-gpu needs a CUDA device")
    rows = in_order(PAST, np.arange(9))
    recipe, made = arrays.learn(PAST, rows, None)
    one, other = (Windows(made, recipe, kind) for kind in ("cpu", "cuda"))
    series, start = torch.arange(9), torch.full((9,), 90)
    x, y = one.gather(series, start)
    on_gpu, came = other.gather(series.cuda(), start.cuda())
    for name, value in x.items():
        torch.testing.assert_close(on_gpu[name].cpu(), value, rtol=1e-5, atol=1e-6)
    net = network.make(recipe, SMALL.size, 1).eval()
    with torch.no_grad():
        exact = float(network.loss_of(net, x, y))
        assert float(network.loss_of(net.cuda(), on_gpu, came, Way(precision=torch.bfloat16))) == pytest.approx(
            exact, rel=0.02
        )
    fitted = Tft(budget=replace(SMALL, few=1_600, most=1_600)).fit(PAST, seed=7)
    looks = [loss for _, loss in fitted.learnt.progress.looks]
    assert min(looks) < looks[0]
    assert np.isfinite(forecast(fitted, PAST).paths()).all()
