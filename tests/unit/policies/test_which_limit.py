"""Which limit a line names: one that it uses and that leaves no space for more of it, else its whole order's terms."""

from dataclasses import replace

import numpy as np
import pytest

from planning_case import case, reviews
from stockcast.core.axes import SeriesAxis
from stockcast.inventory import PriceBreak, SharedTerms, SupplierTerms
from stockcast.policies import plan
from stockcast.policies.coupling import Limit
from stockcast.policies.lines import lines
from stockcast.policies.moved import RANKED, moved_by_limits
from whole_case import whole


def at_two_places(**shared):
    """One sku at X and at Y, 5 a day for sure, with a price break that both together reach by buying ahead."""
    made = case(
        np.full((2, 8, 60), 5.0), review_period=7, holding_cost=0.005, unit_cost=4.0, volume=1.0,
        shared=SharedTerms((SupplierTerms("a", price_breaks=(PriceBreak(800.0, 0.2),)),), **shared),
    )  # fmt: skip
    axis = SeriesAxis(np.array(["s", "s"]), np.array(["X", "Y"]))
    parts = {name: replace(getattr(made, name), series=axis) for name in ("state", "terms")}
    demand = replace(made.demand, series=axis)
    panel = replace(made.past, series=axis, attributes=replace(made.past.attributes, series=axis))
    return replace(made, past=panel, demand=demand, **parts)


def test_a_line_at_a_place_without_a_room_names_none():
    situation = at_two_places(storage={"X": 50.0})
    free = plan("optimizer", at_two_places(), next_review=reviews(situation)).plan
    assert (free.order_quantity > 35).any()
    made = plan("optimizer", situation, next_review=reviews(situation))
    assert "room at Y" not in " ".join(made.plan.reason)
    assert made.plan.binding[1] != "storage"
    steps = [dict(made.waterfall.line(row)) for row in range(2)]
    assert "storage" not in steps[1]
    assert [float(sum(one.values())) for one in steps] == made.plan.order_quantity.tolist()


def asked(joined, final, limits, *, joined_by="truck", final_by="storage"):
    """What moved three lines of one order, whose next unit up to 40 saves, for limits of (use, left)."""
    situation = case(np.full((3, 8, 20), 5.0), review_period=7, holding_cost=0.1)
    found = lines(situation)
    table = np.tile(np.array([0.0, 10.0, 20.0, 30.0, 40.0]), (3, 1))
    columns = {name: np.zeros((3, 5)) for name in ("risk", "waste", "left")}
    found = replace(found, quantity=table, cost=-table, **columns)
    shared = [Limit(name, np.array(use, dtype=float), left) for name, (use, left) in limits.items()]
    return moved_by_limits(
        situation, found, shared, np.array(joined, dtype=float), np.array(final, dtype=float),
        np.full(3, joined_by, dtype="<U16"), np.full(3, final_by, dtype="<U16"),
    )  # fmt: skip


def test_a_limit_with_space_for_a_step_is_named_by_no_line_of_a_larger_order():
    bare, by = asked([40, 40, 40], [20, 20, 20], {"storage main": ([1, 0, 2], 75.0)})
    assert bare.tolist() == [20, 20, 40], "15 are left: a step of the first fits, and the second has no room"
    assert by[2] == "storage"


def test_the_budget_is_named_in_the_place_of_a_room_that_has_space():
    limits = {"budget": ([3, 3, 3], 185.0), "storage main": ([1, 1, 1], 100.0)}
    bare, by = asked([40, 40, 40], [20, 20, 20], limits)
    assert bare.tolist() == [40, 40, 40]
    assert by.tolist() == ["budget"] * 3


def test_nothing_of_an_order_that_does_not_fit_as_a_whole_names_the_limit():
    bare, by = asked([40, 40, 40], [0, 0, 0], {"storage main": ([1, 1, 1], 90.0)})
    assert bare.tolist() == [40, 40, 40]
    assert set(by.tolist()) == {"storage"}
    assert asked([40, 40, 40], [0, 0, 0], {"storage main": ([1, 1, 1], 130.0)})[0].tolist() == [0, 0, 0]


def test_lines_of_no_whole_order_and_those_of_a_ranking_keep_a_name():
    limits = {"budget": ([3, 3, 3], 185.0), "storage main": ([0, 1, 1], 100.0)}
    bare, by = asked([40, 40, 40], [20, 20, 20], limits, joined_by="", final_by="storage")
    assert bare.tolist() == [40, 40, 40]
    assert by.tolist() == ["budget"] * 3
    bare, by = asked([40, 40, 40], [0, 0, 0], {}, final_by=RANKED)
    assert (bare.tolist(), by.tolist()) == ([40, 40, 40], ["budget"] * 3)


@pytest.mark.parametrize("seed", range(12))
def test_every_cut_is_told_of_a_limit_that_the_line_uses_and_that_is_short(seed):
    situation = whole(seed)
    made = plan("optimizer", situation, next_review=reviews(situation))
    line, terms, shared = made.plan, situation.terms, situation.shared
    rooms = {"main": shared.storage.get("main", np.inf)}
    for row in np.flatnonzero(np.isin(line.binding, ["budget", "storage"])).tolist():
        steps = dict(made.waterfall.line(row))
        move = float(steps[str(line.binding[row])])
        assert move
        if line.binding[row] == "storage":
            assert terms.volume[row] > 0
            assert terms.series.location[row] in rooms
        else:
            assert shared.budget is not None
            spent = float(line.order_quantity @ terms.unit_cost)
            mine = terms.supplier == terms.supplier[row]
            if move < 0 and line.order_quantity[mine].any():
                assert spent - move * terms.unit_cost[row] > shared.budget


def test_a_truck_is_filled_to_nothing_at_least_by_no_words():
    paths = np.full((1, 8, 20), 1.0)
    terms = {"review_period": 7, "holding_cost": 0.1, "volume": 1.0, "shortage_cost": 2.0}
    for trucks, text in (
        ({"truck_cost": 99.0}, "a truck costs 99"), ({"truck_min_fill": 0.9}, "a truck is filled to 90% at least"),
    ):  # fmt: skip
        shared = SharedTerms((SupplierTerms("a", truck_volume=900.0, **trucks),))
        made = plan("optimizer", case(paths, shared=shared, **terms), next_review=reviews(case(paths)))
        (alert,) = [alert for alert in made.alerts if alert.code == "SC-P014"]
        assert alert.message.endswith(f"not ordered: {text}")


def test_an_order_that_its_own_costs_do_not_ask_for_has_one_reason():
    made = case(
        np.random.default_rng(2).poisson([[[0.2]], [[6.0]]], (2, 60, 60)), review_period=7, holding_cost=0.002,
        on_hand=[40.0, 0.0], order_cost=2.0, unit_cost=[2.0, 9.0], pack_size=1, max_order=[np.inf, 10.0],
        shared=SharedTerms((SupplierTerms("a", min_order_value=120.0),)),
    )  # fmt: skip
    line = plan("optimizer", made, next_review=reviews(made)).plan
    assert line.unconstrained_quantity[0] == 0 < line.order_quantity[0]
    assert "instead of 0 to reach the minimum of a" in line.reason[0]
    assert "ordering often" not in line.reason[0]
