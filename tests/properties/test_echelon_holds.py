"""What must hold of any warehouse: pooling, packs and minimums, sums that add up, and a second plan of the night."""

import itertools
from dataclasses import replace

import numpy as np
import pytest

from echelon_case import closed, fed_network, received, sparse, warehouses
from planning_case import after_ordering, reviews
from stockcast.inventory import PriceBreak, SupplierTerms
from stockcast.policies import check, check_transfers, naive_shadow, plan, propose
from stockcast.policies.lines import lines
from transfer_case import lanes, lines_of


def drawn(seed, *, skus=3, places="ABC", n_paths=60, **over):
    """Draw a warehouse, some of them with sales of its own, and the places that it feeds."""
    rng = np.random.default_rng(seed)
    m = len(places)
    n, horizon = skus * (m + 1), 16
    rate = rng.choice([0.2, 1.0, 4.0], n)
    rate[m :: m + 1] = rng.choice([0.0, 0.5], skus)
    paths = rng.poisson(rate[:, None, None] * rng.gamma(3.0, 1 / 3.0, (n, n_paths, 1)), (n, n_paths, horizon))
    kind = rng.choice([0, 0, 1, 2], n)
    given = {
        "lane": rng.integers(0, 3, m), "lane_cost": float(rng.choice([0.0, 0.1])), "pack": float(rng.choice([0, 3])),
        "shipment": float(rng.choice([0.0, 1.0])), "lead_time": rng.integers(0, 5, skus),
        "review_period": rng.integers(1, 5, n), "on_hand": rng.integers(0, 30, n).astype(float),
        "pipeline": rng.integers(0, 9, (n, horizon + 1)) * (rng.random((n, horizon + 1)) < 0.06) * 1.0,
        "holding_cost": rng.choice([0.02, 0.05], n), "shortage_cost": rng.choice([1.0, 4.0], n),
        "pack_size": rng.choice([0.0, 6.0], n), "moq": rng.choice([0.0, 24.0], n), "objective": kind,
        "target": np.where(kind > 0, 0.9, 0.0), "order_cost": rng.choice([0.0, 2.0], n), "unit_cost": 2.0,
        "sales": (rate > 0).astype(float), "lead_time_sd": np.where(rng.random(n) < 0.2, 0.8, 0.0),
        "min_stock": rng.choice([0.0, 0.0, 3.0], n),
        "shared": {
            "unmet_demand": "backorder" if seed % 2 else "lost",
            "suppliers": (SupplierTerms("a", order_cost=float(rng.choice([0, 8])), min_order_units=20.0),),
        },
    }  # fmt: skip
    return fed_network(paths, places=places, **{**given, **over})


def tied(seed):
    """Draw the same with price breaks, rooms that bind or not, and a warehouse that may not ship tonight."""
    tonight, rng = drawn(seed), np.random.default_rng(seed + 40_000)
    terms = tonight.terms.replace(volume=rng.integers(1, 9, len(tonight.terms.series)) / 8.0)
    worth = float((tonight.demand.paths().mean(axis=(1, 2)) * 4.0 * terms.unit_cost).sum())
    breaks = tuple(PriceBreak(round(worth * share, 2), off) for share, off in ((0.8, 0.03), (2.0, 0.08)))
    lies = (tonight.state.on_hand + tonight.state.on_order) * terms.volume
    room = {
        place: round(float(lies[terms.series.location == place].sum()) * float(rng.choice([1.0, 1.2, 2.0])), 2)
        for place in "ABCW"
        if rng.random() < 0.4
    }
    (supplier,) = tonight.shared.suppliers
    shared = replace(tonight.shared, suppliers=(replace(supplier, price_breaks=breaks),), storage=room)
    tonight = replace(tonight, terms=terms, shared=shared)
    return closed(tonight, 1 + seed % 3) if rng.random() < 0.2 else tonight


def seldom(seed):
    """Draw a night of a warehouse that ships in some periods only."""
    night = sparse(tied(seed) if seed % 2 else drawn(seed), seed)
    return night if int(night.terms.reach.max()) <= night.demand.horizon else seldom(seed + 1_000)


