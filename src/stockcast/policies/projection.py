"""The pipeline projected period by period: what is in stock when this order arrives, and what is needed after it.

Counting the future periods from 0 (``inventory.timing`` counts from 1), the order of a series at review arrives at the
start of period a = lead_time, and the next possible one at the start of n = review_period + lead_time. On each joint
path, with arrivals A and demand D, until a::

    lost sales   x ← max(x + A − D, min(x + A, 0))      backorders   x ← x + A − D

(the inner minimum keeps what is owed already; only new demand is lost). From a on, u units of this order and no other::

    N_k = Σ_{a≤t≤k} D_t − Σ_{a<t≤k} A_t − x_a      M_k = max_{a≤t≤k} N_t
    lost sales   unmet in a…k = (M_k − u)⁺,  stock at the end of k = max(u, M_k) − N_k
    backorders   stock at the end of k = u − N_k

which is the reflection of a path at zero (Asmussen 2003, ch. IX): the whole cost of every u follows from N and M.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import final

import numpy as np
from jaxtyping import Bool, Float, Int

from stockcast.core.arrays import freeze
from stockcast.core.errors import DataError
from stockcast.core.random import Stream
from stockcast.demand import SampledForecast
from stockcast.inventory import InventoryState, Situation, SupplyTerms

AT_ONCE = 2_000_000  # path × period cells of a batch: 16 MB an array


@final
@dataclass(frozen=True, slots=True)
class Part:
    """Some series of a situation without their past: what a decision needs, small enough to send to a worker.

    ``whole`` says where recorded sales and stock are whole numbers: such a series is ordered in whole units.
    """

    state: InventoryState
    demand: SampledForecast
    terms: SupplyTerms
    backorder: bool
    whole: Bool[np.ndarray, " series"]

    @classmethod
    def of(cls, situation: Situation, rows: np.ndarray | None = None) -> "Part":
        """Cut the part of some rows (all of them when left out) out of a situation."""
        rows = np.arange(len(situation.past.series)) if rows is None else rows
        sales, stock = situation.past.sales[rows], situation.state.on_hand[rows]
        return cls(
            situation.state.take(rows),
            situation.demand.take(rows),
            situation.terms.take(rows),
            situation.shared.unmet_demand == "backorder",
            (sales == np.floor(sales)).all(axis=1) & (stock == np.floor(stock)),
        )

    def take(self, rows: np.ndarray) -> "Part":
        """Give some series, by ascending row."""
        return Part(
            self.state.take(rows), self.demand.take(rows), self.terms.take(rows), self.backorder, self.whole[rows]
        )

    @property
    def step(self) -> Float[np.ndarray, " series"]:
        """Give the smallest step of a quantity: the pack, else one whole unit, else 0 (any real number)."""
        return np.where(self.terms.pack_size > 0, self.terms.pack_size, self.whole.astype(float))


@final
@dataclass(frozen=True, slots=True)
class Projection:
    """What the paths say about one order, period by period from its arrival to the next possible one's.

    Parameters
    ----------
    stock
        x_a: units in stock at the arrival of this order, without it; negative where demand waits.
    need, peak
        N_k and M_k of the module's docstring, one column a period from the arrival.
    inside
        Which columns lie before the next possible arrival.
    unmet_before
        Units of demand not served before the arrival: no order placed now changes them.
    unmet_before_open
        The same until the first open order arrives that comes before this one's arrival; 0 where none does. What
        transfers of tonight bring is supply, and no open order.
    window
        Demand of each period inside.
    later
        Units of open orders that arrive with or after the next possible order.
    demand, total
        Demand between the two arrivals, and over the whole protection interval.
    rate
        Mean demand a period after the protection interval, or of all periods where less than a review period is left;
        at least a tenth of the latter, so that the value of what is left stays within reason when demand ends. Of the
        periods in which it is still sold, where an end is known.
    mine
        Units of this very order that stand in the pipeline already: taken out, to be decided as a whole.
    life
        Periods from the arrival in which what arrives can be sold: its shelf life, or what is left until the end of its
        sale; infinite where it keeps, and no end is known.
    in_time
        Demand of these periods; where they last to the end of its sale, what of it open orders that come later leave.
    last
        N and M at the end of the last period inside; −x_a where there is no period inside.
    """

    stock: Float[np.ndarray, "series path"]
    need: Float[np.ndarray, "series path period"]
    peak: Float[np.ndarray, "series path period"]
    inside: Bool[np.ndarray, "series path period"]
    window: Float[np.ndarray, "series path period"]
    unmet_before: Float[np.ndarray, "series path"]
    unmet_before_open: Float[np.ndarray, "series path"]
    later: Float[np.ndarray, "series path"]
    demand: Float[np.ndarray, "series path"]
    total: Float[np.ndarray, "series path"]
    rate: Float[np.ndarray, " series"]
    mine: Float[np.ndarray, " series"]
    life: Float[np.ndarray, "series path"]
    in_time: Float[np.ndarray, "series path"]
    last: tuple[Float[np.ndarray, "series path"], Float[np.ndarray, "series path"]]

    def __post_init__(self) -> None:
        """Freeze the arrays."""
        freeze(self, **{name: getattr(self, name) for name in self.__dataclass_fields__ if name != "last"})


def lead_margin(terms: SupplyTerms) -> Int[np.ndarray, " series"]:
    """Give the periods by which a lead time that varies may miss its mean: 3 standard deviations, rounded up."""
    return np.ceil(3.0 * terms.lead_time_sd).astype(np.int64)


def require_horizon(situation: Situation) -> None:
    """Hold the forecast to the end of every protection interval that can be ordered for.

    Raises
    ------
    DataError
        If it ends before; the series are named.
    """
    terms = situation.terms
    reach = terms.reach
    decided = terms.orderable | np.append(terms.orderable, False)[terms.feeder]  # a warehouse decides for its places
    short = np.flatnonzero(decided & (reach > situation.demand.horizon))
    if len(short):
        raise DataError(
            f"the forecast ends after {situation.demand.horizon} periods, before the end of a protection interval",
            code="SC-P001",
            details=[
                f"{terms.series.sku[at]} at {terms.series.location[at]}: {reach[at]} periods "
                f"(lead time {terms.lead_time[at]}, review period {terms.review_period[at]})"
                for at in short[:5].tolist()
            ],
            help="forecast further, with forecast.horizon: auto",
        )


def arrivals(
    terms: SupplyTerms, stream: Stream, n_paths: int, horizon: int
) -> tuple[Int[np.ndarray, "series path"], Int[np.ndarray, "series path"]]:
    """Draw when this order and the next possible one arrive, as whole periods, on every path.

    A lead time that varies is the rounded normal, cut at 3 standard deviations and at 0, drawn for each of the two
    orders by itself; the second never overtakes the first. Without variance both are fixed.
    """
    shape = (len(terms.series), n_paths)
    leads = [terms.lead_time[:, None]] * 2
    varies = np.flatnonzero(terms.lead_time_sd > 0)
    if len(varies):
        leads = [np.broadcast_to(lead, shape).copy() for lead in leads]
        from scipy.special import ndtri

        score = ndtri(stream.uniform(terms.series.keys[varies], (2, n_paths)) + 2.0**-54)
        margin = lead_margin(terms)[varies, None, None]
        centre = terms.lead_time[varies, None, None]
        drawn = np.rint(centre + terms.lead_time_sd[varies, None, None] * score).astype(np.int64)
        drawn = np.clip(drawn, np.maximum(centre - margin, 0), centre + margin)
        leads[0][varies], leads[1][varies] = drawn[:, 0], drawn[:, 1]
    first = terms.first_review[:, None]
    here = np.minimum(first + leads[0], horizon - 1)
    after = np.clip(first + terms.review_period[:, None] + leads[1], here, horizon)
    return np.broadcast_to(here, shape), np.broadcast_to(after, shape)


def project(part: Part, *, anew: bool = False) -> Projection:
    """Project the pipeline of some series whose windows are of one length (see :func:`batches`).

    Parameters
    ----------
    anew
        For an order of a later review, ``terms.first_review``: units are then counted from an inventory position of 0
        at that review, since what will lie there then is the outcome of orders that are still to be decided.
    """
    terms, state, horizon = part.terms, part.state, part.demand.horizon
    paths = part.demand.paths()
    n, n_paths, _ = paths.shape
    here, after = arrivals(terms, Stream(part.demand.stream.seed, "policies/lead_time"), n_paths, horizon)
    width = int(_window(part)[0])
    supply = np.zeros((n, horizon + 1))
    near = min(horizon, state.pipeline.shape[1])
    supply[:, :near] = state.pipeline[:, :near]
    supply[:, horizon] = state.pipeline[:, near:].sum(axis=1)
    own = np.minimum(terms.lead_time + terms.first_review, horizon)
    mine = np.minimum(terms.ordered_now, np.take_along_axis(supply, own[:, None], axis=1)[:, 0])
    supply[np.arange(n), own] -= mine

    stock, unmet, unmet_open = _anew(part, paths, here) if anew else _until(part, paths, supply, here)
    offset = here[:, :, None] + np.arange(width)[None, None, :]
    inside = offset < after[:, :, None]
    window, comes = _inside(paths, supply, here, inside)
    need = np.cumsum(window - comes, axis=2)
    need -= stock[:, :, None]
    peak = np.maximum.accumulate(need, axis=2)
    whole_interval = np.minimum(terms.protection_interval, horizon)
    until = np.arange(horizon)[None, :] < whole_interval[:, None]
    rate = _rate(paths.mean(axis=1), terms, whole_interval)
    life = np.minimum(terms.shelf_life[:, None], np.maximum(terms.sold_for[:, None] - here, 0.0))
    later = np.concatenate([np.cumsum(supply[:, ::-1], axis=1)[:, ::-1], np.zeros((n, 1))], axis=1)
    in_time = _in_time(paths, here, life, rate)
    if not anew:
        _beside_what_comes(in_time, part, paths, supply, here, rate)
    return Projection(
        stock=stock,
        need=need,
        peak=peak,
        inside=inside,
        window=window,
        unmet_before=unmet,
        unmet_before_open=unmet_open,
        later=np.where(after > here, np.take_along_axis(later, after, axis=1), np.take_along_axis(later, here + 1, 1)),
        demand=window.sum(axis=2),
        total=np.matmul(paths, until.astype(float)[:, :, None])[:, :, 0],
        rate=rate,
        mine=mine,
        life=life,
        in_time=in_time,
        last=(_last(need, inside, stock), _last(peak, inside, stock)),
    )


def _rate(
    means: Float[np.ndarray, "series period"], terms: SupplyTerms, interval: Int[np.ndarray, " series"]
) -> Float[np.ndarray, " series"]:
    """Give the mean demand a period after the protection interval, of the periods in which the series is sold."""
    n, horizon = means.shape
    at = np.arange(horizon)[None, :]
    end = np.where(terms.sold_for > 0, np.minimum(terms.sold_for, horizon), horizon)[:, None]
    sold = np.broadcast_to(at < end, (n, horizon))
    beyond = sold & (at >= interval[:, None])
    enough = end[:, 0] - interval >= terms.review_period
    beyond = np.where(enough[:, None], beyond, sold)
    least = 0.1 * (means * sold).sum(axis=1) / sold.sum(axis=1)
    return np.asarray(np.maximum((means * beyond).sum(axis=1) / beyond.sum(axis=1), least))


def _anew(part: Part, paths: np.ndarray, here: np.ndarray) -> tuple[np.ndarray, ...]:
    """Give what a position of 0 at the review comes to at the arrival, and no unmet demand: it is the time before."""
    total = np.concatenate([np.zeros((*paths.shape[:2], 1)), np.cumsum(paths, axis=2)], axis=2)
    begin = np.minimum(part.terms.first_review, paths.shape[2])
    before = np.take_along_axis(total, np.broadcast_to(begin[:, None, None], (*here.shape, 1)), axis=2)[:, :, 0]
    nothing = np.zeros(here.shape)
    return before - np.take_along_axis(total, here[:, :, None], axis=2)[:, :, 0], nothing, nothing.copy()


def _until(part: Part, paths: np.ndarray, supply: np.ndarray, here: np.ndarray) -> tuple[np.ndarray, ...]:
    """Walk to the arrival of this order; give the stock then, and what went unmet on the way."""
    n, n_paths, horizon = paths.shape
    stock = np.broadcast_to((part.state.on_hand - part.state.backorders)[:, None], (n, n_paths)).copy()
    unmet, unmet_open = np.zeros((n, n_paths)), np.zeros((n, n_paths))
    ordered = part.state.open_orders[:, :horizon]
    pending = np.zeros((n, horizon), dtype=bool)
    pending[:, : ordered.shape[1]] = (supply[:, : ordered.shape[1]] > 0) & (ordered > 0)
    opens = np.where(pending.any(axis=1), pending.argmax(axis=1), 0)
    first, last = here.min(axis=1), here.max(axis=1)
    for k in range(int(last.max(initial=0))):
        rows = np.flatnonzero(k < last)
        demand = paths[rows, :, k]
        before = stock[rows] + supply[rows, k, None]
        left = before - demand
        missed = np.maximum(demand - np.maximum(before, 0.0), 0.0)
        if not part.backorder:
            left = np.maximum(left, np.minimum(before, 0.0))
        if (first[rows] <= k).any():
            running = k < here[rows]
            left, missed = np.where(running, left, stock[rows]), np.where(running, missed, 0.0)
        stock[rows] = left
        unmet[rows] += missed
        waits = k < opens[rows]
        if waits.any():
            unmet_open[rows] += np.where(waits[:, None] & (opens[rows][:, None] < here[rows]), missed, 0.0)
    return stock + np.take_along_axis(supply, here, axis=1), unmet, unmet_open


def _inside(
    paths: np.ndarray, supply: np.ndarray, here: np.ndarray, inside: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Give demand, and what open orders bring, from this order's arrival on; 0 after the next one's."""
    horizon, width = paths.shape[2], inside.shape[2]
    offset = np.minimum(here[:, :, None] + np.arange(width)[None, None, :], horizon - 1)
    if (here == here[:, :1]).all() and (inside == inside[:, :1]).all():
        fixed, counts = offset[:, 0], inside[:, :1]
        window = np.zeros((*paths.shape[:2], width))
        for begin in np.unique(fixed[:, 0]).tolist():  # a slice for each lead time: nothing is gathered one by one
            rows, end = np.flatnonzero(fixed[:, 0] == begin), min(begin + width, horizon)
            window[rows, :, : end - begin] = paths[rows, :, begin:end]
        comes = np.take_along_axis(supply, fixed, axis=1)[:, None, :]
        if not counts.all():
            window, comes = np.where(counts, window, 0.0), np.where(counts, comes, 0.0)
    else:
        window = np.where(inside, np.take_along_axis(paths, offset, axis=2), 0.0)
        comes = np.where(inside, np.take_along_axis(supply[:, None, :], offset, axis=2), 0.0)
    comes[:, :, 0] = 0.0  # arrives together with this order: in the stock already
    return window, comes


