"""Small planning situations for the tests of the policies."""

from dataclasses import replace

import numpy as np

from stockcast.core.axes import SeriesAxis, TimeAxis
from stockcast.core.random import Stream
from stockcast.demand import RecordedPaths, SampledForecast
from stockcast.inventory import InventoryState, SharedTerms, Situation, SupplierTerms, SupplyTerms
from stockcast.panel import Attributes, KnownFuture, Panel

KINDS = {
    "lead_time": int,
    "at_review": bool,
    "first_review": int,
    "review_period": int,
    "objective": int,
    "orderable": bool,
}
FREE = {
    "lead_time": 0, "lead_time_sd": 0.0, "at_review": True, "first_review": 0, "review_period": 1, "moq": 0.0,
    "pack_size": 0.0, "max_order": np.inf, "min_stock": 0.0, "unit_cost": 1.0, "order_cost": 0.0, "holding_cost": 1.0,
    "shortage_cost": 9.0, "objective": 0, "target": 0.0, "ordered_now": 0.0, "orderable": True,
}  # fmt: skip


def case(
    paths, *, on_hand=0.0, pipeline=None, shared=None, backorders=0.0, sales=1.0, supplier="a", step="day", **terms
):
    """Make a situation; ``paths`` is (series, path, horizon), every term a number or one a series."""
    paths = np.asarray(paths, dtype=float)
    n, n_paths, horizon = paths.shape
    axis = SeriesAxis(np.array([f"s{i:05d}" for i in range(n)]), np.full(n, "main"))
    time = TimeAxis(np.datetime64("2026-01-05"), 10, step)
    known = KnownFuture(time, np.full((n, 10), np.nan), np.zeros((n, 10)), 10)
    history = np.broadcast_to(np.asarray(sales, dtype=float), (n, 10)).copy()
    panel = Panel(axis, time, history, np.ones((n, 10), bool), np.ones((n, 10)), known, Attributes(axis, {}))

    def each(value, kind=float):
        return np.broadcast_to(np.asarray(value, dtype=kind), (n,)).copy()

    columns = {name: each(value, KINDS.get(name, float)) for name, value in {**FREE, **terms}.items()}
    names = np.broadcast_to(np.asarray(supplier, dtype="<U8"), (n,)).copy()
    pipe = np.zeros((n, horizon + 1)) if pipeline is None else np.asarray(pipeline, dtype=float)
    return Situation(
        panel,
        InventoryState(axis, each(on_hand), each(backorders), pipe),
        SampledForecast(axis, time.after(horizon), RecordedPaths(paths), Stream(7, "paths"), n_paths),
        SupplyTerms(axis, supplier=names, **columns),
        shared or SharedTerms(),
    )


def reviews(situation):
    return np.full(len(situation.past.series), np.datetime64("2026-01-20"), dtype="datetime64[D]")


def after_ordering(situation, quantity):
    """The same evening once the plan's orders stand among the open orders, dated in this period."""
    terms, shared = situation.terms, situation.shared
    suppliers = []
    for one in shared.suppliers:
        mine = terms.supplier == one.supplier
        suppliers.append(
            replace(
                one,
                committed_value=one.committed_value + float((quantity * np.nan_to_num(terms.unit_cost))[mine].sum()),
                committed_units=one.committed_units + float(quantity[mine].sum()),
                committed_weight=one.committed_weight + float((quantity * terms.weight)[mine].sum()),
                committed_volume=one.committed_volume + float((quantity * terms.volume)[mine].sum()),
            )
        )
    spent = float((quantity * np.nan_to_num(terms.unit_cost)).sum())
    return replace(
        situation,
        state=situation.state.with_order(quantity, terms.lead_time),
        terms=terms.replace(ordered_now=terms.ordered_now + quantity),
        shared=replace(shared, suppliers=tuple(suppliers), budget_used=shared.budget_used + spent),
    )


def drawn(seed, *, n=12, n_paths=60, horizon=24, coupled=True, backorder=False, objective=None):
    """Draw a situation with every kind of term."""
    rng = np.random.default_rng(seed)
    rate = rng.choice([0.0, 0.02, 0.2, 1.0, 6.0, 40.0], n)
    level = rng.gamma(3.0, 1 / 3.0, (n, n_paths, 1))
    paths = rng.poisson(rate[:, None, None] * level, (n, n_paths, horizon)).astype(float)
    lead, review = rng.integers(0, 6, n), rng.integers(1, 9, n)
    pipeline = (
        rng.integers(0, 8, (n, horizon + 1)) * (rng.random((n, horizon + 1)) < 0.06) * np.maximum(rate, 1)[:, None]
    )
    kind = rng.integers(0, 3, n) if objective is None else np.full(n, objective)
    shared = SharedTerms(
        tuple(
            SupplierTerms(
                name,
                order_cost=float(rng.choice([0, 5, 60])),
                min_order_value=float(rng.choice([0, 100, 700])),
                min_order_units=float(rng.choice([0, 30, 200])),
            )
            for name in ("a", "b", "c")
        )
        if coupled
        else (),
        unmet_demand="backorder" if backorder else "lost",
    )
    packs = rng.choice([0, 1, 4, 12], n).astype(float)
    moq = rng.choice([0, 0, 5, 24, 200], n).astype(float)
    moq = np.where(packs > 0, np.ceil(moq / np.where(packs > 0, packs, 1.0)) * packs, moq)
    return case(
        paths,
        on_hand=rng.integers(0, 40, n) * (rng.random(n) < 0.7),
        backorders=rng.integers(0, 5, n) * (rng.random(n) < 0.2),
        pipeline=np.round(pipeline),
        shared=shared,
        supplier=rng.choice(["a", "b", "c", ""], n),
        lead_time=lead,
        lead_time_sd=rng.choice([0.0, 0.0, 1.3], n),
        review_period=review,
        moq=moq,
        pack_size=packs,
        max_order=rng.choice([np.inf, np.inf, 240.0], n),
        min_stock=rng.choice([0.0, 0.0, 10.0], n),
        unit_cost=np.round(rng.uniform(0.5, 20, n), 2),
        order_cost=rng.choice([0.0, 0.0, 3.0, 40.0], n),
        holding_cost=rng.choice([0.0, 0.01, 0.1, 1.0], n),
        shortage_cost=rng.choice([0.0, 0.5, 4.0, 30.0], n),
        objective=kind,
        target=np.where(kind > 0, rng.choice([0.5, 0.9, 0.98], n), 0.0),
        at_review=rng.random(n) < 0.9,
        orderable=rng.random(n) < 0.95,
    )
