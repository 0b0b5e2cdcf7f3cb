"""Demand where stock was out, against the truth of generated data, held-out masking, and a plain loop."""

import sys
from pathlib import Path

import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).parents[1] / "unit" / "models"))
from made_panels import panel, retail

from stockcast.core.axes import SeriesAxis
from stockcast.models.uncensor import estimate
from stockcast.models.uncensor.estimation import demand_of
from stockcast.models.uncensor.pooled import learn, recorded
from stockcast.models.uncensor.walk import walk
from stockcast.runs.demo.catalogue import AS_OF, make_catalogue
from stockcast.runs.demo.shop import live, make_rules
from stockcast.runs.demo.truth import WARM_UP, make_truth


def errors(values, truth):
    """Bias and absolute error, both over what was asked for."""
    return (values - truth).sum() / truth.sum(), np.abs(values - truth).sum() / truth.sum()


def stocked_mean(values, full):
    count = full.sum(axis=1)
    mean = np.divide(np.where(full, values, 0.0).sum(axis=1), count, out=np.zeros(len(values)), where=count > 0)
    return np.broadcast_to(mean[:, None], values.shape)


@pytest.mark.parametrize("seed", [7, 8, 9])
def test_nearer_the_truth_of_the_demo_than_sales_and_than_the_mean_of_stocked_days(seed):
    skus, locations, days = 40, 3, 400
    catalogue = make_catalogue(skus, locations, days, seed)
    places = [name for name, _ in catalogue.locations]
    series = SeriesAxis(np.repeat(catalogue.sku, locations), np.tile(places, skus))
    truth = make_truth(catalogue, AS_OF - np.timedelta64(days - 1, "D"), days, seed)
    past = live(make_rules(catalogue, series, truth, seed), truth)
    sold, share, asked, listed = (
        each[:, WARM_UP:] for each in (past.sold, past.in_stock, truth.demand, truth.on_sale)
    )  # fmt: skip
    category = np.char.mod("%d", np.repeat(catalogue.category, locations))
    told = estimate(panel(sold * listed, observed=listed, in_stock=np.where(listed, share, 1.0), category=category))
    out = listed & (share < 1.0) & (np.arange(days) >= 28)
    assert out.sum() > 2_000
    bias, error = errors(told.values[out], asked[out])
    for other in (sold, stocked_mean(sold, listed & (share >= 1.0))):
        other_bias, other_error = errors(other[out], asked[out])
        assert abs(bias) < 0.5 * abs(other_bias)
        assert error < 0.8 * other_error


def masked(demand, unit, draw, of=0.25):
    """Take stock away for a random share of some periods, of which that share of the units is left (thinning)."""
    hit = draw.random(demand.shape) < of
    left = np.where(draw.random(demand.shape) < 0.2, 0.0, draw.random(demand.shape).round(2))
    share = np.where(hit, left, 1.0)
    return draw.binomial(np.rint(demand / unit).astype(int), share) * unit, share


def made(seed):
    """Counts with a weekday, a level that drifts, and days that move a whole category."""
    draw = np.random.default_rng(seed)
    n, time = 300, 250
    level = np.exp(draw.normal(1.0, 1.2, n))[:, None] * np.exp(np.cumsum(0.02 * draw.standard_normal((n, time)), 1))
    week = 1 + 0.4 * np.sin(2 * np.pi * np.arange(time) / 7)
    group = np.arange(n) % 6
    rate = level * week * np.exp(0.2 * draw.standard_normal((6, time)))[group]
    demand = draw.poisson(rate * draw.gamma(14, 1 / 14, (n, time))).astype(float)
    return demand, group.astype(str), draw


def check_masked(demand, sales, share, told, judged):
    """Hold the estimates of masked periods against what was taken away from them."""
    bias, error = errors(told.values[judged], demand[judged])
    assert abs(bias) < 0.02
    partly = judged & (share > 0)
    by_share = np.divide(sales, share, out=np.zeros(share.shape), where=share > 0)
    mean = stocked_mean(demand, share >= 1.0)
    assert error < 0.7 * min(errors(other[judged], demand[judged])[1] for other in (sales, mean))
    assert errors(told.values[partly], demand[partly])[1] < 0.8 * errors(by_share[partly], demand[partly])[1]
    sure = judged & (told.sd > 0)
    assert sure.sum() > 0.99 * judged.sum()
    square = (((demand - told.values)[sure] / told.sd[sure]) ** 2).mean()
    assert 0.7 < square < 1.4


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_masked_days_are_found_again_with_an_honest_deviation(seed):
    demand, category, draw = made(seed)
    sales, share = masked(demand, 1.0, draw)
    told = estimate(panel(sales, in_stock=share, category=category))
    check_masked(demand, sales, share, told, (share < 1) & (np.arange(demand.shape[1]) >= 30))


