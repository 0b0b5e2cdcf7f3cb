"""What stock is worth at a place whose sale ends, against a plain loop over paths and orders; and what is then moved."""

from dataclasses import replace

import numpy as np
import pytest

from echelon_case import fed_network
from planning_case import after_ordering, reviews
from stockcast.policies import plan, propose
from stockcast.policies.ending import Ending
from stockcast.policies.projection import Part
from stockcast.policies.transfers.worth import Anchor, Changes, worth
from transfer_case import lanes, network


def plain_cost(path, stock, arrivals, order, terms, *, backorder):
    """One path by plain arithmetic: held and unmet up to the next arrival but one, lost at the end of the sale."""
    lead, until, end = terms["lead"], terms["lead"] + terms["review"], terms["end"]
    cost, x = 0.0, stock
    for t in range(len(path)):
        x += arrivals.get(t, 0.0) + (order if t == lead else 0.0)
        missed = 0.0
        if t < end:
            missed = max(path[t] - max(x, 0.0), 0.0)
            x = x - path[t] if backorder else max(x - path[t], 0.0)
        if backorder:
            missed = max(-x, 0.0)  # who waits when the sale ends waits on
        if t < until:
            cost += terms["h"] * max(x, 0.0) * (t < end) + terms["p"] * missed
    return cost + terms["c"] * max(x, 0.0)


def plain_value(paths, stock, arrivals, terms, *, backorder, orders=40):
    return min(
        np.mean([plain_cost(path, stock, arrivals, float(q), terms, backorder=backorder) for path in paths])
        for q in range(orders)
    )


def ending_place(paths, terms, *, on_hand, comes=(), backorder=False, **over):
    pipeline = np.zeros((1, paths.shape[1] + 1))
    for at, units in comes:
        pipeline[0, at] += units
    return network(
        paths[None], places="A", on_hand=[on_hand], ways=lanes(("A", "B", 1, 0.0, 0.0, 0.0)), pipeline=pipeline,
        lead_time=terms["lead"], review_period=terms["review"], holding_cost=terms["h"], shortage_cost=terms["p"],
        unit_cost=terms["c"], sold_for=float(terms["end"]),
        shared={"unmet_demand": "backorder" if backorder else "lost"}, **over,
    )  # fmt: skip


CHANGES = [(0.0, 0), (-1.0, 0), (-5.0, 0), (4.0, 1), (4.0, 6), (9.0, 3), (2.0, 12)]


@pytest.mark.parametrize("backorder", [False, True])
@pytest.mark.parametrize(
    ("end", "h"), [(1, 0.05), (4, 0.05), (7, 0.05), (8, 0.05), (9, 0.0), (12, 0.0)]  # before a, before n, n, after n
)  # fmt: skip
@pytest.mark.parametrize("comes", [(), ((1, 3.0), (6, 4.0), (13, 5.0))])
def test_what_stock_is_worth_where_its_sale_ends(end, h, comes, backorder):
    rng = np.random.default_rng(end)
    paths = np.where(np.arange(14) < end, rng.poisson(1.6, (15, 14)), 0).astype(float)
    terms = {"lead": 3, "review": 5, "h": h, "p": 3.0, "c": 2.5, "end": end}
    changes = CHANGES
    if backorder:  # what is held after the end, beside what comes then to those who wait, is known but nearly
        terms["h"] = 0.0 if comes else h
        changes = [(many, at) for many, at in CHANGES if at < end or terms["h"] == 0.0]
    for on_hand in (5.0, 30.0):
        tonight = ending_place(paths, terms, on_hand=on_hand, comes=comes, backorder=backorder)
        units, arrival = (np.array([column]) for column in zip(*changes, strict=True))
        fixed = Anchor(np.array([3.0]), np.array([1.0]), np.array([1.0]), np.zeros(1))
        found = worth(tonight, np.array([0]), Changes(units, arrival.astype(np.int64)), fixed)[0]
        wanted = []
        for many, at in changes:
            arrivals = dict(comes)
            if many > 0:
                arrivals[at] = arrivals.get(at, 0.0) + many
            stock = on_hand + min(many, 0.0)
            wanted.append(plain_value(paths, stock, arrivals, terms, backorder=backorder))
        assert found - found[0] == pytest.approx(np.array(wanted) - wanted[0], abs=1e-9), on_hand


