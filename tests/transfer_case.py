"""Small situations of one or more skus at several places with lanes between them."""

import numpy as np

from planning_case import FREE, KINDS
from stockcast.core.axes import SeriesAxis, TimeAxis
from stockcast.core.random import Stream
from stockcast.demand import RecordedPaths, SampledForecast
from stockcast.inventory import InventoryState, Lanes, SharedTerms, Situation, SupplyTerms
from stockcast.panel import Attributes, KnownFuture, Panel
from stockcast.policies import TransferLines
from stockcast.report.transfers import transfers_table


def lanes(*rows):
    """Make lanes from (from, to, lead time, unit cost, order cost, pack size), in any order."""
    begin, end, lead, unit, order, pack = zip(*sorted(rows), strict=True)
    costs = (np.array(column, dtype=float) for column in (unit, order, pack))
    return Lanes(np.array(begin), np.array(end), np.array(lead), *costs)


def network(
    paths, *, places, on_hand, ways, step="day", sales=1.0, pipeline=None, shared=None, backorders=0.0, **terms
):
    """Make a situation; ``paths`` is (series, path, horizon), by sku and then place, every term a number or one each."""
    paths = np.asarray(paths, dtype=float)
    n, n_paths, horizon = paths.shape
    skus = [f"s{at:03d}" for at in range(n // len(places))]
    axis = SeriesAxis(np.repeat(skus, len(places)), np.tile(sorted(places), len(skus)))
    time = TimeAxis(np.datetime64("2026-01-05"), 10, step)
    known = KnownFuture(time, np.full((n, 10), np.nan), np.zeros((n, 10)), 10)

    def each(value, kind=float):
        return np.broadcast_to(np.asarray(value, dtype=kind), (n,)).copy()

    history = np.repeat(each(sales)[:, None], 10, axis=1)
    panel = Panel(axis, time, history, np.ones((n, 10), bool), np.ones((n, 10)), known, Attributes(axis, {}))
    columns = {name: each(value, KINDS.get(name, float)) for name, value in {**FREE, **terms}.items()}
    pipe = np.zeros((n, horizon + 1)) if pipeline is None else np.asarray(pipeline, dtype=float)
    return Situation(
        panel,
        InventoryState(axis, each(on_hand), each(backorders), pipe),
        SampledForecast(axis, time.after(horizon), RecordedPaths(paths), Stream(7, "paths"), n_paths),
        SupplyTerms(axis, supplier=np.full(n, "a"), **columns),
        SharedTerms(lanes=ways, **(shared or {})),
    )


def drawn_network(seed, *, skus=2, places="ABC", dear=0.0, packs=(0, 0, 3), backorder=False, **over):
    """Draw a situation with lanes between all places."""
    rng = np.random.default_rng(seed)
    n, horizon = skus * len(places), 16
    rate = rng.choice([0.1, 0.5, 2.0], n)
    paths = rng.poisson(rate[:, None, None] * rng.gamma(3.0, 1 / 3.0, (n, 24, 1)), (n, 24, horizon))
    ways = [
        (one, other, int(rng.integers(0, 4)), float(rng.choice([0.0, 0.1, 0.5])), dear, float(rng.choice(packs)))
        for one in places
        for other in places
        if one != other
    ]
    terms = {
        "lead_time": rng.integers(0, 6, n),
        "review_period": rng.integers(1, 8, n),
        "holding_cost": rng.choice([0.01, 0.05], n),
        "shortage_cost": rng.choice([1.0, 4.0], n),
        "pack_size": rng.choice([0.0, 6.0], n),
        "order_cost": rng.choice([0.0, 0.0, 2.0], n) if seed % 2 else 0.0,
        "unit_cost": 2.0,
    }
    return network(
        paths,
        places=places,
        on_hand=rng.choice([0, 2, 8, 40], n).astype(float),
        ways=lanes(*ways),
        shared={"unmet_demand": "backorder" if backorder else "lost"},
        **{**terms, **over},
    )


def two_places(on_hand, *, ways=None, **terms):
    """Make one sku at two places with equal paths, and one lane from the first to the second."""
    rng = np.random.default_rng(1)
    paths = np.repeat(rng.poisson(1.0, (1, 60, 14)).astype(float), 2, axis=0)
    given = {"lead_time": 4, "review_period": 5, "holding_cost": 0.02, "shortage_cost": 4.0} | terms
    return network(
        paths,
        places="AB",
        on_hand=on_hand,
        ways=ways if ways is not None else lanes(("A", "B", 1, 0.2, 0.0, 0.0)),
        **given,
    )


def lines_of(situation, transfers):
    """The lines of transfers as a run would publish them."""
    table = transfers_table(transfers, situation)
    names = {"receipt_date": "expected_receipt_date", "value": "line_value"}
    return TransferLines(**{name: table[names.get(name, name)] for name in TransferLines.__dataclass_fields__})