def _last(values: np.ndarray, inside: np.ndarray, stock: np.ndarray) -> np.ndarray:
    """Give the values of the last period inside; −x_a where there is none."""
    if inside.all():
        found: np.ndarray = values[:, :, -1].copy()
        return found
    count = inside.sum(axis=2)
    found = np.take_along_axis(values, np.maximum(count - 1, 0)[:, :, None], axis=2)[:, :, 0]
    return np.where(count > 0, found, -stock)


def _in_time(paths: np.ndarray, here: np.ndarray, life: np.ndarray, rate: np.ndarray) -> np.ndarray:
    """Give the demand of the periods in which what arrives can be sold; infinite where it keeps."""
    n, n_paths, horizon = paths.shape
    found = np.full((n, n_paths), np.inf)
    rows = np.flatnonzero(np.isfinite(life).all(axis=1))
    if len(rows):
        total = np.concatenate([np.zeros((len(rows), n_paths, 1)), np.cumsum(paths[rows], axis=2)], axis=2)
        begin = here[rows]
        end = begin + life[rows].astype(np.int64)
        until = np.take_along_axis(total, np.minimum(end, horizon)[:, :, None], axis=2)[:, :, 0]
        before = np.take_along_axis(total, begin[:, :, None], axis=2)[:, :, 0]
        found[rows] = until - before + rate[rows, None] * np.maximum(end - horizon, 0)
    return found


