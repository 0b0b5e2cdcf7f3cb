"""What must hold of any transfers, over many drawn situations."""

from dataclasses import replace

import numpy as np
import pytest

from planning_case import reviews
from stockcast.core.axes import SeriesAxis
from stockcast.inventory import Lanes
from stockcast.policies import plan, propose
from transfer_case import drawn_network, lanes, network, two_places

SEEDS = (2, 5)
FEW = (2, pytest.param(5, marks=pytest.mark.slow))


def told(situation, transfers):
    axis, ways = situation.terms.series, situation.shared.lanes
    return [
        (str(axis.sku[giver]), ways.name(lane), quantity)
        for giver, lane, quantity in zip(
            transfers.giver.tolist(), transfers.lane.tolist(), transfers.quantity.tolist(), strict=True
        )
    ]


def test_the_drawn_situations_do_move_stock():
    assert sum(len(propose(drawn_network(seed)).transfers) for seed in SEEDS) > 4


@pytest.mark.parametrize("backorder", [False, True])
@pytest.mark.parametrize("seed", FEW)
def test_stock_is_conserved_in_whole_packs_and_every_line_saves(seed, backorder):
    situation = drawn_network(seed, dear=3.0, backorder=backorder)
    moved = propose(situation)
    transfers, state, ways = moved.transfers, situation.state, situation.shared.lanes
    assert moved.state.inventory_position.sum() == pytest.approx(state.inventory_position.sum())
    assert (moved.state.on_hand == state.on_hand - transfers.sent).all()
    assert (transfers.sent <= state.on_hand).all()
    pack = np.where(ways.pack_size[transfers.lane] > 0, ways.pack_size[transfers.lane], 1.0)
    assert (transfers.quantity % pack == 0).all()
    skus = situation.terms.series.sku
    assert (skus[transfers.giver] == skus[transfers.receiver]).all()
    for lane in np.unique(transfers.lane).tolist():
        mine = transfers.lane == lane
        assert transfers.order_cost_share[mine].sum() == pytest.approx(ways.order_cost[lane])
        assert transfers.saving[mine].sum() > 0, "a shipment pays for itself"


@pytest.mark.parametrize("dear", [0.0, 3.0])
@pytest.mark.parametrize("seed", FEW)
def test_planning_again_moves_and_orders_nothing_more(seed, dear):
    situation = drawn_network(seed, dear=dear)
    moved = propose(situation)
    after = replace(situation, state=moved.state)
    assert told(after, propose(after).transfers) == []
    first = plan("auto", after, next_review=reviews(after)).plan.order_quantity
    placed = replace(
        after,
        state=after.state.with_order(first, after.terms.lead_time),
        terms=after.terms.replace(ordered_now=first),
    )
    assert told(placed, propose(placed).transfers) == []
    assert not plan("auto", placed, next_review=reviews(placed)).plan.order_quantity.any()


@pytest.mark.parametrize("seed", FEW)
def test_skus_by_themselves_and_lanes_in_any_order_move_the_same(seed):
    situation = drawn_network(seed)
    whole = told(situation, propose(situation).transfers)
    alone = []
    for sku in np.unique(situation.terms.series.sku).tolist():
        part = situation.take(np.flatnonzero(situation.terms.series.sku == sku))
        alone += told(part, propose(part).transfers)
    assert alone == whole
    assert told(situation, propose(situation, workers=2).transfers) == whole


def renamed(situation, names):
    """The same evening with the places called by other names, which sorts them in another way."""
    axis = situation.terms.series
    location = np.array([names[place] for place in axis.location.tolist()])
    order = np.lexsort((location, axis.sku))
    series = SeriesAxis(axis.sku[order], location[order])
    ways = situation.shared.lanes
    rows = [
        (names[ways.from_location[at]], names[ways.to_location[at]], int(ways.lead_time[at]),
         *(float(column[at]) for column in (ways.unit_cost, ways.order_cost, ways.pack_size)))
        for at in range(len(ways))
    ]  # fmt: skip
    panel, demand = situation.past, situation.demand
    past = replace(
        panel, series=series, sales=panel.sales[order], observed=panel.observed[order], in_stock=panel.in_stock[order],
        known=replace(panel.known, price=panel.known.price[order], promotion=panel.known.promotion[order]),
        attributes=replace(panel.attributes, series=series),
    )  # fmt: skip
    state = situation.state
    terms = {
        name: getattr(situation.terms, name)[order] for name in situation.terms.__dataclass_fields__ if name != "series"
    }
    return replace(
        situation,
        past=past,
        state=type(state)(series, state.on_hand[order], state.backorders[order], state.pipeline[order]),
        demand=replace(demand, series=series, source=type(demand.source)(demand.source.values[order])),
        terms=type(situation.terms)(series, **terms),
        shared=replace(situation.shared, lanes=lanes(*rows)),
    )


