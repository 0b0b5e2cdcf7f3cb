from dataclasses import replace

import numpy as np
import pytest
from made_launches import BRANDS, hidden, renamed, shop
from made_panels import panel, scrambled

from stockcast.demand.arrays import pack, unpack
from stockcast.evaluation.published import published
from stockcast.models.catalogue import make
from stockcast.models.ladder import Ladder
from stockcast.models.profile import profile
from stockcast.models.similarity import kernels, learn, traits

every_step = pytest.mark.parametrize("step", ["day", "week"])


def climb(past, name="moving_average", of_all=None, horizon=21, n_paths=50):
    return Ladder(make(name), of_all).fit(past, seed=7).climb(past, horizon, seed=7, n_paths=n_paths)


def without(past, names):
    return hidden(past, np.flatnonzero(np.isin(past.series.sku, names)))


def test_what_tells_of_demand_weighs_and_what_does_not_does_not():
    past = shop(120, 300, launched=0.0, noise=0.2)
    known, rows = traits(past), np.arange(120)
    likeness = learn(known, rows, np.log(past.sales[:, -56:].mean(axis=1)), np.zeros(120, dtype=bool))
    weight = dict(zip((*known.names, "price", "description"), likeness.weight.tolist(), strict=True))
    assert known.names == ("brand", "colour")  # all have the same category, and are at the same location
    assert weight["colour"] == 0
    assert weight["price"] == 0  # nobody knows one
    assert weight["brand"] > 0.3
    assert weight["description"] > 0.3  # it names the brand
    assert 0.15 < likeness.sd < 0.35


def test_nothing_is_learnt_where_nothing_tells():
    past = renamed(shop(60, 300, launched=0.0), brand=None, description=None)
    known, rows = traits(past), np.arange(60)
    level = np.log(past.sales[:, -56:].mean(axis=1))
    assert learn(known, rows, level, np.zeros(60, dtype=bool)) is None
    assert learn(known, rows[:3], level[:3], np.zeros(3, dtype=bool)) is None
    assert profile(hidden(past, np.arange(3))).analogues is None


def test_prices_are_alike_where_they_are_near():
    past = shop(3, 100, launched=0.0)
    price = np.full(past.sales.shape, np.nan)
    price[0, 5], price[1, 7], price[0, 90] = 9.0, 2.0 * np.exp(0.25), 2.0
    past = replace(past, known=replace(past.known, price=price, ahead=None))
    alike = kernels(traits(past), np.arange(3), np.arange(3))[-2]
    np.testing.assert_allclose(alike, [[1.0, np.exp(-1.0), 0.0], [np.exp(-1.0), 1.0, 0.0], [0.0, 0.0, 0.0]])


def test_a_price_that_is_only_planned_counts():
    past = shop(4, 100, launched=0.0)
    price = np.full((4, 110), np.nan)
    price[0, 105], price[1, 50] = 3.0, 3.0
    known = replace(
        past.known, time=replace(past.time, n=110), price=price, promotion=np.full((4, 110), np.nan), ahead=None
    )
    assert kernels(traits(replace(past, known=known)), np.array([0]), np.array([1]))[-2].tolist() == [[1.0]]


@every_step
def test_a_series_without_a_history_is_forecast_by_items_of_its_brand(step):
    past = without(shop(60, 300, step=step, launched=0.0), ["i007"])
    demand, fallback = climb(past)
    told = fallback[7]
    assert told.startswith("moving_average→analogues: no history (like i")
    like = told[told.index("like ") + 5 : -1].split(", ")
    brand = past.attributes.column("brand")
    assert len(like) == 3
    assert {str(brand[past.series.sku == one][0]) for one in like} == {str(brand[7])}
    assert demand.mean()[7].mean() == pytest.approx(BRANDS[str(brand[7])], rel=0.3)
    assert (np.delete(fallback, 7) == "").all()


@pytest.mark.parametrize("name", ["moving_average", "tsb", "ets"])
def test_a_short_history_is_forecast_with_those_of_others(name):
    past = shop(60, 300, launched=0.0)
    observed = past.observed.copy()
    observed[4, :-13], observed[5, :-14] = False, False
    past = replace(past, sales=np.where(observed, past.sales, 0.0), observed=observed)
    fallback = climb(past, name)[1]
    assert fallback[4].startswith(f"{name}→analogues: 13 periods of history (like ")
    assert fallback[5] == ""


def test_a_model_that_learns_of_all_series_keeps_its_own(monkeypatch):
    past = without(shop(60, 300, launched=0.0), ["i007"])
    observed = past.observed.copy()
    observed[7, -5:] = True
    past = replace(past, observed=observed)
    monkeypatch.setattr(type(make("moving_average")), "pooled", True)
    assert climb(past)[1][7] == ""


def test_what_follows_another_item_sells_as_that_did():
    past = shop(60, 300, launched=0.0, successor={"i010": "i007"})
    sales = past.sales.copy()
    sales[10, -40:] = 0.0  # it has been sold out and left
    past = without(replace(past, sales=sales), ["i007"])
    demand, fallback = climb(past)
    assert fallback[7] == "moving_average→analogues: no history (like i010)"
    assert demand.mean()[7].mean() == pytest.approx(past.sales[10, -96:-40].mean(), rel=0.1)


def test_a_successor_takes_over_from_the_item_at_its_own_place():
    past = shop(20, 300, places=("bergen", "oslo"), launched=0.0, successor={"i010": "i007"})
    made = profile(without(past, ["i007"])).analogues
    assert made.names(made.series) == ["i010", "i010"]
    np.testing.assert_allclose(made.level, past.sales[20:22, -56:].mean(axis=1), rtol=1e-6)