@pytest.mark.parametrize("draw", [drawn, tied, seldom])
@pytest.mark.parametrize("seed", [*range(2), *(pytest.param(n, marks=pytest.mark.slow) for n in range(2, 60))])
def test_a_night_keeps_every_rule_and_planning_again_moves_and_orders_nothing(seed, draw):
    tonight = draw(seed)
    moved = propose(tonight)
    movable = np.ones(len(tonight.terms.series), dtype=bool)
    assert check_transfers(tonight, lines_of(tonight, moved.transfers), moved.state, movable) == ()
    after = received(tonight, moved.transfers)
    made = plan("auto", after, next_review=reviews(after))
    quantity, rows = made.plan.order_quantity, warehouses(after)
    fed = after.terms.feeder >= 0
    assert not quantity[fed].any()
    assert set(made.plan.binding[fed].tolist()) == {"not_orderable"}
    assert check(after, quantity, held=made.held) == ()
    assert made.waterfall.quantity == pytest.approx(quantity)
    away = np.bincount(
        after.terms.feeder[fed], weights=after.state.inventory_position[fed], minlength=len(quantity)
    )  # fmt: skip
    assert made.lines.elsewhere[rows] == pytest.approx(away[rows])
    placed = after_ordering(after, quantity)
    assert not len(propose(placed).transfers)
    assert not plan("auto", placed, next_review=reviews(placed)).plan.order_quantity.any()


@pytest.mark.parametrize("seed", range(4))
def test_one_sku_is_planned_alike_alone_and_among_others(seed):
    tonight = drawn(seed)
    every = lines(tonight)
    for sku in range(3):
        rows = np.arange(4 * sku, 4 * sku + 4)
        one = lines(tonight.take(rows))
        for name in ("quantity", "cost", "level", "demand_mean", "elsewhere", "reorder_point"):
            assert np.array_equal(getattr(one, name), getattr(every, name)[rows]), name


@pytest.mark.parametrize("seed", range(3))
def test_demand_after_the_last_period_that_is_decided_about_moves_only_what_is_left_at_its_end(seed):
    tonight = drawn(seed, order_cost=0.0, moq=0.0)
    reach = int(tonight.terms.reach.max())
    paths = tonight.demand.paths().copy()
    assert reach < paths.shape[2] - 1
    found = lines(tonight)
    paths[:, :, reach + 1 :] = paths[:, ::-1, reach + 1 :]
    again = lines(replace(tonight, demand=replace(tonight.demand, source=type(tonight.demand.source)(paths))))
    rows = warehouses(tonight)
    assert np.array_equal(found.quantity[rows], again.quantity[rows])
    assert again.demand_mean[rows] == pytest.approx(found.demand_mean[rows])


def test_more_places_with_the_same_demand_need_less_at_the_warehouse_in_all():
    rng = np.random.default_rng(4)
    safety = []
    for m in (1, 4, 8):
        # no lane and no wait between shipments at the places: what is left is the risk until the warehouse's receipt
        paths = rng.negative_binomial(2.0, 2.0 / (2.0 + 24.0 / m), (m, 400, 14)).astype(float)
        paths = np.concatenate([paths, np.zeros((1, 400, 14))])
        tonight = fed_network(
            paths, places="ABCDEFGH"[:m], lead_time=8, review_period=1, holding_cost=0.05, shortage_cost=2.0,
            on_hand=0.0, shared={"unmet_demand": "backorder"}, sales=np.append(np.ones(m), 0.0),
        )  # fmt: skip
        found = lines(tonight)
        safety.append(float((found.level - found.demand_mean)[-1]))
    assert safety[0] > safety[1] > safety[2] > 0


@pytest.mark.parametrize("seed", range(6))
def test_a_shortage_is_shared_out_as_the_best_of_all_ways_to_share_it(seed):
    rng = np.random.default_rng(seed)
    rate, p, stock = rng.choice([1.0, 2.0, 3.0], 3), rng.choice([1.0, 3.0], 3), rng.integers(0, 3, 3).astype(float)
    paths = rng.poisson(rate[:, None, None], (3, 40, 8)).astype(float)
    there, review, h, stored = 5, 3, 0.05, 0.02
    tonight = fed_network(
        np.concatenate([paths, np.zeros((1, 40, 8))]), places="ABC", lane=0, lead_time=2, review_period=review,
        on_hand=np.append(stock, there), holding_cost=np.array([h, h, h, stored]), shortage_cost=np.append(p, 1.0),
        sales=np.array([1.0, 1.0, 1.0, 0.0]),
    )  # fmt: skip

    def cost(split):
        total = stored * review * (there - sum(split))
        for i, units in enumerate(split):
            for path in paths[i]:
                x = stock[i] + units
                for t in range(review):
                    total += p[i] * max(path[t] - x, 0.0) / 40
                    x = max(x - path[t], 0.0)
                    total += h * x / 40
        return total

    splits = [s for s in itertools.product(range(there + 1), repeat=3) if sum(s) <= there]
    mine = tuple(propose(tonight).transfers.received[:3].astype(int).tolist())
    assert cost(mine) == pytest.approx(min(map(cost, splits)), abs=1e-9)