@pytest.mark.parametrize("power", [0.5, 1.0])
def test_how_much_is_sold_early_in_the_day_is_learnt(power):
    demand, category, draw = made(3)
    _, share = masked(demand, 1.0, draw)
    sales = draw.binomial(demand.astype(int), share**power).astype(float)
    learnt = learn(panel(sales, in_stock=share, category=category), [category])
    assert learnt.power[-1] == pytest.approx(power, abs=0.05)
    assert abs(learnt.above[-1]) < 0.1


@pytest.mark.needs_data
def test_masked_days_of_fresh_food_are_found_again(real_data):
    import duckdb

    with duckdb.connect() as db:
        told = db.execute(
            "select store_id::int * 1000 + first_category_id as place, sale_amount, stockout_hours_6_22 as out "
            "from read_parquet(?) order by product_id::varchar, store_id::varchar, dt",
            [str(real_data / "freshretail_303_stores.parquet")],
        ).fetchnumpy()
    group = np.asarray(told["place"]).reshape(-1, 90)[:, 0]
    demand = np.asarray(told["sale_amount"], dtype=float).reshape(-1, 90).round(4)
    full = np.asarray(told["out"]).reshape(-1, 90) == 0
    sales, share = masked(demand, 0.1, np.random.default_rng(0), of=0.15)
    sales = np.where(share < 1, sales, demand)
    names = np.char.mod("s%06d", np.arange(len(demand)))
    found = estimate(panel(sales, in_stock=share, observed=full, names=names), groups=(group,))
    check_masked(demand, sales, share, found, full & (share < 1) & (np.arange(90) >= 14))


def plain(sales, share, learnt, step_days):
    """The walk and the estimate of one series of days, as they stand in docs/models.md."""
    season, level_half, place_half, error_half = step_days
    sold = exposed = squared = summed = 0.0
    place_sold, place_usual, seen = [0.0] * season, [0.0] * season, []
    out = []
    for t, (s, p) in enumerate(zip(sales, share, strict=True)):
        day, group_level = learnt.day[t, 0], learnt.level[t, 0]
        k = t % season
        borrowed = 0.25 * max(1 - exposed / 7, 0) if group_level > 0 else 0.0
        weight = exposed + borrowed
        level = (sold + borrowed * group_level) / weight if weight > 0 else 0.0
        usual = place_usual[k] + 3 * level
        weekday = (place_sold[k] + 3 * level) / usual if usual > 0 else 1.0
        m = level * weekday * day
        unit = float(np.gcd.reduce(np.rint(np.array([*seen, 0.0]) * 1000).astype(int))) / 1000
        at = m if m > 0 else 1.0
        ratio = (squared + 14 * (unit + 0.1 * at) * at) / (summed + 14 * at)
        partly = 0 < p < 1
        asked = m + (min(max(learnt.above[t] * (ratio * m) ** 0.5, -0.5 * m), m) if partly else 0.0)
        q = p ** learnt.power[t]
        noise = min(learnt.noise[t, 0] * unit + learnt.noise[t, 1] * ratio, ratio)
        if p >= 1:
            out.append((s, 0.0))
        elif p <= 0:
            out.append((max(m, s), (ratio * max(m, 0.05 * unit)) ** 0.5))
        elif m > 0:
            rate = (noise * asked + (ratio - noise) * s) / (noise + (ratio - noise) * q)
            spread = (1 - q) * noise * max(rate, 0.05 * unit) * ratio / (noise + (ratio - noise) * q)
            out.append((s + (1 - q) * rate, spread**0.5))
        else:
            jump = unit or s
            out.append((s / q, ((1 - q) * jump * max(s / q, 0.05 * unit) / q) ** 0.5))
        seen.append(s)
        if p <= 0:
            continue
        like = q * day * (asked / m if m > 0 else 1.0)
        if p >= 1:
            if weight >= 1:
                squared, summed = (0.5 ** (1 / error_half) * before + more
                                   for before, more in ((squared, (s - m) ** 2), (summed, m)))  # fmt: skip
        sold = 0.5 ** (1 / level_half) * sold + s
        exposed = 0.5 ** (1 / level_half) * exposed + like * weekday
        if weight >= 1:
            place_sold[k] = 0.5 ** (1 / place_half) * place_sold[k] + s
            place_usual[k] = 0.5 ** (1 / place_half) * place_usual[k] + like * level
    return np.array(out).T


def test_the_walk_is_that_of_a_plain_loop():
    past = retail(12, 160)
    pooled = learn(past, [past.attributes.column("category")])
    for row in range(12):
        sales, share = recorded(past, np.array([row]))
        learnt = pooled.of_chunk(sales, share, np.array([row]), "day")
        found = np.array([np.concatenate(demand_of(now, learnt)) for now in walk(sales, share, learnt, "day")]).T
        expected = plain(sales[0], share[0], learnt, (7, 7.0, 8.0, 56.0))
        short = share[0] < 1
        np.testing.assert_allclose(found[:, short], expected[:, short], rtol=1e-9, atol=1e-12)
        whole = estimate(past)
        told = short & past.observed[row]
        np.testing.assert_allclose(whole.values[row, told], expected[0, told], rtol=1e-9)
        np.testing.assert_allclose(whole.sd[row, told], expected[1, told], rtol=1e-9)