def _beside_what_comes(
    in_time: np.ndarray, part: Part, paths: np.ndarray, supply: np.ndarray, here: np.ndarray, rate: np.ndarray
) -> None:
    """Take off what open orders that come after this one, and before the end of the sale, bring: the demand is theirs.

    Under lost sales it is the largest shortfall of the periods up to the end, M of the module's docstring, from x = 0.
    With backorders what comes after the end serves those who wait as well.
    """
    terms, horizon = part.terms, paths.shape[2]
    last = np.where(np.isfinite(terms.sold_for), terms.sold_for, 0.0).astype(np.int64)
    at = np.arange(horizon + 1)[None, :]
    in_time_for = (at < last[:, None]) | part.backorder
    comes = np.where((at > here.min(axis=1)[:, None]) & in_time_for & (terms.sold_for < np.inf)[:, None], supply, 0.0)
    rows = np.flatnonzero(comes.any(axis=1) & (last <= terms.shelf_life + here.min(axis=1)))
    for row in rows.tolist():
        begin, sold = here[row][:, None], at[:, :horizon] < last[row]
        brings = np.where(at > begin, comes[row], 0.0)
        wanted = np.where((at[:, :horizon] >= begin) & sold, paths[row], 0.0)
        beyond = rate[row] * max(int(last[row]) - horizon, 0) - brings[:, horizon]
        lack = np.cumsum(np.column_stack([wanted - brings[:, :horizon], beyond]), axis=1)
        found = lack[:, -1] if part.backorder else lack.max(axis=1)
        in_time[row] = np.where((here[row] < last[row]) | part.backorder, found, in_time[row])


def _window(part: Part) -> Int[np.ndarray, " series"]:
    terms, horizon = part.terms, part.demand.horizon
    found: np.ndarray = np.clip(np.minimum(terms.review_period, horizon) + 2 * lead_margin(terms), 1, horizon)
    return found


def batches(part: Part) -> Iterator[np.ndarray]:
    """Give rows in batches of one window length that fit in memory; how a series is computed depends on itself only."""
    width = _window(part)
    for length in np.unique(width).tolist():
        rows = np.flatnonzero(width == length)
        size = max(1, AT_ONCE // (part.demand.n_paths * max(length, part.demand.horizon)))
        for begin in range(0, len(rows), size):
            yield rows[begin : begin + size]