@pytest.mark.parametrize("seed", FEW)
def test_other_names_of_the_places_save_as_much(seed):
    situation = drawn_network(seed)
    other = renamed(situation, {"A": "z", "B": "m", "C": "b"})
    one, two = propose(situation).transfers, propose(other).transfers
    assert two.saving.sum() == pytest.approx(one.saving.sum(), rel=0.02)


def test_no_lane_nothing_moves():
    assert len(propose(two_places([50.0, 0.0], ways=Lanes())).transfers) == 0
    back = two_places([50.0, 0.0], ways=lanes(("B", "A", 1, 0.0, 0.0, 0.0)))
    assert len(propose(back).transfers) == 0


def test_no_difference_in_value_nothing_moves():
    free = lanes(("A", "B", 0, 0.0, 0.0, 0.0), ("B", "A", 0, 0.0, 0.0, 0.0))
    assert len(propose(two_places([9.0, 9.0], ways=free)).transfers) == 0


def test_stock_goes_where_it_is_missing_and_leaves_enough():
    moved = propose(two_places([50.0, 0.0]))
    (quantity,) = moved.transfers.quantity
    assert 3 < quantity < 46
    assert "4 days" not in moved.transfers.reason[0]
    assert "3 days before an order can arrive" in moved.transfers.reason[0]


def test_a_transfer_that_comes_with_the_order_is_not_worth_its_cost():
    late = two_places([12.0, 0.0], ways=lanes(("A", "B", 4, 0.2, 0.0, 0.0)))
    assert len(propose(late).transfers) == 0


def test_min_stock_backorders_and_what_cannot_be_moved_stay():
    assert propose(two_places([50.0, 0.0], min_stock=[48.0, 0.0])).transfers.quantity.sum() <= 2
    owed = two_places([8.0, 0.0], backorders=[6.0, 0.0])
    assert propose(owed).transfers.quantity.sum() <= 2
    for movable in ([False, True], [True, False]):
        assert len(propose(two_places([50.0, 0.0]), movable=np.array(movable)).transfers) == 0


@pytest.mark.parametrize("seed", [14, 16, 18, *(pytest.param(n, marks=pytest.mark.slow) for n in (13, 22, 29))])
def test_no_line_of_a_shipment_that_pays_shows_a_loss(seed):
    """A dear shipment of several skus is paid for by what they save, and their sum is that of the nets."""
    tonight = drawn_network(seed, skus=6, dear=8.0)
    made, cost = propose(tonight).transfers, tonight.shared.lanes.order_cost
    assert (made.saving >= 0).all()
    before = made.saving + made.order_cost_share
    for lane in np.unique(made.lane):
        mine = made.lane == lane
        assert made.order_cost_share[mine].sum() == pytest.approx(cost[lane])
        # by what each saves: the same part of all of them goes
        assert made.order_cost_share[mine] / before[mine] == pytest.approx(cost[lane] / before[mine].sum())
        assert f"{made.saving[mine][0]:.2f} is saved" in made.reason[mine][0]


def test_a_shipment_that_does_not_pay_is_told_and_not_sent():
    cheap = propose(two_places([50.0, 0.0]))
    saved = float(cheap.transfers.saving.sum())
    dear = propose(two_places([50.0, 0.0], ways=lanes(("A", "B", 1, 0.2, saved + 1.0, 0.0))))
    assert len(dear.transfers) == 0
    assert [(alert.code, alert.location) for alert in dear.alerts] == [("SC-P030", "B")]
    assert dear.alerts[0].value == pytest.approx(saved)
    pays = propose(two_places([50.0, 0.0], ways=lanes(("A", "B", 1, 0.2, saved - 0.1, 0.0))))
    assert pays.transfers.saving.sum() == pytest.approx(0.1)


def test_another_lane_takes_over_what_a_dear_one_would_carry():
    rng = np.random.default_rng(4)
    paths = np.repeat(rng.poisson(1.0, (1, 60, 14)).astype(float), 3, axis=0)
    ways = lanes(("A", "C", 1, 0.2, 9.0, 0.0), ("B", "C", 1, 0.25, 0.0, 0.0))
    moved = propose(
        network(
            paths, places="ABC", on_hand=[40.0, 40.0, 0.0], ways=ways, lead_time=4, review_period=5, holding_cost=0.02,
            shortage_cost=4.0,
        )
    )  # fmt: skip
    assert moved.transfers.lane.tolist() == [1]


