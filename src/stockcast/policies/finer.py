"""More quantities of the lines that a budget or a room has moved: between the neighbours of what they were left with.

The candidates of a line (``policies.lines``) lie close around its own best. A line that a limit moves ends up further
down, where they are wide apart: whole packs that there is money and room for lie between two of them.
"""

from dataclasses import replace

import numpy as np
from jaxtyping import Bool, Float, Int

from stockcast.core.parallel import map_pieces
from stockcast.inventory import Situation
from stockcast.policies.echelon import bought
from stockcast.policies.lines import PIECE, TABLES, WORTH_A_POOL, Lines, tabled
from stockcast.policies.newsvendor import aim
from stockcast.policies.orderable import choose
from stockcast.policies.packs import counts, multiples
from stockcast.policies.projection import Part, batches

BETWEEN = 8  # evenly spread quantities between two neighbours
AWAY = (-2.0, -1.0, 1.0, 2.0)  # steps from where a line is


def between(
    found: Lines, chosen: Int[np.ndarray, " series"], rows: Int[np.ndarray, " some"]
) -> Float[np.ndarray, "some more"]:
    """Give admissible quantities between the neighbours of some lines' choices that are no candidates yet.

    They are whole steps: evenly spread ones, and those nearest to the choice. NaN stands where there is none, and for
    lines of any real quantity, whose candidates could always be closer.
    """
    quantity, now = found.quantity[rows], found.at(chosen)[rows][:, None]
    step = found.step[rows]
    low = np.where(quantity < now, quantity, -np.inf).max(axis=1, keepdims=True)
    high = np.where(quantity > now, quantity, np.inf).min(axis=1, keepdims=True)
    low, high = np.where(np.isfinite(low), low, now), np.where(np.isfinite(high), high, now)
    share = np.linspace(0.0, 1.0, BETWEEN + 2)[None, 1:-1]
    many = np.concatenate(
        [np.rint(counts(low + share * (high - low), step)), np.rint(counts(now, step)) + AWAY], axis=1
    )
    out = np.where(step[:, None] > 0, multiples(many, step), np.nan)
    fits = (out > low) & (out < high) & (out >= found.least[rows][:, None])
    near = np.isclose(out[:, :, None], quantity[:, None, :], rtol=1e-9, atol=0.0).any(axis=2)
    out = np.where(fits & ~near, out, np.nan)
    out = np.sort(out, axis=1)
    out[:, 1:] = np.where(out[:, 1:] == out[:, :-1], np.nan, out[:, 1:])
    return out


def with_more(
    found: Lines,
    situation: Situation,
    chosen: Int[np.ndarray, " series"],
    moved: Bool[np.ndarray, " series"],
    *,
    workers: int = 1,
) -> Lines:
    """Give the lines with more quantities between the neighbours of what was chosen; the same lines if there are none.

    Parameters
    ----------
    moved
        Which lines are to have more.
    """
    rows = np.flatnonzero(moved)
    some = between(found, chosen, rows)
    any_more = np.isfinite(some).any(axis=1)
    rows, some = rows[any_more], some[any_more]
    if not len(rows):
        return found
    wide = np.isfinite(some).any(axis=0)
    at = np.where(np.isfinite(some), some, found.at(chosen)[rows][:, None])[:, wide]
    pieces = (slice(begin, begin + PIECE) for begin in range(0, len(rows), PIECE))
    pool = workers if len(rows) > (WORTH_A_POOL - 1) * PIECE else 1
    told = map_pieces(_tables, ((Part.of(situation, rows[piece]), at[piece]) for piece in pieces), workers=pool)
    more = {name: np.concatenate([one[name] for one in told]) for name in TABLES}
    _as_warehouses(situation, rows, at, more)
    columns = {}
    for name in TABLES:
        table = getattr(found, name)
        added = np.repeat(table[:, :1], at.shape[1], axis=1)
        added[rows] = more[name]
        columns[name] = np.concatenate([table, added], axis=1)
    order = np.argsort(columns["quantity"], axis=1, kind="stable")
    columns = {name: np.take_along_axis(table, order, axis=1) for name, table in columns.items()}
    best = np.argmax(columns["quantity"] == found.at(found.chosen)[:, None], axis=1)
    return replace(found, chosen=best, **columns)


def _tables(piece: tuple[Part, np.ndarray]) -> dict[str, np.ndarray]:
    part, quantity = piece
    out = {name: np.empty(quantity.shape) for name in TABLES}
    for rows in batches(part):
        made = aim(part.take(rows))
        for name, values in tabled(made, choose(made), quantity[rows]).items():
            out[name][rows] = values
    return out


def _as_warehouses(situation: Situation, rows: np.ndarray, at: np.ndarray, more: dict[str, np.ndarray]) -> None:
    """Put the tables of warehouses that feed places in the place of what they would cost by themselves."""
    if not np.isin(rows, situation.terms.feeder[situation.terms.feeder >= 0]).any():
        return
    for some in bought(situation):
        mine = np.flatnonzero(np.isin(some.rows, rows))
        if not len(mine):
            continue
        place = np.searchsorted(rows, some.rows[mine])
        every = np.zeros((len(some.rows), at.shape[1]))
        every[mine] = at[place]
        for name, values in tabled(some.aim, choose(some.aim), every).items():
            more[name][place] = values[mine]