def test_an_item_that_names_itself_or_nobody_leads_nowhere():
    past = shop(30, 300, launched=0.0, successor={"i010": "i010", "i011": "nobody", "i007": "i008", "i008": "i007"})
    fallback = climb(without(past, ["i007", "i008", "i010"]))[1]
    for row in (7, 8, 10):  # two new items that follow each other lend each other nothing
        assert fallback[row].startswith("moving_average→analogues: no history (like i")


def test_what_has_ended_or_never_sells_lends_nothing():
    past = shop(60, 300, launched=0.0)
    brand = past.attributes.column("brand")
    same = np.flatnonzero(brand == brand[7])
    ends = {str(past.series.sku[row]): "2024-03-01" for row in same[same != 7][:-2].tolist()}
    past = shop(60, 300, launched=0.0, end_date=ends)
    sales = past.sales.copy()
    sales[same[-1]] = 0.0
    made = profile(without(replace(past, sales=sales), ["i007"])).analogues
    used = made.donors.series.sku[made.near[0][made.weight[0] > 0]]
    assert str(past.series.sku[same[-2]]) in used
    assert not set(used.tolist()) & {*ends, str(past.series.sku[same[-1]]), "i007"}


def test_the_paths_of_what_is_new_are_not_cut_to_ten_units():
    past = shop(60, 300, launched=0.0)
    row = int(np.flatnonzero(past.attributes.column("brand") == "cedar")[0])
    past = hidden(past, np.array([row]))
    demand = published(climb(past, n_paths=300)[0], past)
    assert demand.mean()[row].mean() == pytest.approx(30.0, rel=0.3)
    paths = demand.paths(np.array([row]))
    assert np.isfinite(paths).all()
    assert (paths == np.floor(paths)).all()
    assert paths.max() <= 10 * past.sales.max()


@every_step
def test_a_part_of_the_panel_is_forecast_as_the_whole_is(step):
    past = shop(60, 300, step=step, launched=0.3)
    new = np.array([3, 7, 20, 59])
    past = hidden(past, new)
    of_all = profile(past)
    whole, texts = climb(past, of_all=of_all)
    for rows in (np.arange(0, 8), np.array([20]), np.array([3, 4, 59])):
        part, some = climb(past.take(rows), of_all=of_all)
        assert part.paths().tobytes() == whole.paths(rows).tobytes()
        assert some.tolist() == texts[rows].tolist()


def test_other_names_give_the_same_analogues():
    past = hidden(shop(40, 300, launched=0.3, dated=False), np.array([3, 7]))
    order = np.random.default_rng(0).permutation(40)
    columns = {name: values[order] for name, values in past.attributes.columns.items()}
    other = renamed(replace(past, sales=past.sales[order], observed=past.observed[order]), **columns)
    first, second = profile(past).analogues, profile(other).analogues
    again = np.array([int(np.flatnonzero(order == row)[0]) for row in (3, 7)])
    place = np.argsort(again)
    # ties between equally near items go by name; what is learnt of all series does not
    np.testing.assert_allclose(first.curves.curve, second.curves.curve, rtol=1e-12)
    np.testing.assert_allclose(first.doubt[place], second.doubt, rtol=0.2)
    np.testing.assert_allclose(first.level[place], second.level, rtol=0.2)


def test_a_poisoned_series_changes_no_forecast_of_what_is_new():
    past = hidden(shop(60, 420, launched=0.5), np.array([3, 7]))
    gone = np.flatnonzero(past.first == 0)[5]
    sales = past.sales.copy()
    sales[gone, ::9] = 1e300
    left_out = hidden(past, np.array([gone]))
    with np.errstate(all="ignore"):
        a, b = profile(replace(past, sales=sales)).analogues, profile(left_out).analogues
    rows = np.isin(b.series.sku, ["i003", "i007"])
    assert a.series.sku.tolist() == ["i003", "i007"]
    np.testing.assert_array_equal(a.level, b.level[rows])
    np.testing.assert_array_equal(a.doubt, b.doubt[rows])


def test_an_own_history_that_is_absurd_is_not_believed():
    past = shop(60, 300, launched=0.0)
    observed, sales = past.observed.copy(), past.sales.copy()
    observed[7, :-5], sales[7] = False, 1e300
    past = replace(past, observed=observed, sales=np.where(observed, sales, 0.0))
    with np.errstate(all="ignore"):
        paths = climb(past)[0].paths(np.array([7]))
    assert np.isfinite(paths).all()
    assert paths.max() < 1e4


@every_step
def test_nothing_after_the_origin_changes_what_is_learnt(step):
    whole = shop(60, 400, step=step, launched=0.7, dated=False)
    for known in (200, 330):
        clean, other = whole.until(known), scrambled(whole, known).until(known)
        first, second = profile(clean).analogues, profile(other).analogues
        assert len(first.series) >= 3
        assert climb(clean)[0].paths().tobytes() == climb(other)[0].paths().tobytes()
        np.testing.assert_array_equal(first.level, second.level)


def test_what_is_written_down_draws_the_same_bytes():
    demand = climb(hidden(shop(60, 300, launched=0.3), np.array([3, 7])))[0]
    assert unpack(pack(demand)).paths().tobytes() == demand.paths().tobytes()


def test_new_items_without_any_attribute_are_forecast_by_all_series():
    observed = np.ones((20, 100), dtype=bool)
    observed[3] = False
    past = panel(np.full((20, 100), 2.0), observed=observed)
    assert climb(past)[1][3] == "moving_average→category_profile: no history"


def test_a_panel_of_short_histories_only_has_no_analogues():
    assert profile(shop(30, 12, launched=0.0)).analogues is None
