"""Windows on the device against plain loops over series and periods, and which of them are drawn."""

import json
import math

import numpy as np
import pytest
import torch
from made_deep import shop
from made_panels import panel, retail

from stockcast.core.random import Stream
from stockcast.features.calendar import distances
from stockcast.features.price import prices
from stockcast.models.pooled import in_order
from stockcast.models.pooled import told as evidence_of
from stockcast.models.tft import arrays as arrays_of
from stockcast.models.tft.batcher import Pool
from stockcast.models.tft.recipe import FIXED, Recipe, lengths
from stockcast.models.tft.windows import Windows


def read(past, further=0, horizon=None):
    rows = in_order(past, np.arange(len(past.series)))
    recipe, learnt = arrays_of.learn(past, rows, horizon)
    made = arrays_of.make(past, rows, recipe, further) if further else learnt
    return rows, recipe, made, Windows(made, recipe, "cpu")


def plain_scale(values, used, start, origin, least):
    """The mean of what the encoder tells, filled up with the latest before it to so many, over a tenth of a demand."""
    seen = [values[t] for t in range(start, origin + 1) if used[t]]
    least = min(least, origin + 1 - start)
    for t in range(start - 1, -1, -1):
        if used[t] and len(seen) < least:
            seen.append(values[t])
    sold = [values[t] for t in range(origin + 1) if used[t] and values[t] > 0]
    return max(sum(seen) / max(1, len(seen)), 0.1 * sum(sold) / max(1, len(sold)))


def plain(past, row, start, recipe, shift=0):
    """One window, read off the panel by loops: what the network gets of each period, by name."""
    values, used = evidence_of(past)
    origin = start + recipe.encoder - 1
    scale = plain_scale(values[row], used[row], start, origin, least={"day": 28, "week": 8}[recipe.step])
    by = scale or 1.0
    price = (
        {made.column.name: made.values for made in prices(past, 99)}["price_to_mean"]
        if "price_to_mean" in recipe.columns
        else None
    )
    place = past.known.calendar.place(past.series.location)[row] if past.known.calendar else -1
    days = past.time.until(past.time.n + 99).dates()

    def known(name, t):
        reach = {"price_to_mean": "price"}.get(name, name.removeprefix("covariate_"))
        t = min(t, origin + past.known.reach(reach)[row]) if t > origin else t
        if name == "price_to_mean":
            return price[row, t]
        return past.known.columns[name.removeprefix("covariate_")][row, t]

    out, calendar = [], past.known.calendar
    for at in range(recipe.encoder + recipe.horizon):
        ahead = at >= recipe.encoder
        t = start + at + (shift if ahead else 0)
        date, month = days[t], days[t].astype("datetime64[M]")
        told = not ahead and used[row, t]
        numbers = {"demand": math.log1p((values[row, t] if told else by) / by), "told": float(told)}
        if ahead:
            numbers["demand"] = 0.0
        for column, name in enumerate(recipe.columns):
            if name == "year_ago":
                year, around = (364, 3) if recipe.step == "day" else (52, 1)
                near = [values[row, u] for u in range(max(0, t - year - around), t - year + around + 1) if used[row, u]]
                numbers[name] = math.log1p((sum(near) / len(near) if near else by) / by)
            elif ahead and not recipe.ahead[column]:
                numbers[name] = 0.0
            else:
                value = known(name, t)
                numbers[name] = 0.0 if math.isnan(value) else (value - recipe.centre[column]) / recipe.spread[column]
        of_year = 2 * math.pi * int((date - date.astype("datetime64[Y]").astype("datetime64[D]")).astype(int)) / 365.25
        numbers |= {"year_sine": math.sin(of_year), "year_cosine": math.cos(of_year)}
        day = int((date - month.astype("datetime64[D]")).astype(int))
        numbers |= {
            "day_of_month": (day - 15) / 9.0,
            "distance": (at - recipe.encoder) / recipe.encoder,
            "level": (math.log(by) - recipe.level[0]) / recipe.level[1],
        }
        codes = {"weekday": (date.astype(object).weekday()) + 1, "month": date.astype(object).month}
        codes |= {
            f"code_{name}": 1 + list(v).index(str(arrays_of.column_of(past, name)[row]))
            for name, v in zip(recipe.codes.names, recipe.codes.values, strict=True)
        }
        if recipe.events is not None:
            happens = []
            if place >= 0:
                happens = [name for e, name in enumerate(calendar.events) if calendar.occurs[place, e, t]]
                to, since = distances(calendar.occurs[place].any(axis=0)[None])
                numbers |= {
                    "to_event": to[0, t] / 30,
                    "since_event": since[0, t] / 30,
                    "open": float(calendar.open[place, t]),
                }
            else:
                numbers |= {"to_event": 1.0, "since_event": 1.0, "open": 1.0}
            codes["event"] = 0 if place < 0 else max([1, *(2 + recipe.events.index(name) for name in happens)])
        out.append((numbers, codes))
    later = range(origin + 1 + shift, origin + 1 + shift + recipe.horizon)
    came = [values[row, t] if t < past.time.n and used[row, t] else 0.0 for t in later]
    weight = [1.0 / by if scale and t < past.time.n and used[row, t] else 0.0 for t in later]
    return scale, out, came, weight


