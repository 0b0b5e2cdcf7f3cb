"""Price breaks against the long run: what is left is worth what a usual order pays for it."""

from dataclasses import replace

import numpy as np
import pytest

from planning_case import after_ordering, case, drawn, reviews
from stockcast.inventory import Outlook, PriceBreak, SharedTerms, SupplierTerms
from stockcast.policies import plan
from stockcast.policies.classical import with_price_breaks
from stockcast.policies.lines import lines
from stockcast.policies.usual import usual_saving, with_usual_costs


def shared(*breaks, **terms):
    return SharedTerms((SupplierTerms("a", price_breaks=tuple(PriceBreak(*one) for one in breaks), **terms),))


def ordered(situation, **given):
    return plan("optimizer", situation, next_review=reviews(situation), **given).plan.order_quantity


@pytest.mark.parametrize("backorder", [False, True])
@pytest.mark.parametrize("seed", range(6))
def test_what_is_left_of_each_candidate_is_what_a_walk_through_the_paths_leaves(seed, backorder):
    situation = drawn(seed, n=8, coupled=False, backorder=backorder, n_paths=20)
    terms = situation.terms.replace(lead_time_sd=np.zeros(8), ordered_now=np.zeros(8))
    owed = situation.state.backorders if backorder else np.zeros(8)  # under lost sales all that is owed is served first
    situation = replace(situation, terms=terms, state=replace(situation.state, backorders=owed))
    found, state, paths = lines(situation), situation.state, situation.demand.paths()
    for row in range(8):
        here = int(terms.first_review[row] + terms.lead_time[row])
        after = min(here + int(terms.review_period[row]), paths.shape[2])
        for units, left in zip(found.quantity[row], found.left[row], strict=True):
            rest = []
            for path in paths[row]:
                x = float(state.on_hand[row] - state.backorders[row])
                for t in range(after):
                    x += float(state.pipeline[row, t]) + (units if t == here else 0.0)
                    x = x - path[t] if backorder else max(x - path[t], min(x, 0.0))
                rest.append(x)
            assert left == pytest.approx(np.mean(rest), abs=1e-9)


@pytest.mark.parametrize("seed", range(8))
def test_a_break_that_every_usual_order_reaches_is_no_reason_to_buy_ahead(seed):
    rng = np.random.default_rng(seed)
    paths = rng.poisson(10.0, (3, 200, 24)).astype(float)
    given = {
        "unit_cost": np.array([2.0, 4.0, 3.0]), "holding_cost": 0.002, "shortage_cost": 3.0, "lead_time": 3,
        "review_period": 7, "pack_size": float(rng.choice([1, 12])), "on_hand": rng.integers(0, 40, 3).astype(float),
    }  # fmt: skip
    plain = ordered(case(paths, **given))
    reached = ordered(case(paths, shared=shared((100.0, 0.1)), **given))
    assert plain.sum() > 0
    # 10 % of the cost more is at stake with each unit sold: a little more safety stock, and nothing ahead
    assert (np.abs(reached - plain) <= np.maximum(0.1 * plain, given["pack_size"])).all()
    with_outlook = {
        "outlook": Outlook(
            case(paths, **given).past.series, np.tile(np.array([0, 7, 14]), (3, 1)),
            np.tile(given["unit_cost"][:, None], (1, 3)), np.full(3, np.datetime64("NaT", "D")),
            np.full(3, np.datetime64("NaT", "D")),
        )
    }  # fmt: skip
    dear = shared((100.0, 0.1), order_cost=5.0)
    ahead = ordered(case(paths, shared=dear, **given), **with_outlook)
    without = ordered(case(paths, shared=shared(order_cost=5.0), **given), **with_outlook)
    assert (np.abs(ahead - without) <= np.maximum(0.1 * without, given["pack_size"])).all()


@pytest.mark.parametrize(("holding", "wanted"), [(0.001, 125.0), (0.1, 70.0)])
def test_a_break_that_is_worth_waiting_for_is_just_reached_and_else_left_alone(holding, wanted):
    # 10 a period, ordered every 7: 140 in money; 10 % off from 250 on
    tonight = case(
        np.full((1, 20, 30), 10.0), shared=shared((250.0, 0.1)), unit_cost=2.0, holding_cost=holding, shortage_cost=3.0,
        lead_time=0, review_period=7, pack_size=1.0,
    )  # fmt: skip
    assert ordered(tonight).tolist() == [wanted]


def test_stock_that_lasts_is_not_bought_for_a_break_though_a_usual_order_reaches_it():
    tonight = case(
        np.full((1, 20, 30), 10.0), shared=shared((250.0, 0.1)), unit_cost=2.0, holding_cost=0.001, shortage_cost=3.0,
        lead_time=0, review_period=7, pack_size=1.0, on_hand=75.0,
    )  # fmt: skip
    assert ordered(tonight).tolist() == [0.0]


