"""Nights in which stock is moved and bought at once, with suppliers' terms, price breaks and rooms."""

from dataclasses import replace

import numpy as np

from stockcast.inventory import PriceBreak, SharedTerms, SupplierTerms
from transfer_case import drawn_network


def night(seed):
    """Draw one: places with lanes between them, lines of two suppliers, and rooms that bind or not."""
    rng = np.random.default_rng(seed + 90_000)
    places = "ABC" if rng.random() < 0.7 else "AB"
    drawn = drawn_network(
        seed, skus=int(rng.integers(2, 5)), places=places, dear=float(rng.choice([0.0, 0.0, 2.0])),
        packs=[(0, 0, 3), (0,), (0, 6, 4)][int(rng.integers(0, 3))], backorder=bool(rng.random() < 0.4),
    )  # fmt: skip
    n = len(drawn.terms.series)
    kind = rng.choice([0, 0, 0, 1, 2], n)
    terms = drawn.terms.replace(
        supplier=rng.choice(["a", "b"], n),
        volume=rng.integers(1, 9, n) / 8.0,
        unit_cost=np.round(rng.uniform(0.5, 8, n), 2),
        moq=rng.choice([0.0, 0.0, 12.0], n),
        min_stock=rng.choice([0.0, 0.0, 3.0], n),
        max_order=rng.choice([np.inf, np.inf, 48.0], n),
        objective=kind,
        target=np.where(kind > 0, rng.choice([0.8, 0.95], n), 0.0),
        at_review=rng.random(n) < 0.9,
    )
    terms = terms.replace(first_review=np.where(terms.at_review, 0, rng.integers(1, 3, n)))
    demand = drawn.demand.paths().mean(axis=(1, 2)) * terms.review_period
    suppliers = []
    for name in ("a", "b"):
        worth = float((demand * terms.unit_cost)[terms.supplier == name].sum())
        breaks = sorted({round(worth * share, 2) for share in rng.choice([0.4, 1.0, 1.6, 3.0], 2).tolist()})
        suppliers.append(
            SupplierTerms(
                name,
                order_cost=float(rng.choice([0, 0, 5])),
                min_order_value=round(worth * float(rng.choice([0.0, 0.0, 0.8])), 2),
                price_breaks=tuple(
                    PriceBreak(value, off) for value, off in zip(breaks, (0.03, 0.08), strict=False) if value > 0
                )
                if rng.random() < 0.6
                else (),
            )
        )
    room = {}
    for place in places:
        here = terms.series.location == place
        lies = float(((drawn.state.on_hand + drawn.state.on_order) * terms.volume)[here].sum())
        if rng.random() < 0.5:
            need = float((demand * terms.volume)[here].sum())
            room[place] = round(
                float(rng.choice([1.0, 1.02, 1.2])) * lies + float(rng.choice([0.0, 0.5, 2.0])) * need, 2
            )
    shared = SharedTerms(
        tuple(suppliers),
        unmet_demand=drawn.shared.unmet_demand,
        budget=None if rng.random() < 0.7 else round(float((demand * terms.unit_cost).sum()) * 0.6, 2),
        storage=room,
        lanes=drawn.shared.lanes,
    )
    return replace(drawn, terms=terms, shared=shared)
