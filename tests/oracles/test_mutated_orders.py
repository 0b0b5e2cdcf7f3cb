"""Valid orders are broken in many ways: the checker refuses every one, names the rule, and refuses no valid one."""

from dataclasses import replace

import numpy as np
import pytest

from planning_case import reviews
from stockcast.policies import OrderLines, check_lines, plan
from whole_case import whole


def lines_of(situation, quantity):
    """The order lines of some quantities, as a run would publish them."""
    terms = situation.terms
    rows = np.flatnonzero(quantity != 0)
    start = np.datetime64(situation.demand.time.start, "D")
    pack = np.where(terms.pack_size > 0, terms.pack_size, 1.0)
    value = quantity * terms.unit_cost
    return OrderLines(
        terms.series.sku[rows], terms.series.location[rows], terms.supplier[rows], quantity[rows],
        (quantity / pack)[rows], value[rows], np.full(len(rows), start),
        start + terms.lead_time[rows] * np.timedelta64(1, "D"), float(value[rows].sum()),
    )  # fmt: skip


def with_quantity(row, units):
    def mutate(situation, quantity):
        out = quantity.copy()
        out[row] = units
        return lines_of(situation, out), out

    return mutate


def with_lines(**columns):
    def mutate(situation, quantity):
        return replace(lines_of(situation, quantity), **columns), quantity

    return mutate


def mutations(situation, quantity, rng):
    """Give (rule that must be named, mutation) for every kind that can be tried on this plan."""
    yield from of_quantities(situation, quantity, rng)
    yield from of_whole_orders(situation, quantity, rng)
    yield from of_lines(situation, quantity, rng)


def some_of(rng, which):
    found = np.flatnonzero(which)
    return int(rng.choice(found)) if len(found) else None


def of_quantities(situation, quantity, rng):
    terms, shared = situation.terms, situation.shared
    row = int(rng.choice(np.flatnonzero(quantity > 0)))

    def some(which):
        return some_of(rng, which)

    ordered, pack = quantity > 0, terms.pack_size
    if (r := some(ordered & (pack > 1))) is not None:
        yield "pack", with_quantity(r, quantity[r] + pack[r] / 2)
    if (r := some(ordered & (terms.moq > np.maximum(pack, 1)))) is not None:
        yield "moq", with_quantity(r, terms.moq[r] - max(pack[r], 1.0))
    if (r := some(ordered & np.isfinite(terms.max_order))) is not None:
        yield "max_order", with_quantity(r, terms.max_order[r] + max(pack[r], 1.0))
    yield "negative", with_quantity(row, -quantity[row])
    yield "number", with_quantity(row, np.nan)
    if (r := some(~terms.at_review & terms.orderable)) is not None:
        yield "review", with_quantity(r, max(terms.moq[r], pack[r], 1.0))
    if (r := some(~terms.orderable)) is not None:
        yield "not_orderable", with_quantity(r, max(terms.moq[r], pack[r], 1.0))
    if shared.budget is not None:
        step = max(pack[row], 1.0)
        beyond = np.ceil((shared.budget / terms.unit_cost[row] + 1) / step) * step
        yield "budget", with_quantity(row, beyond)
    if shared.storage:
        step = max(pack[row], 1.0)
        yield "storage", with_quantity(row, np.ceil((shared.storage["main"] / terms.volume[row] + 1) / step) * step)


def of_whole_orders(situation, quantity, rng):
    terms, ordered, pack = situation.terms, quantity > 0, situation.terms.pack_size
    for one in situation.shared.suppliers:
        mine = ordered & (terms.supplier == one.supplier)
        r = some_of(rng, mine)
        if r is None:
            continue
        few = np.where(mine, 0.0, quantity)
        few[r] = max(terms.moq[r], pack[r], 1.0)
        units = few[r]
        least = (one.min_order_value, one.min_order_units, one.min_order_weight)
        if any(units * use < m for use, m in zip((terms.unit_cost[r], 1.0, terms.weight[r]), least, strict=True)):
            yield "supplier_minimum", lambda s, q, few=few: (lines_of(s, few), few)
        loads = [
            units * use / size
            for use, size in ((terms.volume[r], one.truck_volume), (terms.weight[r], one.truck_weight))
            if size > 0
        ]
        if loads and max(loads) < one.truck_min_fill * np.ceil(max(loads)):
            yield "truck", lambda s, q, few=few: (lines_of(s, few), few)


def of_lines(situation, quantity, rng):
    pack = situation.terms.pack_size
    lines, rows = lines_of(situation, quantity), np.flatnonzero(quantity > 0)
    at = int(rng.integers(len(rows)))
    row = int(rows[at])

    def bumped(column, by):
        out = column.copy()
        out[at] = out[at] + by
        return out

    other = np.where(np.arange(len(rows)) == at, "someone else", lines.supplier)
    yield "supplier", with_lines(supplier=other)
    yield "date", with_lines(order_date=bumped(lines.order_date, np.timedelta64(1, "D")))
    yield "receipt", with_lines(receipt_date=bumped(lines.receipt_date, np.timedelta64(-1, "D")))
    yield "packs", with_lines(packs=bumped(lines.packs, 1.0))
    yield "value", with_lines(value=bumped(lines.value, 0.01))
    yield "total", with_lines(total=lines.total * 1.001 + 0.01)
    keep = np.arange(len(rows)) != at
    columns = [name for name in OrderLines.__dataclass_fields__ if name != "total"]
    short = {name: getattr(lines, name)[keep] for name in columns}
    yield "missing", with_lines(**short, total=float(np.nansum(short["value"])))
    twice = {name: np.append(getattr(lines, name), getattr(lines, name)[at]) for name in columns}
    yield "double", with_lines(**twice)
    yield "series", with_lines(sku=np.where(np.arange(len(rows)) == at, "no such item", lines.sku))
    yield "quantity", lambda s, q: (lines_of(s, with_quantity(row, q[row] + max(pack[row], 1.0))(s, q)[1]), q)


def refused(seeds, wanted):
    """Break plans until so many were broken; give how often each rule was named."""
    named = {}
    for seed in seeds:
        situation = whole(seed)
        made = plan("auto", situation, next_review=reviews(situation))
        quantity = made.plan.order_quantity
        if not quantity.any():
            continue
        assert check_lines(situation, lines_of(situation, quantity), quantity, made.held) == (), seed
        for rule, mutate in mutations(situation, quantity, np.random.default_rng(seed)):
            lines, planned = mutate(situation, quantity)
            found = {v.rule for v in check_lines(situation, lines, planned, made.held)}
            assert rule in found, (seed, rule, found)
            named[rule] = named.get(rule, 0) + 1
        if sum(named.values()) >= wanted:
            return named
    raise AssertionError(f"only {sum(named.values())} plans were broken")


def test_sixty_broken_orders_are_refused_and_no_valid_one():
    assert len(refused(range(20), 60)) >= 12


@pytest.mark.slow
@pytest.mark.timeout(3000)
def test_a_thousand_broken_orders_of_every_kind_are_refused():
    named = refused(range(2000, 2300), 1000)
    assert len(named) >= 20
    assert min(named.values()) >= 3