def test_what_no_place_needs_before_the_next_shipment_stays():
    paths = np.concatenate([np.ones((2, 20, 12)), np.zeros((1, 20, 12))])
    tonight = fed_network(
        paths, places="AB", lane=1, lead_time=3, review_period=2, on_hand=np.array([0.0, 0.0, 50.0]),
        holding_cost=np.array([0.05, 0.05, 0.01]), shortage_cost=2.0, sales=np.array([1.0, 1.0, 0.0]),
    )  # fmt: skip
    assert propose(tonight).transfers.received.tolist() == [2.0, 2.0, 0.0]


def test_the_cost_of_the_lane_is_taken_off_what_a_lost_sale_costs_and_decides_nothing_else():
    paths = np.concatenate([np.ones((1, 20, 12)), np.zeros((1, 20, 12))])
    given = {
        "places": "A", "lead_time": 3, "review_period": 2, "on_hand": np.array([0.0, 9.0]), "holding_cost": 0.01,
        "shortage_cost": 2.0, "sales": np.array([1.0, 0.0]),
    }  # fmt: skip
    assert propose(fed_network(paths, lane_cost=1.5, **given)).transfers.received.tolist() == [2.0, 0.0]
    assert not len(propose(fed_network(paths, lane_cost=2.5, **given)).transfers)


def test_a_purchase_of_a_fed_series_is_refused_and_the_shadow_looks_at_all_that_is_fed():
    tonight = drawn(3)
    quantity = np.where(tonight.terms.feeder >= 0, 6.0, 0.0)
    assert {broken.rule for broken in check(tonight, quantity)} >= {"fed", "not_orderable"}
    busy = replace(tonight, past=replace(tonight.past, sales=np.full_like(tonight.past.sales, 9.0)))
    shadow = naive_shadow(busy)
    assert not shadow[tonight.terms.feeder >= 0].any()
    ready = warehouses(tonight)[tonight.terms.at_review[warehouses(tonight)]]
    assert (shadow[ready] > 4 * 9.0).all()


@pytest.mark.parametrize("seed", range(4))
def test_where_the_warehouse_does_not_ship_tonight_its_stock_stays_counts_once_and_the_lines_say_until_when(seed):
    tonight = closed(drawn(seed), 2)
    moved = propose(tonight)
    assert not len(moved.transfers)
    assert np.array_equal(moved.state.on_hand, tonight.state.on_hand)
    assert np.array_equal(moved.state.pipeline, tonight.state.pipeline)
    assert [(alert.code, alert.location) for alert in moved.alerts if alert.code == "SC-P040"] == [("SC-P040", "W")]
    made = plan("auto", tonight, next_review=reviews(tonight))
    fed, rows = tonight.terms.feeder >= 0, warehouses(tonight)
    assert set(made.plan.binding[fed].tolist()) == {"not_orderable"}
    assert all(text.startswith("fed from W: no shipment until 2026-01-20; ") for text in made.plan.reason[fed].tolist())
    away = np.bincount(
        tonight.terms.feeder[fed], weights=tonight.state.inventory_position[fed], minlength=len(fed)
    )  # fmt: skip
    assert made.lines.elsewhere[rows] == pytest.approx(away[rows]), "what waits at the warehouse is not at the places"
    placed = after_ordering(tonight, made.plan.order_quantity)
    assert not len(propose(placed).transfers)
    assert not plan("auto", placed, next_review=reviews(placed)).plan.order_quantity.any()


def test_stock_that_waits_for_the_next_shipment_serves_no_place_before_it_is_there():
    paths = np.concatenate([np.ones((1, 20, 12)), np.zeros((1, 20, 12))])
    given = {
        "places": "A", "lead_time": 6, "review_period": 2, "lane": 1, "on_hand": np.array([0.0, 50.0]),
        "holding_cost": 0.01, "shortage_cost": 2.0, "sales": np.array([1.0, 0.0]),
    }  # fmt: skip
    unmet = [lines(closed(fed_network(paths, **given), wait)).unmet_before[1].item() for wait in (1, 3)]
    assert unmet == [1 + 1, 3 + 1], "until the shipment of its calendar has passed the lane"
    assert lines(fed_network(paths, **given)).unmet_before[1] == 2 + 1, "what is not sent tonight waits for the next"