@pytest.mark.parametrize(("room", "pack", "sent"), [(2.0, 0.0, 2.0), (5.9, 0.0, 5.0), (5.0, 3.0, 3.0), (2.5, 3.0, 0.0)])
def test_a_transfer_is_cut_to_the_packs_that_fit_into_the_room(room, pack, sent):
    situation = two_places([50.0, 0.0], volume=1.0, ways=lanes(("A", "B", 1, 0.2, 0.0, pack)))
    free = propose(situation).transfers
    tight = replace(situation, shared=replace(situation.shared, storage={"B": room}))
    moved = propose(tight)
    assert moved.transfers.quantity.sum() == sent
    left = float(free.quantity.sum()) - sent
    (alert,) = moved.alerts
    assert (alert.code, alert.location, alert.severity) == ("SC-P031", "B", "warning")
    assert alert.message.startswith(f"1 transfer of {left:g} units would save ")
    price = moved.prices["storage B"]
    told = "" if price == 0 else f"; one more unit of it would save {price:.4g}"
    assert alert.message.endswith(f", and does not fit into the room at B{told}")
    step = max(pack, 1.0)
    wider = propose(replace(tight, shared=replace(tight.shared, storage={"B": sent + step}))).transfers
    assert wider.quantity.sum() == sent + step
    assert price == pytest.approx(float(wider.saving.sum() - moved.transfers.saving.sum()) / step, rel=1e-6)
    assert price > 0
    assert not propose(situation).prices
    assert alert.value == pytest.approx(float(free.saving.sum() - moved.transfers.saving.sum()), rel=1e-6)
    if sent:
        (reason,) = moved.transfers.reason
        assert reason.endswith(f"; {left:g} more do not fit into the room there")
        alike = propose(two_places([50.0, 0.0], min_stock=[50.0 - sent, 0.0])).transfers
        assert moved.transfers.saving == pytest.approx(alike.saving), "what a smaller transfer saves"
    after = replace(tight, state=moved.state)
    assert not len(propose(after).transfers)


def test_what_is_cut_for_want_of_room_goes_where_there_is_some():
    rng = np.random.default_rng(4)
    paths = np.repeat(rng.poisson(1.0, (1, 60, 14)).astype(float), 3, axis=0)
    given = {"lead_time": 5, "review_period": 5, "holding_cost": 0.02, "shortage_cost": [4.0, 4.0, 3.0], "volume": 1.0}
    ways = lanes(("A", "B", 1, 0.2, 0.0, 0.0), ("A", "C", 1, 0.2, 0.0, 0.0))
    short = network(paths, places="ABC", on_hand=[9.0, 0.0, 0.0], ways=ways, **given)
    free = propose(short).transfers.received
    tight = propose(replace(short, shared=replace(short.shared, storage={"B": 1.0}))).transfers.received
    assert free[1] > 1.0 == tight[1]
    assert tight[2] > free[2]


def test_a_room_goes_to_what_is_worth_most_for_its_volume_and_several_that_do_not_fit_are_counted():
    rng = np.random.default_rng(3)
    paths = np.repeat(rng.poisson(1.0, (1, 60, 14)).astype(float), 6, axis=0)
    tonight = network(
        paths, places="AB", on_hand=[50.0, 0.0] * 3, ways=lanes(("A", "B", 1, 0.1, 0.0, 0.0)), lead_time=4,
        review_period=5, holding_cost=0.02, shortage_cost=4.0, volume=[2.0, 2.0, 1.0, 1.0, 4.0, 4.0],
        shared={"storage": {"B": 8.0}},
    )  # fmt: skip
    moved = propose(tonight)
    received = moved.transfers.received[1::2]
    assert received @ np.array([2.0, 1.0, 4.0]) <= 8.0
    assert received[1] > received[0] >= received[2] == 0.0
    (alert,) = moved.alerts
    assert "transfers of" in alert.message
    assert "do not fit into the room at B" in alert.message


def test_what_is_sent_off_makes_room_for_what_comes():
    tonight = network(
        np.random.default_rng(3).poisson(1.0, (4, 60, 14)).astype(float), places="AB", on_hand=[40.0, 0.0, 0.0, 40.0],
        ways=lanes(("A", "B", 1, 0.1, 0.0, 0.0), ("B", "A", 1, 0.1, 0.0, 0.0)), lead_time=4, review_period=5,
        holding_cost=0.02, shortage_cost=4.0, volume=1.0, shared={"storage": {"A": 40.0, "B": 40.0}},
    )  # fmt: skip
    moved = propose(tonight)
    assert len(moved.transfers) == 2
    lies = (moved.state.on_hand + moved.state.on_order).reshape(2, 2).sum(axis=0)
    assert (lies <= 40.0).all()


