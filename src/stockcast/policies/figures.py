"""How numbers of units are written in sentences: estimates as a planner would, what is given or decided exactly."""

import numpy as np


def units_text(value: float) -> str:
    """Write a number of units as a planner would: whole from 10 on, one decimal below."""
    if not np.isfinite(value):
        return "none"
    rounded = round(float(value)) if abs(value) >= 10 else round(float(value), 1)
    return f"{rounded:g}" if abs(rounded) < 1e5 else f"{rounded:.0f}"


def exact_text(value: float) -> str:
    """Write a number of units that is given or decided on, and no estimate, to its last decimal.

    Examples
    --------
    >>> exact_text(16.8), exact_text(86.39999999999999), exact_text(1200000.0)
    ('16.8', '86.4', '1200000')
    """
    if not np.isfinite(value):
        return "none"
    return np.format_float_positional(float(f"{value:.12g}"), trim="-")


def ordered_text(quantity: float, pack: float) -> str:
    """Write what is ordered: whole packs to the last decimal, any real quantity as a planner would."""
    return exact_text(quantity) if pack > 0 else units_text(quantity)


def packed_text(quantity: float, packs: float, pack: float) -> str:
    """Write what is ordered or sent in whole packs, so that the product is what is written before it.

    Examples
    --------
    >>> packed_text(16.8, 7.0, 2.4), packed_text(7.0, 7.0, 1.0)
    ('16.8 (7 × 2.4)', '7')
    """
    if pack == 1:
        return units_text(quantity)
    return f"{exact_text(quantity)} ({exact_text(packs)} × {exact_text(pack)})"


def beside_text(value: float, quantity: float, pack: float) -> str:
    """Write an estimate beside what is ordered: with a decimal where that has decimals.

    Examples
    --------
    >>> beside_text(16.23, 16.8, 2.4), beside_text(44.3, 48.0, 12.0)
    ('16.2', '44')
    """
    return f"{round(float(value), 1):g}" if pack > 0 and quantity != np.rint(quantity) else units_text(value)
