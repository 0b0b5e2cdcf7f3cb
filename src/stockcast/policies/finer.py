"""More quantities of lines that do not get their own best: what the whole order asks of them, and between neighbours.

The candidates of a line (``policies.lines``) lie close around its own best. A line that a budget or a room moves ends
up further down, where they are wide apart: whole packs that there is money and room for lie between two of them. A
minimum, a price break or a truck may ask few lines for more than any candidate has.
"""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from jaxtyping import Bool, Float, Int

from stockcast.core.parallel import map_pieces
from stockcast.inventory import Situation
from stockcast.policies.costs import NEAR
from stockcast.policies.coupling import Goods, Order
from stockcast.policies.echelon import bought
from stockcast.policies.lines import PIECE, TABLES, WORTH_A_POOL, Lines, tabled
from stockcast.policies.newsvendor import aim
from stockcast.policies.orderable import Admissible, choose
from stockcast.policies.packs import counts, multiples
from stockcast.policies.projection import Part, batches

BETWEEN = 8  # evenly spread quantities between two neighbours
FEW = 12  # lines of an order up to which its terms may hang on one line's candidates
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
    return _once(np.where(fits & ~near, out, np.nan))


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
    return with_quantities(found, situation, rows, between(found, chosen, rows), workers=workers)


def with_asked(
    found: Lines, situation: Situation, every: Sequence[Order], goods: Goods, new: Bool[np.ndarray, " series"],
    *, workers: int = 1,
) -> Lines:  # fmt: skip
    """Give the lines of small orders with the quantities that the order's terms ask for.

    Each minimum, price break and truck gives each line two: what reaches it alone, and its share of what reaches it
    together, by expected demand. Orders of more than ``FEW`` lines have them only where no candidates reach a minimum.

    Parameters
    ----------
    new
        Lines of orders that are to have them; others keep their candidates.
    """
    at: dict[int, list[float]] = {}
    for order in every:
        rows = order.rows[new[order.rows] & (found.demand_mean[order.rows] > 0)]
        if not order.coupled or not len(rows):
            continue
        most = found.quantity[order.rows].max(axis=1)
        few = len(order.rows) <= FEW
        for use, amount, least in _amounts(order, goods):
            if amount <= 0 or not (few or (least and float(most @ use[order.rows]) < amount)):
                continue
            here, demand = use[rows], found.demand_mean[rows]
            able = np.flatnonzero(here > 0)
            share = amount * demand / max(float(here @ demand), 1e-300)
            for line in able.tolist():
                at.setdefault(int(rows[line]), []).extend((amount / float(here[line]), float(share[line])))
    rows = np.array(sorted(at), dtype=np.int64)
    if not len(rows):
        return found
    wanted = np.full((len(rows), max(len(some) for some in at.values())), np.nan)
    for line, row in enumerate(rows.tolist()):
        wanted[line, : len(at[row])] = at[row]
    step = found.step[rows]
    whole = multiples(np.ceil(counts(wanted, step) - NEAR), step)
    wanted = np.where(step[:, None] > 0, whole, wanted)
    terms = situation.terms
    top = Admissible.of(terms.take(rows), step, terms.ordered_now[rows]).most[:, None]
    wanted = np.clip(wanted, found.least[rows][:, None], np.maximum(top, found.least[rows][:, None]))
    known = np.isclose(wanted[:, :, None], found.quantity[rows][:, None, :], rtol=1e-9, atol=0.0).any(axis=2)
    return with_quantities(
        found, situation, rows, _once(np.where(known | (wanted > top), np.nan, wanted)), workers=workers
    )


def _amounts(order: Order, goods: Goods) -> list[tuple[np.ndarray, float, bool]]:
    """Give what counts towards each of an order's terms, how much of it is asked for, and whether it is a minimum."""
    ones = np.ones(len(goods.cost))
    found = [(goods.cost, order.value, True), (ones, order.units, True), (goods.weight, order.weight, True)]
    found += [(goods.cost, tier.value, False) for tier in order.tiers]
    trucks = order.trucks
    if trucks is not None:
        for use, size, loaded in (
            (goods.volume, trucks.volume, trucks.loaded_volume), (goods.weight, trucks.weight, trucks.loaded_weight),
        ):  # fmt: skip
            if size > 0:
                count = max(trucks.hired, 1)
                found.append((use, trucks.min_fill * count * size - loaded, True))
                found.append((use, count * size - loaded, False))
    return found


def _once(values: Float[np.ndarray, "some more"]) -> Float[np.ndarray, "some more"]:
    """Sort each row and leave NaN for what stands there already."""
    out = np.sort(values, axis=1)
    out[:, 1:] = np.where(out[:, 1:] == out[:, :-1], np.nan, out[:, 1:])
    return out


def with_quantities(
    found: Lines, situation: Situation, rows: Int[np.ndarray, " some"], some: Float[np.ndarray, "some more"],
    *, workers: int,
) -> Lines:  # fmt: skip
    """Put more candidates, NaN for none, into the tables of some lines; the same lines if there are none."""
    any_more = np.isfinite(some).any(axis=1)
    rows, some = rows[any_more], some[any_more]
    if not len(rows):
        return found
    wide = np.isfinite(some).any(axis=0)
    at = np.where(np.isfinite(some), some, found.at(found.chosen)[rows][:, None])[:, wide]
    pieces = (slice(begin, begin + PIECE) for begin in range(0, len(rows), PIECE))
    pool = workers if len(rows) > (WORTH_A_POOL - 1) * PIECE else 1
    told = map_pieces(_tables, ((Part.of(situation, rows[piece]), at[piece]) for piece in pieces), workers=pool)
    more = {name: np.concatenate([one[name] for one in told]) for name in TABLES}
    _as_warehouses(situation, rows, at, more)
    more["cost"] = more["cost"] + found.rebate[rows, None] * (more["left"] - found.left[rows, :1])
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