@pytest.mark.parametrize(
    "offs", [(0.01, 0.02), *(pytest.param(o, marks=pytest.mark.slow) for o in ((0.04, 0.0933), (0.0, 0.03)))]
)
def test_a_year_of_orders_costs_what_the_best_lot_of_the_textbook_does(offs):
    """EOQ with all-units discounts (Snyder & Shen 2019, sec. 3.4), replayed day by day on known demand."""
    cost, fixed, rate, holding = 0.75, 8.0, 4.0, 0.3 * 0.75 / 365
    breaks = [(at * cost, off) for at, off in zip((400.0, 800.0), offs, strict=True) if off > 0]
    prices = [cost, *(cost * (1 - off) for off in offs)]
    # the holding cost of a unit stays that of its full cost
    best, _ = with_price_breaks(fixed, holding / cost, rate, [0, 400, 800], prices)
    terms = shared(*breaks)
    stock, spent, days = 0.0, 0.0, 1200
    lots = []
    for _ in range(days):
        tonight = case(
            np.full((1, 4, 8), rate), shared=terms, unit_cost=cost, order_cost=fixed, holding_cost=holding,
            shortage_cost=5.0, lead_time=0, review_period=1, pack_size=1.0, on_hand=stock,
        )  # fmt: skip
        units = float(ordered(tonight)[0]) if stock < rate else 0.0
        if units:
            off = max((off for at, off in breaks if units * cost >= at - 1e-9), default=0.0)
            spent += fixed + units * cost * (1 - off)
            lots.append(units)
        stock += units - rate
        assert stock >= 0
        spent += holding * stock
    spent -= stock * cost * (1 - max(offs))  # what is left
    lot = float(best)
    off = max((off for at, off in breaks if lot * cost >= at - 1e-9), default=0.0)
    ideal = days * (rate * cost * (1 - off) + fixed * rate / lot + holding * lot / 2.0)
    assert spent <= 1.01 * ideal, (lots, lot)


@pytest.mark.parametrize("seed", [*range(8), *(pytest.param(n, marks=pytest.mark.slow) for n in range(8, 30))])
def test_planning_the_rest_of_a_night_with_breaks_orders_nothing(seed):
    night = drawn(seed)
    worth = float((night.demand.paths().mean(axis=(1, 2)) * night.terms.review_period * night.terms.unit_cost).sum())
    breaks = tuple(PriceBreak(round(worth * share, 2), off) for share, off in ((0.1, 0.03), (0.6, 0.08)))
    suppliers = tuple(replace(one, price_breaks=breaks) for one in night.shared.suppliers)
    night = replace(night, shared=replace(night.shared, suppliers=suppliers))
    first = ordered(night)
    assert not ordered(after_ordering(night, first)).any()


def test_what_usual_orders_save_is_what_the_best_interval_saves_tried_by_hand():
    rng = np.random.default_rng(3)
    some = 0
    for _ in range(200):
        value, holding, paid = rng.uniform(10, 200), rng.uniform(0.01, 5), float(rng.choice([0.0, 30.0]))
        begins = np.cumsum(rng.uniform(50, 900, 3))
        breaks = [(float(at), off) for at, off in zip(begins, (0.02, 0.05, 0.07), strict=True)]
        supplier = SupplierTerms("a", order_cost=99.0, price_breaks=tuple(PriceBreak(*one) for one in breaks))
        grid = np.concatenate([np.linspace(1.0, 52.0, 5101), [at / value for at, _ in breaks]])
        grid = grid[(grid >= 1.0) & (grid <= 52.0)]
        runs = holding * grid / 2 + paid / grid
        off = np.array([max((off for at, off in breaks if value * t >= at * (1 - 1e-12)), default=0.0) for t in grid])
        got = usual_saving(supplier, value, holding, paid, review=1.0, year=52.0)
        some += got > 0
        assert got * value == pytest.approx(runs.min() - (runs - off * value).min(), abs=1e-3 * runs.min())
    assert some > 50


@pytest.mark.parametrize(
    "hindered",
    [{"max_order": 100.0}, {"shelf_life": 15.0}, {"budget": 1000.0}, {}],
    ids=["maximum", "shelf life", "budget", "too far"],
)
@pytest.mark.parametrize("paid", [0.0, 15.0])
def test_a_break_that_is_not_reached_is_no_reason_to_order_less(hindered, paid):
    budget = hindered.pop("budget", None) if "budget" in hindered else None
    given = {
        "unit_cost": 10.0, "holding_cost": 0.005, "shortage_cost": 4.0, "lead_time": 3, "review_period": 3,
        "order_cost": 2.5, "pack_size": 5.0, **hindered,
    }  # fmt: skip
    paths = np.full((1, 20, 30), 5.0)
    far = 4_000.0 if hindered or budget else 60_000.0
    limited = replace(shared((far, 0.05), order_cost=paid), budget=budget)
    bare = replace(shared(order_cost=paid), budget=budget)
    plain = ordered(case(paths, shared=bare, **given))
    assert plain[0] > 0
    assert ordered(case(paths, shared=limited, **given)).tolist() == plain.tolist()


def test_the_orders_of_a_supplier_that_reaches_no_break_are_those_without_beside_one_that_does():
    paths = np.full((2, 20, 30), 10.0)
    given = {
        "unit_cost": 2.0, "holding_cost": 0.001, "shortage_cost": 3.0, "review_period": 7, "pack_size": 1.0,
        "supplier": np.array(["a", "b"]), "max_order": np.array([np.inf, 80.0]),
    }  # fmt: skip
    both = SharedTerms(tuple(SupplierTerms(name, price_breaks=(PriceBreak(250.0, 0.1),)) for name in "ab"))
    made = plan("optimizer", case(paths, shared=both, **given), next_review=reviews(case(paths, **given)))
    assert made.plan.order_quantity.tolist() == [125.0, 70.0]
    assert made.plan.binding.tolist() == ["price_break", "none"]


def test_without_breaks_nothing_is_changed():
    night = drawn(1)
    found = lines(night)
    assert with_usual_costs(found, night) is found


def test_goods_that_expire_are_not_left():
    tonight = case(
        np.full((1, 20, 30), 10.0), shared=shared((100.0, 0.1)), unit_cost=2.0, holding_cost=0.0001, shortage_cost=3.0,
        lead_time=0, review_period=7, pack_size=1.0, shelf_life=7.0,
    )  # fmt: skip
    found = lines(tonight)
    assert found.left[0] == pytest.approx(np.zeros_like(found.left[0]), abs=1e-9)