def test_what_an_order_of_this_period_brings_is_not_passed_on_and_what_could_be_spared_without_it_is():
    def sent(placed, earlier):
        pipeline = np.zeros((2, 15))
        pipeline[0, 1] = placed + earlier
        situation = two_places(
            [50.0, 0.0], lead_time=[1, 8], order_cost=[30.0, 0.0], pipeline=pipeline, ordered_now=[placed, 0.0]
        )
        return float(propose(situation).transfers.quantity.sum())

    assert sent(40.0, 0.0) == sent(0.0, 0.0) > 0.0
    assert sent(0.0, 40.0) > sent(0.0, 0.0), "an order of an earlier period is stock like any other"


def test_goods_on_the_way_cost_what_they_cost_where_they_lay():
    one, both = lanes(("A", "B", 3, 0.0, 0.0, 0.0)), lanes(("A", "B", 3, 0.0, 0.0, 0.0), ("B", "A", 3, 0.0, 0.0, 0.0))
    for ways in (one, both):
        moved = propose(two_places([30.0, 30.0], ways=ways, holding_cost=0.05))
        assert not len(moved.transfers), "no place is short: lorries are no rooms without a cost"


def test_goods_that_are_no_pieces_move_in_readable_parts():
    moved = propose(two_places([50.5, 0.0], sales=1.25))
    (quantity,) = moved.transfers.quantity
    assert quantity == round(quantity, 2)
    assert 3 < quantity < 46


def test_a_warehouse_shares_out_what_is_short_by_marginal_value_and_keeps_what_is_not_wanted():
    rng = np.random.default_rng(6)
    paths = rng.poisson(np.array([1.0, 1.0, 0.0])[:, None, None], (3, 60, 16)).astype(float)
    paths[1] = paths[0]
    ways = lanes(("W", "A", 1, 0.1, 0.0, 0.0), ("W", "B", 1, 0.1, 0.0, 0.0))

    def share(units, shortage_cost):
        situation = network(
            paths, places="ABW", on_hand=[0.0, 0.0, units], ways=ways, lead_time=5, review_period=5, holding_cost=0.02,
            shortage_cost=[*shortage_cost, 0.0], sales=[1.0, 1.0, 0.0], shared={"warehouses": ("W",)},
        )  # fmt: skip
        return propose(situation).transfers.received[:2].tolist()

    assert share(4.0, [3.0, 3.0]) == [2, 2]
    dear, cheap = share(4.0, [9.0, 1.0])
    assert dear > cheap
    assert dear + cheap == 4
    assert sum(share(200.0, [3.0, 3.0])) < 30, "what no place wants before it can order stays at the warehouse"


def test_a_shipment_that_no_longer_pays_for_want_of_room_stays():
    rng = np.random.default_rng(3)
    paths = np.repeat(rng.poisson(1.0, (1, 60, 14)).astype(float), 4, axis=0)
    ways = lanes(("A", "B", 1, 0.1, 10.0, 0.0))

    def moved(room):
        shared = {"storage": {"B": room}} if room else {}
        return propose(
            network(
                paths, places="AB", on_hand=[50.0, 0.0, 50.0, 0.0], ways=ways, lead_time=4, review_period=5,
                holding_cost=0.02, shortage_cost=4.0, volume=[1.0, 1.0, 1.0, 9.0], shared=shared,
            )
        )  # fmt: skip

    free = moved(0.0).transfers
    assert len(free) == 2
    each = float(free.saving.min() + 5.0)
    tight = moved(float(free.quantity[0]))
    assert len(tight.transfers) == (1 if each > 10.0 else 0)
    assert {alert.code for alert in tight.alerts} == {"SC-P031"}
    assert len(moved(1.0).transfers) == 0


def test_what_is_not_looked_at_is_told():
    far = two_places([50.0, 0.0], ways=lanes(("A", "B", 14, 0.2, 0.0, 0.0)))
    assert [alert.code for alert in propose(far).alerts] == ["SC-P034"]
    unpriced = two_places([50.0, 0.0], objective=1, target=0.9, holding_cost=0.0)
    assert [alert.code for alert in propose(unpriced).alerts] == ["SC-P033"]
    served = propose(two_places([50.0, 0.0], objective=1, target=0.9))
    assert len(served.transfers) == 1
