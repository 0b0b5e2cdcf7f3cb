"""Small situations of a warehouse and the places that it feeds."""

from dataclasses import replace

import numpy as np

from stockcast.inventory.timing import FAR
from transfer_case import lanes, network

WAREHOUSE = "W"


def fed_network(paths, *, places, lane=0, lane_cost=0.0, shipment=0.0, pack=0.0, **given):
    """Make a situation in which W feeds all ``places`` with every sku; ``paths`` by sku, then by place, W last.

    Terms are one for all, or one each; a place's lead time is its lane's, its review period that to the next shipment.
    """
    m, n = len(places), len(paths)
    skus = n // (m + 1)
    names = [*places, WAREHOUSE]
    assert names == sorted(names)
    far = np.broadcast_to(lane, (m,)).tolist()
    lead = np.broadcast_to(given.pop("lead_time", 2), (skus,))
    given["lead_time"] = np.concatenate([[*far, own] for own in lead.tolist()])
    given["orderable"] = np.tile(np.array([False] * m + [True]), skus)
    ways = lanes(*[(WAREHOUSE, p, far[i], lane_cost, shipment, pack) for i, p in enumerate(places)])
    made = network(paths, places=names, ways=ways, **given)
    fed = np.tile(np.array([WAREHOUSE] * m + [""]), skus)
    supplier = np.where(fed == WAREHOUSE, WAREHOUSE, "a")
    return replace(made, terms=made.terms.replace(fed_by=fed, supplier=supplier))


def closed(situation, wait):
    """The same evening where W ships in ``wait`` periods only: its places' reviews and its lanes wait for that."""
    terms, ways = situation.terms, situation.shared.lanes
    fed = terms.fed_by == WAREHOUSE
    waits = np.where(ways.from_location == WAREHOUSE, wait, 0)
    return replace(
        situation,
        terms=terms.replace(at_review=terms.at_review & ~fed, first_review=np.where(fed, wait, terms.first_review)),
        shared=replace(situation.shared, lanes=replace(ways, first_shipment=waits)),
    )


def sparse(situation, seed):
    """The same with a warehouse that ships in some periods only, drawn, perhaps not tonight."""
    rng = np.random.default_rng(seed + 900)
    terms, horizon = situation.terms, situation.demand.horizon
    known = np.flatnonzero(rng.random(horizon) < float(rng.choice([0.15, 0.4])))
    known = known if len(known) > 1 else np.array([1, 9])
    fed = terms.fed_by != ""
    shipments = np.where(fed[:, None], known[None, :], FAR)
    terms = terms.replace(
        shipments=shipments, at_review=np.where(fed, known[0] == 0, terms.at_review),
        first_review=np.where(fed, known[0], terms.first_review),
        review_period=np.where(fed, known[1] - known[0], terms.review_period),
    )  # fmt: skip
    ways = situation.shared.lanes
    waits = np.where(ways.from_location == WAREHOUSE, known[0], 0)
    return replace(situation, terms=terms, shared=replace(situation.shared, lanes=replace(ways, first_shipment=waits)))


def warehouses(situation):
    """The rows of the warehouse."""
    return np.flatnonzero(situation.terms.series.location == WAREHOUSE)


def received(situation, transfers):
    """The same evening once the transfers are on their way."""
    return replace(situation, state=transfers.after(situation.state, situation.shared.lanes))
