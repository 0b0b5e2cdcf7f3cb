"""When what a warehouse orders goes on to the places that it feeds, by the days on which it ships."""

import numpy as np
from jaxtyping import Int

from stockcast.inventory import SupplyTerms
from stockcast.inventory.timing import FAR


def goes_on(terms: SupplyTerms) -> tuple[Int[np.ndarray, " series"], Int[np.ndarray, " series"]]:
    """Give the periods to the last shipment that each warehouse's first possible order goes with, and the next one's.

    The arrivals of both orders for all other lines, and for a warehouse that ships in every period; ``FAR`` where no
    shipment is known. Where both are the same, a later order is in time for that shipment, and this one decides about
    nothing there.

    Examples
    --------
    ``tests/unit/policies/test_words_of_warehouses.py`` has a warehouse that ships every two weeks.
    """
    first, following = terms.first_review + terms.lead_time, terms.protection_interval.copy()
    feeder = terms.feeder
    fed = np.flatnonzero(feeder >= 0) if terms.shipments.shape[1] else np.zeros(0, dtype=np.int64)
    ends = []
    for arrives in (first, following):
        found = arrives.copy()
        shipped = [int(terms.shipped_from(row, int(arrives[feeder[row]]))) for row in fed.tolist()]
        np.maximum.at(found, feeder[fed], np.array(shipped, dtype=np.int64))
        ends.append(np.minimum(found, FAR))
    return ends[0], ends[1]