def test_what_has_no_unit_cost_counts_nothing_at_the_end():
    paths = np.where(np.arange(14) < 4, 2.0, 0.0)[None, :].repeat(3, axis=0)
    terms = {"lead": 3, "review": 5, "h": 0.0, "p": 3.0, "c": np.nan, "end": 4}
    tonight = ending_place(paths, terms, on_hand=30.0)
    fixed = Anchor(np.array([3.0]), np.array([1.0]), np.array([1.0]), np.zeros(1))
    found = worth(tonight, np.array([0]), Changes(np.array([[0.0, -9.0]]), np.zeros((1, 2), dtype=np.int64)), fixed)
    assert found[0, 0] == found[0, 1]


def test_the_end_beyond_the_forecast_goes_on_at_its_rate():
    paths = np.full((1, 2, 10), 3.0)
    terms = {"lead": 2, "review": 3, "h": 0.0, "p": 3.0, "c": 1.0, "end": 14}
    for on_hand, left in ((40.0, 0.0), (50.0, 8.0)):
        found = Ending.of(Part.of(ending_place(paths[0], terms, on_hand=on_hand)), np.array([3.0]))
        assert found.lost.tolist() == [left]
    found = Ending.of(Part.of(ending_place(paths[0], terms, on_hand=30.0, comes=[(10, 20.0)])), np.array([3.0]))
    assert found.lost.tolist() == [8.0]


LEAD, REVIEW, LANE = 10, 7, 3


def two_places_of_which_one_ends(end=6, *, ends_there=np.inf, on_hand=(100.0, 0.0), **over):
    """P sells 3 a period up to its end, Q sells 5 a period; a lane leads from P to Q in 3 periods."""
    rng = np.random.default_rng(8)
    paths = rng.poisson(np.array([3.0, 5.0])[:, None, None], (2, 60, 60)).astype(float)
    last = np.array([end, ends_there])
    paths = np.where(np.arange(60) < last[:, None, None], paths, 0.0)
    given = {
        "lead_time": LEAD, "review_period": REVIEW, "holding_cost": 0.01, "shortage_cost": 5.0, "unit_cost": 4.0,
    }  # fmt: skip
    return network(
        paths, places="PQ", on_hand=np.array(on_hand), ways=lanes(("P", "Q", LANE, 0.1, 0.0, 0.0)), sold_for=last,
        sales=[3.0, 5.0], **given | over,
    )  # fmt: skip


def cost_of_sending(paths, sent, ordered):
    """Replay what is sent and ordered: lost sales, holding, what is left at P bought for nothing."""
    n = paths.shape[1]
    p, q, cost = np.full(n, 100.0 - sent), np.zeros(n), np.zeros(n)
    for t in range(LEAD + REVIEW):
        q = q + sent * (t == LANE) + ordered * (t == LEAD)
        missed = np.maximum(paths[1, :, t] - q, 0.0)
        q = np.maximum(q - paths[1, :, t], 0.0)
        if t < 6:
            missed += np.maximum(paths[0, :, t] - p, 0.0)
            p = np.maximum(p - paths[0, :, t], 0.0)
            cost += 0.01 * p
        cost += 5.0 * missed + 0.01 * q
    return float((cost + 4.0 * p).mean()) + sent * (0.1 + 0.01 * LANE)


