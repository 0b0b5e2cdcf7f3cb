"""Which limit moved a line that all share it with: one that the line uses, and that leaves no space for more of it."""

from collections.abc import Sequence

import numpy as np
from jaxtyping import Bool, Float, Shaped

from stockcast.inventory import Situation
from stockcast.policies.costs import NEAR
from stockcast.policies.coupling import REACHED, Limit
from stockcast.policies.lines import Lines

RANKED = "ranking"  # in the place of a limit's name, where the priority list was cut at a budget of its own


def moved_by_limits(
    situation: Situation,
    lines: Lines,
    shared: Sequence[Limit],
    joined: Float[np.ndarray, " series"],
    final: Float[np.ndarray, " series"],
    joined_by: Shaped[np.ndarray, " series"],
    final_by: Shaped[np.ndarray, " series"],
) -> tuple[Float[np.ndarray, " series"], Shaped[np.ndarray, " series"]]:
    """Give what each line would be without the limits that moved it, and the limit that did.

    A limit cuts a line where nothing larger that would save fits into what is left of it, or, where the line by itself
    saves nothing more, what its order asks of it does not; a whole order of which nothing is placed, where what it
    would be does not fit. A line may also be moved though no limit of its own is: its
    whole order is another one, since a limit cut other lines of it. Then the terms of the order move it, and it is
    ``final`` without its limits.

    Parameters
    ----------
    shared
        The limits, with what is left of each.
    joined, final
        With the supplier's terms, and within the limits.
    joined_by, final_by
        What moved a line to each of the two; the first is empty for a line of an order without terms, the second as
        the limit that weighs most.

    Returns
    -------
    joined, final_by
        The former with ``final`` where only the whole order's terms moved a line.

    Examples
    --------
    ``tests/unit/policies/test_which_limit.py`` has a room at one of two places, and a price break for both.
    """
    out, name = joined.copy(), np.where(final_by == RANKED, "budget", final_by)
    rows = np.flatnonzero((final != joined) & (final_by != RANKED))
    if not len(rows):
        return out, name
    _, owner = np.unique(situation.terms.supplier, return_inverse=True)
    empty = (np.bincount(owner, final > 0) == 0)[owner[rows]] & (joined_by[rows] != "")
    up, least = final[rows] > joined[rows], _least_more(lines, rows, joined[rows], final[rows])
    uses = {kind: np.zeros(len(rows), dtype=bool) for kind in ("budget", "storage")}
    stops = {kind: used.copy() for kind, used in uses.items()}
    for limit in shared:
        kind, use = "budget" if limit.name == "budget" else "storage", limit.use[rows]
        left = (limit.left - float((final * limit.use).sum())) * (1 + REACHED)
        asked = np.bincount(owner, joined * limit.use)[owner[rows]]
        full = np.where(empty, asked > left, least * use > left)
        uses[kind] |= use > 0
        stops[kind] |= (use > 0) & (up | full)
    first = name[rows]
    other = np.where(first == "budget", "storage", "budget")
    own_stops, other_stops = _of(stops, first), _of(stops, other)
    apart = ~own_stops & ~other_stops & (joined_by[rows] != "")
    second = ~own_stops & (other_stops | (~_of(uses, first) & _of(uses, other)))
    name[rows] = np.where(second, other, first)
    out[rows[apart]] = final[rows[apart]]
    return out, name


def _of(told: dict[str, Bool[np.ndarray, " line"]], name: Shaped[np.ndarray, " line"]) -> Bool[np.ndarray, " line"]:
    return np.where(name == "budget", told["budget"], told["storage"])


def _least_more(lines: Lines, rows: np.ndarray, joined: np.ndarray, final: np.ndarray) -> Float[np.ndarray, " line"]:
    """Give the smallest further units up to a line's wish that would save; the wish itself where none would."""
    table, cost = lines.quantity[rows], lines.cost[rows]
    here = cost[np.arange(len(rows)), np.argmax(table == final[:, None], axis=1)][:, None]
    saves = here - cost > NEAR * np.maximum(np.abs(here), np.abs(cost))
    more = np.where((table > final[:, None]) & (table <= joined[:, None]) & saves, table - final[:, None], np.inf)
    found = more.min(axis=1)
    return np.where(np.isfinite(found), found, joined - final)