@pytest.mark.parametrize(("time", "step"), [(260, "day"), (560, "day"), (150, "week")])
def test_windows_are_those_of_plain_loops(time, step):
    past = shop(9, time, step=step)
    rows, recipe, made, windows = read(past)
    series = torch.tensor([0, 3, 8, 5, 1])
    start = torch.tensor([40, 41, 0, time - recipe.encoder - recipe.horizon, 17])
    hold(past, rows, recipe, windows, series, start, 0)


@pytest.mark.parametrize("shift", [0, 28])
def test_windows_that_reach_past_the_origin_read_what_is_planned(shift):
    past = shop(9, 300, further=80)
    rows, recipe, made, windows = read(past, further=56)
    start = torch.full((9,), 300 - recipe.encoder)
    hold(past, rows, recipe, windows, torch.arange(9), start, shift)


def hold(past, rows, recipe, windows, series, start, shift):
    x, (came, weight) = windows.gather(series, start, shift)
    n = len(series)
    assert x["encoder_cont"].shape == (n, recipe.encoder, len(recipe.reals))
    assert x["decoder_cat"].shape == (n, recipe.horizon, len(recipe.static) + len(recipe.varying))
    for at, (s, t) in enumerate(zip(series.tolist(), start.tolist(), strict=True)):
        scale, periods, y, w = plain(past, rows[s], t, recipe, shift)
        assert x["target_scale"][at].tolist() == pytest.approx([0.0, scale], rel=1e-6)
        np.testing.assert_allclose(came[at], y, rtol=1e-6)
        np.testing.assert_allclose(weight[at], w, rtol=1e-6)
        cont = torch.cat([x["encoder_cont"][at], x["decoder_cont"][at]])
        cat = torch.cat([x["encoder_cat"][at], x["decoder_cat"][at]])
        for column, name in enumerate(recipe.reals):
            told = [numbers[name] for numbers, _ in periods]
            np.testing.assert_allclose(cont[:, column], told, rtol=2e-5, atol=2e-6, err_msg=name)
        for column, name in enumerate([*recipe.static, *recipe.varying]):
            assert cat[:, column].tolist() == [codes[name] for _, codes in periods], name


def test_what_the_network_reads_and_what_it_knows_ahead():
    _, recipe, _, _ = read(shop(9, 560))
    assert recipe.columns == ("year_ago", "price_to_mean", "promotion", "covariate_temp.max")
    assert recipe.ahead == (True, True, True, False)
    assert "covariate_temp.max" not in recipe.decoded
    assert not {"demand", "told", "level"} & set(recipe.decoded)
    assert recipe.static == ("code_location", "code_category", "code_supplier")
    assert recipe.varying == ("weekday", "month", "event")
    assert recipe.sizes["event"] == 5  # not known, none, two by name, any other
    assert Recipe.from_json(json.loads(json.dumps(recipe.as_json()))) == recipe


def test_lengths_leave_room_for_windows():
    for periods in range(1, 900):
        for step in ("day", "week"):
            encoder, horizon = lengths(periods, step, None)
            assert encoder >= 1
            assert horizon >= 1
            assert periods < 4 or encoder + 2 * horizon <= periods


def test_a_category_that_was_not_seen_gets_the_first_slot():
    past = shop(9, 260)
    rows, recipe, _, _ = read(past.take(np.arange(2)))
    made = arrays_of.make(past, rows[:1] * 0 + 4, recipe, 0)  # of category b, supplier u: seen; its place too
    codes = dict(zip(recipe.static, made.static[0].tolist(), strict=True))
    assert codes["code_category"] == 1 + recipe.codes.of("category", np.array(["b"]))[0]
    other = arrays_of.make(past, np.array([2]), recipe, 0)  # of category c
    assert dict(zip(recipe.static, other.static[0].tolist(), strict=True))["code_category"] == 0


def test_scaling_is_learnt_from_the_series_alone_that_are_read():
    past = shop(9, 260)
    price = past.known.price.copy()
    price[8] *= 1e6
    assert np.isfinite(price[8]).any()
    some = in_order(past, np.arange(8))
    recipe, _ = arrays_of.learn(past, some, None)
    alone, _ = arrays_of.learn(past.take(np.arange(8)), in_order(past.take(np.arange(8)), np.arange(8)), None)
    assert recipe == alone
    column = recipe.columns.index("price_to_mean")
    made = arrays_of.make(past, some, recipe, 0).series[:, :, len(FIXED) + column]
    assert abs(made.mean()) < 1e-4
    assert made.std() == pytest.approx(1.0, abs=1e-3)


