"""Small situations of a warehouse and the places that it feeds."""

from dataclasses import replace

import numpy as np

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


def warehouses(situation):
    """The rows of the warehouse."""
    return np.flatnonzero(situation.terms.series.location == WAREHOUSE)


def received(situation, transfers):
    """The same evening once the transfers are on their way."""
    return replace(situation, state=transfers.after(situation.state, situation.shared.lanes))