def test_places_help_each_other_out_up_to_the_next_shipment_while_the_warehouse_does_not_ship():
    paths = np.concatenate([np.ones((2, 20, 14)), np.zeros((1, 20, 14))])
    tonight = fed_network(
        paths, places="AB", lane=1, lead_time=3, review_period=2, on_hand=np.array([0.0, 14.0, 50.0]),
        holding_cost=0.05, shortage_cost=2.0, sales=np.array([1.0, 1.0, 0.0]),
    )  # fmt: skip
    ways = lanes(("B", "A", 0, 1.0, 0.0, 0.0), ("W", "A", 1, 0.0, 0.0, 0.0), ("W", "B", 1, 0.0, 0.0, 0.0))
    tonight = replace(tonight, shared=replace(tonight.shared, lanes=ways))
    waits = propose(closed(tonight, 5))
    assert waits.transfers.received.tolist() == [6.0, 0.0, 0.0], "five periods, and one on the lane"
    assert "the next shipment from W is there on" in waits.transfers.reason[0]
    opens = propose(tonight).transfers
    assert opens.received[0] == 3.0, "two periods, and one on the lane"


@pytest.mark.parametrize(("lead_time", "wanted"), [(2, 0.0), (6, 0.0), (8, 14.0), (14, 14.0), (15, 0.0)])
def test_a_warehouse_that_ships_seldom_orders_for_a_shipment_when_no_later_order_is_in_time_for_it(lead_time, wanted):
    # shipments in 0, 14, 28: an order every 7 periods that comes in 8 is the last one in time for that of 14
    paths = np.concatenate([np.ones((1, 20, 60)), np.zeros((1, 20, 60))])
    tonight = fed_network(
        paths, places="A", lead_time=lead_time, review_period=np.array([14, 7]), holding_cost=0.01,
        on_hand=0.0, shortage_cost=2.0, sales=np.array([1.0, 0.0]),
    )  # fmt: skip
    terms = tonight.terms.replace(shipments=np.array([[0, 14, 28, 42], [10**6] * 4]))
    (row,) = warehouses(tonight)
    assert terms.reach.tolist() == [14 if lead_time + 7 <= 14 else 28, lead_time + 7]
    tonight = replace(tonight, terms=terms)
    made = plan("auto", tonight, next_review=reviews(tonight))
    assert made.plan.order_quantity[row] == wanted
    assert terms.covered[row] == terms.reach[0]
    assert f"until {tonight.past.time.date(tonight.past.time.n + int(terms.covered[row]))}" in made.plan.reason[row]


@pytest.mark.parametrize("backorder", [False, True])
def test_what_lies_at_the_warehouse_serves_the_places_until_the_shipment_that_an_order_goes_with(backorder):
    # 8 a day; it ships in 1, 8, 15 and 22; an order that comes in 9 goes on in 15 and lasts until 22
    paths = np.concatenate([np.full((2, 20, 40), 4.0), np.zeros((1, 20, 40))])
    given = {
        "places": "AB", "lead_time": 9, "review_period": np.array([7, 7, 7]), "on_hand": np.array([4.0, 4.0, 112.0]),
        "holding_cost": 0.01, "shortage_cost": 2.0, "sales": np.array([1.0, 1.0, 0.0]), "pack_size": 1.0,
        "shared": {"unmet_demand": "backorder" if backorder else "lost"},
    }  # fmt: skip
    tonight = fed_network(paths, **given)
    ships = np.where(tonight.terms.fed_by[:, None] != "", np.array([[1, 8, 15, 22, 29]]), 10**6)
    tonight = closed(replace(tonight, terms=tonight.terms.replace(shipments=ships)), 1)
    made = plan("auto", tonight, next_review=reviews(tonight)).plan
    assert made.order_quantity[2] == 22 * 8 - 120, "120 are there, 8 of them at the places for tonight"


def test_what_places_wait_for_until_a_later_shipment_is_not_bought_with_the_sales_of_the_warehouse():
    # both orders go with the shipment of 30; until the next order W itself sells 2 a day
    paths = np.concatenate([np.full((1, 20, 60), 10.0), np.full((1, 20, 60), 2.0)])
    bought = []
    for backorder in (False, True):
        tonight = fed_network(
            paths, places="A", lead_time=2, review_period=np.array([30, 7]), on_hand=np.array([20.0, 0.0]),
            holding_cost=0.01, shortage_cost=2.0, pack_size=1.0,
            shared={"unmet_demand": "backorder" if backorder else "lost"},
        )  # fmt: skip
        ships = np.where(tonight.terms.fed_by[:, None] != "", np.array([[30]]), 10**6)
        tonight = closed(replace(tonight, terms=tonight.terms.replace(shipments=ships)), 30)
        (row,) = warehouses(tonight)
        bought.append(float(plan("auto", tonight, next_review=reviews(tonight)).plan.order_quantity[row]))
    assert bought == [7 * 2.0, 7 * 2.0 + 2 * 2.0], "and, with backorders, what its own customers wait for"