def test_every_window_is_drawn_as_often_as_any_other():
    pool = Pool.of(np.array([3, 0, 50, 9]), 9, "cpu")
    assert pool.count == 7 + 10 + 0 + 1
    every = [tuple(pair) for pair in torch.stack(pool.pair(torch.arange(18)), dim=1).tolist()]
    assert every == [*((0, t) for t in range(3, 10)), *((1, t) for t in range(10)), (3, 9)]
    drawn = torch.stack(pool.draw(36_000, Stream(7, "w"), 0), dim=1)
    _, count = torch.unique(drawn, dim=0, return_counts=True)
    assert len(count) == 18
    assert 1_700 < count.min()
    assert count.max() < 2_300


def test_draws_hang_on_the_seed_and_the_step_alone():
    pool = Pool.of(np.array([3, 0]), 99, "cpu")
    one, same = (pool.draw(50, Stream(7, "w"), 4) for _ in range(2))
    assert torch.equal(one[1], same[1])
    assert not torch.equal(one[1], pool.draw(50, Stream(7, "w"), 5)[1])
    assert not torch.equal(one[1], pool.draw(50, Stream(8, "w"), 4)[1])


def test_periods_that_tell_nothing_weigh_nothing_and_no_later_demand_is_read():
    past = retail(6, 200)
    rows, recipe, made, windows = read(past)
    series, start = torch.arange(6), torch.full((6,), 60)
    x, (_, weight) = windows.gather(series, start)
    _, used = evidence_of(past)
    later = used[rows, 60 + recipe.encoder : 60 + recipe.encoder + recipe.horizon]
    assert ((weight > 0).numpy() == later).all()
    sales = past.sales.copy()
    sales[:, 60 + recipe.encoder :] = 999.0
    changed = panel(sales, observed=past.observed, in_stock=past.in_stock, category=past.attributes.column("category"))
    other = Windows(arrays_of.make(changed, rows, recipe, 0), recipe, "cpu").gather(series, start)[0]
    for name in ("encoder_cont", "encoder_cat", "decoder_cont", "decoder_cat", "target_scale"):
        assert torch.equal(x[name], other[name]), name


def test_a_series_that_never_sold_has_no_scale_and_no_weight():
    past = panel(np.vstack([np.zeros(200), np.ones(200)]))
    rows, recipe, _, windows = read(past)
    x, (_, weight) = windows.gather(torch.arange(2), torch.zeros(2, dtype=torch.int64))
    zero = int(np.flatnonzero(rows == 0)[0])
    assert x["target_scale"][zero].tolist() == [0.0, 0.0]
    assert weight[zero].max() == 0
    assert torch.isfinite(x["encoder_cont"]).all()


def test_where_the_encoder_tells_too_little_the_scale_is_filled_up_from_before_it():
    draw = np.random.default_rng(6)
    sales = draw.poisson(10.0, (9, 260)).astype(float)
    in_stock = np.ones((9, 260))
    for row, out in enumerate((10, 27, 28, 29, 40, 55, 56, 57, 150)):  # of the encoder's 56 days, to its end
        in_stock[row, -out:] = 0.0
    in_stock[8, -30] = 1.0  # one day tells
    sales[8, -30] = 90.0
    past = panel(np.where(in_stock > 0, sales, 0.0), in_stock=in_stock)
    rows, recipe, made, windows = read(past)
    start = torch.full((9,), 260 - recipe.encoder)
    hold(past, rows, recipe, windows, torch.arange(9), start - recipe.horizon, 0)
    at = np.argsort(rows)
    scale = made.series[at, -1, 2]
    values, used = evidence_of(past)
    for row in range(9):
        seen = [values[row, t] for t in range(260) if used[row, t]]
        inside = int(used[row, 260 - recipe.encoder :].sum())
        assert scale[row] == pytest.approx(np.mean(seen[-max(28, inside) :]), rel=1e-6)
    assert (np.abs(scale[:8] - 10.0) < 1.5).all()
    assert scale[8] == pytest.approx((90.0 + sum(seen[-28:-1])) / 28.0, rel=1e-6)  # not of that day alone


def test_scales_read_nothing_later_and_lose_nothing_in_running_sums():
    draw = np.random.default_rng(7)
    values = draw.poisson(0.4, (40, 300)) * 10.0 ** draw.integers(-3, 14, (40, 1))
    values[3, 20] = 1e15  # whatever follows is small beside it
    values[3, 21:] = draw.poisson(5.0, 279)
    used = draw.random((40, 300)) < draw.random((40, 1)) ** 2
    used[:, 150:220] &= draw.random((40, 70)) < 0.1
    used[5] = False
    whole = arrays_of.scales(np.where(used, values, 0.0), used, 56, 28)
    for until in (1, 40, 57, 200, 299):
        cut = arrays_of.scales(np.where(used, values, 0.0)[:, :until], used[:, :until], 56, 28)
        np.testing.assert_array_equal(cut, whole[:, :until])
    for row in range(40):
        for origin in (55, 100, 180, 215, 240, 299):
            told = plain_scale(values[row], used[row], origin - 55, origin, 28)
            assert whole[row, origin] == pytest.approx(told, rel=1e-9), (row, origin)
    assert (whole[5] == 0).all()
