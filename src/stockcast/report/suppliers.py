"""Suppliers as the tables name them, where each place's order is a whole order of its own."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from jaxtyping import Shaped

from stockcast.core.findings import Alert


def bare_suppliers(
    order: Shaped[np.ndarray, " line"], location: Shaped[np.ndarray, " line"]
) -> Shaped[np.ndarray, " line"]:
    """Give the supplier of each line from the name of its order, ``supplier @ location`` or the supplier itself.

    Examples
    --------
    >>> bare_suppliers(np.array(["acme @ LYON", "acme"]), np.array(["LYON", "NICE"])).tolist()
    ['acme', 'acme']
    """
    pairs = zip(order.tolist(), location.tolist(), strict=True)
    return np.array([name.removesuffix(f" @ {place}") for name, place in pairs], dtype=np.str_)


def with_bare_suppliers(
    alerts: Sequence[Alert], order: Shaped[np.ndarray, " line"], location: Shaped[np.ndarray, " line"]
) -> list[Alert]:
    """Give alerts with the supplier, and the place where there is none yet, in the place of the name of an order."""
    known = dict(
        zip(order.tolist(), zip(bare_suppliers(order, location).tolist(), location.tolist(), strict=True), strict=True)
    )
    return [
        replace(alert, supplier=known[alert.supplier][0], location=alert.location or known[alert.supplier][1])
        if alert.supplier in known and known[alert.supplier][0] != alert.supplier
        else alert
        for alert in alerts
    ]
