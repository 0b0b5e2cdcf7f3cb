"""Small situations that look several reviews ahead."""

import numpy as np

from planning_case import case
from stockcast.inventory import Outlook, SharedTerms, SupplierTerms

NEVER = np.datetime64("NaT", "D")


def outlook(situation, reviews, cost=None, *, closed_until=NEVER, changes=NEVER):
    """Give an outlook with the same reviews, and costs if any, for every series."""
    n, reviews = len(situation.terms.series), np.asarray(reviews, dtype=np.int64)
    costs = np.repeat(situation.terms.unit_cost[:, None], len(reviews), axis=1)
    if cost is not None:
        costs = np.broadcast_to(np.asarray(cost, dtype=float), costs.shape).copy()
    return Outlook(
        situation.terms.series, np.tile(reviews, (n, 1)), costs, np.full(n, closed_until), np.full(n, changes)
    )


def known(demand, *, more=3, n_paths=4, **terms):
    """Make a situation of lines whose demand is known, one period between reviews; ``demand`` is (series, period)."""
    demand = np.atleast_2d(np.asarray(demand, dtype=float))
    paths = np.zeros((len(demand), n_paths, demand.shape[1] + more))
    paths[:, :, : demand.shape[1]] = demand[:, None, :]
    return case(paths, **{"holding_cost": 1.0, "shortage_cost": 1e4, **terms})


def drawn_ahead(seed, *, n=6, n_paths=40, weeks=6, header=40.0, least=0.0, units=0.0, backorder=False, **terms):
    """Draw weekly reviews of some lines with Poisson demand."""
    rng = np.random.default_rng(seed)
    rate = rng.uniform(0.3, 4.0, n)
    paths = rng.poisson(rate[:, None, None], (n, n_paths, 7 * weeks + 10)).astype(float)
    shared = SharedTerms(
        (SupplierTerms("a", order_cost=header, min_order_value=least, min_order_units=units),),
        unmet_demand="backorder" if backorder else "lost",
    )
    given = {
        "on_hand": rng.integers(0, 20, n), "lead_time": 2, "review_period": 7, "pack_size": rng.choice([1.0, 4.0], n),
        "unit_cost": np.round(rng.uniform(1, 6, n), 2), "holding_cost": 0.03, "shortage_cost": 3.0, "shared": shared,
    }  # fmt: skip
    return case(paths, **{**given, **terms}), np.arange(weeks + 1) * 7