def test_what_a_place_cannot_sell_before_its_end_is_sent_to_where_it_is_sold():
    tonight = two_places_of_which_one_ends()
    moved = propose(tonight)
    (sent,) = moved.transfers.quantity
    paths = tonight.demand.paths()
    least = {many: min(cost_of_sending(paths, many, order) for order in range(60)) for many in range(60, 101)}
    assert sent == min(least, key=least.get) > 75
    assert moved.transfers.saving[0] == pytest.approx(
        min(cost_of_sending(paths, 0, order) for order in range(80)) - least[int(sent)]
    )
    keeps = propose(two_places_of_which_one_ends(unit_cost=np.nan)).transfers.quantity.sum()
    assert keeps < sent, "without a price nothing is lost"


@pytest.mark.parametrize(
    "over",
    [
        {},
        {"ends_there": 17.0},
        pytest.param({"end": 9, "ends_there": 9.0}, marks=pytest.mark.slow),
        pytest.param({"end": 0}, marks=pytest.mark.slow),
    ],
)
def test_planning_again_after_the_transfers_of_what_ends_moves_and_orders_nothing(over):
    tonight = two_places_of_which_one_ends(**over)
    moved = propose(tonight)
    after = replace(tonight, state=moved.state)
    assert len(moved.transfers) == 1
    assert not len(propose(after).transfers)
    quantity = plan("auto", after, next_review=reviews(after)).plan.order_quantity
    placed = after_ordering(after, quantity)
    assert not len(propose(placed).transfers)
    assert not plan("auto", placed, next_review=reviews(placed)).plan.order_quantity.any()


@pytest.mark.parametrize("pack", [0.0, 8.0])
def test_a_place_that_ends_receives_no_more_than_it_can_sell(pack):
    """What comes at the start of period 3 can be sold in what is left of 8, at Q; the rest keeps at P."""
    ways = lanes(("P", "Q", LANE, 0.0, 0.0, pack))
    for on_hand in (0.0, 20.0):
        tonight = two_places_of_which_one_ends(
            np.inf, ends_there=8.0, on_hand=(900.0, on_hand), holding_cost=0.0
        )  # fmt: skip
        tonight = replace(tonight, shared=replace(tonight.shared, lanes=ways))
        received = float(propose(tonight).transfers.quantity.sum())
        paths = tonight.demand.paths()[1]
        lies = np.maximum(on_hand - np.cumsum(paths, axis=1)[:, LANE - 1], 0.0)
        sold = paths[:, LANE:8].sum(axis=1) - lies
        assert 0 < received <= np.quantile(sold, 5.0 / (5.0 + 4.0), method="higher") + pack
    late = two_places_of_which_one_ends(np.inf, ends_there=3.0, on_hand=(900.0, 0.0))
    assert not len(propose(late).transfers), "it would come when nothing is sold any more"


def test_a_warehouse_keeps_what_a_later_shipment_can_still_bring_and_sends_what_would_be_lost():
    """4 days of sales are left at A after tonight's shipment arrives; the next one comes in time, or too late."""

    def sent(end, wait, own=None):
        rng = np.random.default_rng(3)
        paths = np.where(np.arange(30) < end, rng.poisson(np.array([2.0, 0.0])[:, None, None], (2, 60, 30)), 0.0)
        tonight = fed_network(
            paths, places="A", lane=1, lead_time=20, review_period=np.array([wait, wait]), holding_cost=0.01,
            shortage_cost=5.0, unit_cost=4.0, on_hand=np.array([0.0, 60.0]), sales=[2.0, 0.0],
            sold_for=np.array([end, end if own is None else own], dtype=float),
        )  # fmt: skip
        day = paths[0, :, 1 : int(min(end, 30))].sum(axis=1)
        return float(propose(tonight).transfers.quantity.sum()), day

    in_time, sold = sent(5, 2)
    assert 0 < in_time < np.quantile(sold, 0.8)
    too_late, sold = sent(5, 9)
    assert too_late == sold.max(), "what nobody can sell later either is worth any chance of a sale"
    assert sent(5, 9, own=np.inf)[0] == too_late, "the warehouse itself sells nothing"
    assert sent(np.inf, 9, own=0.0)[0] < 60, "what the place still sells is not lost"
