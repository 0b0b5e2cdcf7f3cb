"""Situations with every kind of term that ties lines together, for the tests of whole orders and shared limits."""

from dataclasses import replace

import numpy as np

from planning_case import drawn
from stockcast.inventory import PriceBreak, SharedTerms, SupplierTerms


def whole(seed, *, n=14, plain_costs=True):
    """Draw a situation in which suppliers have weights, trucks and price breaks, and a budget and a room bind."""
    situation = drawn(seed, n=n, n_paths=40, coupled=False, backorder=bool(seed % 3 == 0))
    rng = np.random.default_rng(seed + 7_000)
    terms = situation.terms.replace(
        volume=rng.integers(1, 9, n) / 8.0,
        weight=rng.integers(1, 9, n) / 4.0,
        supplier=rng.choice(["a", "b", "c"], n),
        **({"lead_time_sd": np.zeros(n)} if plain_costs else {}),
    )
    demand = situation.demand.paths().mean(axis=(1, 2)) * terms.review_period
    suppliers = []
    for name in ("a", "b", "c"):
        mine = terms.supplier == name
        usual = {key: float((demand * use)[mine].sum()) for key, use in (
            ("value", terms.unit_cost), ("units", np.ones(n)), ("weight", terms.weight), ("volume", terms.volume),
        )}  # fmt: skip

        def some(key, *shares, usual=usual):
            return float(np.round(usual[key] * rng.choice(shares), 2))

        breaks = sorted({some("value", 0.5, 1.0), some("value", 1.5, 2.0)})
        suppliers.append(
            SupplierTerms(
                name,
                order_cost=float(rng.choice([0, 5, 40])),
                min_order_value=some("value", 0, 0, 0.7, 1.5),
                min_order_units=some("units", 0, 0, 0.7),
                min_order_weight=some("weight", 0, 0, 1.2),
                truck_volume=some("volume", 0, 0.3, 0.9),
                truck_weight=some("weight", 0, 0.5),
                truck_cost=float(rng.choice([0, 3, 20])),
                truck_min_fill=float(rng.choice([0, 0, 0.5, 0.8])),
                price_breaks=tuple(
                    PriceBreak(value, off) for value, off in zip(breaks, (0.02, 0.05), strict=False) if value > 0
                ),
            )
        )
    spend = float((demand * terms.unit_cost).sum())
    room = float((demand * terms.volume).sum())
    shared = SharedTerms(
        tuple(suppliers),
        unmet_demand=situation.shared.unmet_demand,
        budget=None if rng.random() < 0.4 else float(np.round(spend * rng.choice([0.3, 0.7, 1.5]))),
        storage={"main": float(np.round(room * rng.choice([1.0, 2.0, 5.0])))} if rng.random() < 0.6 else {},
    )
    return replace(situation, terms=terms, shared=shared)
