"""Valid transfers are broken in many ways: the checker refuses every one, names the rule, and refuses no valid one."""

from collections import Counter
from dataclasses import replace

import numpy as np
import pytest

from stockcast.policies import check_transfers, propose
from transfer_case import drawn_network, lanes, lines_of, two_places


def with_line(lines, at, **values):
    columns = {}
    for name, value in values.items():
        column = getattr(lines, name)
        column = column.astype("<U9") if column.dtype.kind == "U" else column.copy()
        column[at] = value
        columns[name] = column
    return replace(lines, **columns)


def mutations(situation, moved, lines, rng):
    """Give (rule that must be named, lines, stock after) for every kind that can be tried."""
    transfers, lanes, after = moved.transfers, situation.shared.lanes, moved.state
    at = int(rng.integers(0, len(transfers)))
    lane, pack = int(transfers.lane[at]), float(lanes.pack_size[transfers.lane[at]])
    spare = situation.state.on_hand[transfers.giver[at]] - situation.terms.min_stock[transfers.giver[at]]
    step = pack or 1.0
    much = float(np.floor(spare / step + 1) * step + step)
    units, cost = float(lines.quantity[at]), float(lanes.unit_cost[lane])

    def amount(quantity):
        return with_line(lines, at, quantity=quantity, packs=quantity / (pack or 1.0), value=quantity * cost)

    day = np.timedelta64(1, "D")
    yield "spare", amount(much), after
    yield "conserved", amount(units + step), after
    if pack > 1:
        yield "pack", amount(units + 1), after
    yield "packs", with_line(lines, at, packs=lines.packs[at] + 1), after
    yield "number", with_line(lines, at, quantity=-units), after
    yield "number", with_line(lines, at, quantity=np.nan), after
    yield "lane", with_line(lines, at, to_location=str(lines.from_location[at])), after
    yield "lane", with_line(lines, at, to_location="Z"), after
    yield "series", with_line(lines, at, sku="none"), after
    yield "date", with_line(lines, at, ship_date=lines.ship_date[at] + day), after
    yield "receipt", with_line(lines, at, receipt_date=lines.receipt_date[at] - day), after
    yield "unit_cost", with_line(lines, at, unit_cost=cost + 0.25), after
    yield "value", with_line(lines, at, value=units * cost + 1.0), after
    yield "order_cost", with_line(lines, at, order_cost_share=lines.order_cost_share[at] + 0.5), after
    twice = {name: np.append(getattr(lines, name), getattr(lines, name)[at]) for name in lines.__dataclass_fields__}
    yield "double", type(lines)(**twice), after
    rest = np.arange(len(transfers)) != at
    yield "conserved", type(lines)(**{n: getattr(lines, n)[rest] for n in lines.__dataclass_fields__}), after
    row = int(rng.integers(0, len(after.on_hand)))
    for name in ("on_hand", "pipeline", "backorders"):
        broken = getattr(after, name).copy()
        broken[row] += 1.0
        yield "conserved", lines, replace(after, **{name: broken})


def test_every_broken_transfer_is_refused():
    tried: Counter[str] = Counter()
    for seed in range(5):
        situation = drawn_network(seed, dear=2.0 if seed % 2 else 0.0, skus=2)
        movable = np.ones(len(situation.terms.series), dtype=bool)
        moved = propose(situation)
        if not len(moved.transfers):
            continue
        lines = lines_of(situation, moved.transfers)
        assert check_transfers(situation, lines, moved.state, movable) == ()
        for rule, broken, after in mutations(situation, moved, lines, np.random.default_rng(seed)):
            told = {one.rule for one in check_transfers(situation, broken, after, movable)}
            assert rule in told, (seed, rule, told)
            tried[rule] += 1
        held = movable.copy()
        held[moved.transfers.giver[0]] = False
        assert "movable" in {one.rule for one in check_transfers(situation, lines, moved.state, held)}
    assert sum(tried.values()) > 50
    assert set(tried) == {
        "spare", "conserved", "pack", "packs", "number", "lane", "series", "date", "receipt", "unit_cost", "value",
        "order_cost", "double",
    }  # fmt: skip


def test_decimal_stock_is_never_oversent():
    for units in (0.3, 0.29999999999, 0.7 - 0.4, 3.05, 2.9499999999999):
        for packs in (0.1, 0.0, 0.05):
            situation = two_places(
                [units, 0.0], ways=lanes(("A", "B", 0, 0.0, 0.0, packs)), sales=0.25, holding_cost=[5.0, 0.001]
            )
            moved = propose(situation)
            movable = np.ones(2, dtype=bool)
            assert len(moved.transfers) == 1
            assert check_transfers(situation, lines_of(situation, moved.transfers), moved.state, movable) == ()


def test_a_transfer_from_where_nothing_is_sent_now_is_refused():
    situation = two_places([50.0, 0.0])
    moved = propose(situation)
    lines, movable = lines_of(situation, moved.transfers), np.ones(2, dtype=bool)
    ways = replace(situation.shared.lanes, first_shipment=np.array([1]))
    closed = replace(situation, shared=replace(situation.shared, lanes=ways))
    assert {one.rule for one in check_transfers(closed, lines, moved.state, movable)} == {"calendar"}
    assert not len(propose(closed).transfers)


def test_a_transfer_that_does_not_fit_into_the_room_is_refused():
    situation = two_places([50.0, 0.0], volume=0.5)
    moved = propose(situation)
    lines, movable = lines_of(situation, moved.transfers), np.ones(2, dtype=bool)
    volume = float(lines.quantity[0]) * 0.5

    def told(room):
        tight = replace(situation, shared=replace(situation.shared, storage={"B": room}))
        return [one.rule for one in check_transfers(tight, lines, moved.state, movable)]

    assert told(volume) == []
    assert told(volume - 0.5) == ["room"]


@pytest.mark.parametrize("pack", [2.4, 1 / 3, 0.1])
def test_packs_without_a_last_decimal_are_whole(pack):
    situation = two_places([40.0, 0.0], ways=lanes(("A", "B", 1, 0.2, 0.0, pack)))
    movable = np.ones(2, dtype=bool)
    moved = propose(situation)
    assert len(moved.transfers)
    assert check_transfers(situation, lines_of(situation, moved.transfers), moved.state, movable) == ()
