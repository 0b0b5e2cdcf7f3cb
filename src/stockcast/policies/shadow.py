"""A naive plan beside the real one: the guardrail's independent estimate of what a night should cost."""

import numpy as np
from jaxtyping import Float

from stockcast.inventory import Situation

RECENT_DAYS = 56
ROOM = 1.5


def naive_shadow(situation: Situation) -> Float[np.ndarray, " series"]:
    """Order up to 1.5 × mean recent sales × protection interval, in whole packs and not below the MOQ.

    Recent sales are those of the last 56 days that were recorded and in stock, or closed. It knows neither the forecast
    nor costs, so that a fault in either shows as a difference. A warehouse orders for all that it feeds, up to the ends
    of their lanes.
    """
    past, terms = situation.past, situation.terms
    recent = max(RECENT_DAYS // past.time.days, 1)
    seen = past.settled[:, -recent:]
    count = seen.sum(axis=1)
    mean = np.where(count > 0, (past.sales[:, -recent:] * seen).sum(axis=1) / np.maximum(count, 1), 0.0)
    periods = np.minimum(terms.protection_interval, situation.demand.horizon)
    lacks = ROOM * mean * periods - situation.state.inventory_position
    feeder = terms.feeder
    fed = np.flatnonzero(feeder >= 0)
    reach = np.minimum(terms.reach, situation.demand.horizon)
    lacks += np.bincount(
        feeder[fed], weights=(ROOM * mean * reach - situation.state.inventory_position)[fed], minlength=len(mean)
    )
    wanted = np.maximum(lacks, 0.0)
    pack = np.where(terms.pack_size > 0, terms.pack_size, 1.0)
    some = np.maximum(np.ceil(wanted / pack - 1e-9) * pack, np.maximum(terms.moq - terms.ordered_now, 0.0))
    room = np.maximum(terms.max_order - terms.ordered_now, 0.0)
    return np.where((wanted > 0) & terms.at_review & terms.orderable, np.minimum(some, room), 0.0)
