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


@pytest.mark.parametrize("seed", [*range(2), *(pytest.param(n, marks=pytest.mark.slow) for n in range(2, 30))])
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


@pytest.mark.parametrize("breaks", [((200.0, 0.04), (500.0, 0.1)), ((500.0, 0.1),)])
def test_what_is_placed_already_is_lifted_to_the_next_break_where_that_is_a_gift(breaks):
    """480 of money are placed, and 20 more take 10 % off all of it."""
    night = case(
        np.random.default_rng(7).poisson(5.0, (1, 200, 40)), shared=shared(*breaks), unit_cost=4.0, holding_cost=0.001, shortage_cost=5.0,
        lead_time=3, review_period=7, pack_size=1.0, on_hand=20.0,
    )  # fmt: skip
    begun = after_ordering(night, np.array([120.0]))
    made = plan("optimizer", begun, next_review=reviews(begun)).plan
    gained = 0.1 * 500.0 - (0.04 * 480.0 if len(breaks) > 1 else 0.0)
    assert made.order_quantity.tolist() == [5.0]
    assert made.expected_cost_saving[0] == pytest.approx(gained, abs=2.5)  # 5 units for 50 days more of holding, and ρ
    assert made.marginal_value[0] < 0
    assert ordered(after_ordering(begun, made.order_quantity)).tolist() == [0.0]


def test_the_savings_of_the_lines_add_up_to_that_of_the_order_with_its_discount():
    night = case(
        np.full((2, 20, 40), 5.0), shared=shared((800.0, 0.1)), unit_cost=4.0, holding_cost=0.001, shortage_cost=5.0,
        lead_time=3, review_period=7, pack_size=1.0, on_hand=20.0,
    )  # fmt: skip
    made = plan("optimizer", night, next_review=reviews(night))
    assert float(made.plan.order_quantity.sum()) == 200.0
    assert made.plan.expected_cost_saving.sum() == pytest.approx(-sum(one.objective for one in made.solves))
    assert made.plan.marginal_value.max() < 0  # the next unit gets its own discount, and no more


@pytest.mark.parametrize(
    ("terms", "why"),
    [
        ({"truck_volume": 1e5, "truck_cost": 5.0}, "price_break"),
        ({"min_order_value": 380.0}, "price_break"),  # 360 are wanted, 800 are ordered
        ({"min_order_value": 790.0}, "supplier_minimum"),
        ({"order_cost": 20.0}, "price_break"),
    ],
)
def test_what_made_an_order_larger_is_named_by_what_it_reaches(terms, why):
    night = case(
        np.full((2, 20, 40), 5.0), shared=shared((800.0, 0.1), **terms), unit_cost=4.0, holding_cost=0.001,
        shortage_cost=5.0, lead_time=3, review_period=7, pack_size=1.0, on_hand=20.0,
    )  # fmt: skip
    night = replace(night, terms=night.terms.replace(volume=np.ones(2)))
    made = plan("optimizer", night, next_review=reviews(night)).plan
    assert made.order_quantity.sum() == 200.0
    assert set(made.binding.tolist()) == {why}


def test_a_break_that_the_cut_of_a_ranking_misses_is_told():
    paths = np.stack([np.full((20, 40), rate) for rate in (5.0, 3.0)])
    night = case(
        paths, shared=shared((600.0, 0.1)), unit_cost=4.0, holding_cost=0.001, shortage_cost=np.array([5.0, 0.5]),
        lead_time=3, review_period=7, pack_size=1.0, on_hand=np.array([15.0, 9.0]),
    )  # fmt: skip
    whole = plan("optimizer", night, next_review=reviews(night))
    first = float(whole.plan.order_quantity[0] * 4.0)
    made = plan("optimizer", night, next_review=reviews(night), ranked_budget=first)
    assert made.plan.order_quantity.tolist() == [whole.plan.order_quantity[0], 0.0]
    assert made.plan.reason[0].endswith(f"the budget of {first:,.10g} leaves the order below its price break")
    missed = [alert for alert in made.alerts if alert.code == "SC-P035" and not alert.sku]
    assert [alert.value for alert in missed] == [pytest.approx(0.1 * first)]
    rich = plan("optimizer", night, next_review=reviews(night), ranked_budget=5000.0)
    assert not [alert for alert in rich.alerts if alert.code == "SC-P035"]


def test_a_break_that_what_is_placed_nearly_reaches_is_told_though_nothing_more_is_ordered():
    night = case(
        np.full((1, 20, 40), 5.0), shared=shared((200.0, 0.04), (500.0, 0.1)), unit_cost=4.0, holding_cost=0.001,
        shortage_cost=5.0, lead_time=3, review_period=7, pack_size=1.0, on_hand=20.0,
    )  # fmt: skip
    begun = after_ordering(night, np.array([120.0]))
    made = plan("optimizer", begun, next_review=reviews(begun))
    (told,) = [alert for alert in made.alerts if alert.code == "SC-P021"]
    assert told.message.startswith("20.00 more would bring the order to a to a discount of 10.0%, 30.80 on all of it")
    assert told.message.endswith("480.00 of it are placed already")
