"""One period of the closed loop: a pure function from state, order and demand to the next state and its costs."""

from dataclasses import dataclass
from typing import final

import numpy as np
from jaxtyping import Float, Int

from stockcast.core.arrays import freeze
from stockcast.core.errors import InvariantError
from stockcast.inventory import InventoryState, SupplyTerms
from stockcast.inventory.terms import UnmetDemand


@final
@dataclass(frozen=True, slots=True)
class PeriodCosts:
    """What one period cost and moved, one entry a series.

    The cost of a whole order (a supplier's ``order_cost``, trucks) belongs to no line and is not counted here.

    Parameters
    ----------
    holding, shortage, order
        Money: on what is left at the period's end; per lost unit, or per unit backordered at the period's end; per
        order line.
    sold
        Units of this period's demand that were served at once.
    delivered
        Units of earlier backorders that were served.
    lost
        Units of this period's demand that went away; 0 with backorders.
    received
        Units that arrived.
    """

    holding: Float[np.ndarray, " series"]
    shortage: Float[np.ndarray, " series"]
    order: Float[np.ndarray, " series"]
    sold: Float[np.ndarray, " series"]
    delivered: Float[np.ndarray, " series"]
    lost: Float[np.ndarray, " series"]
    received: Float[np.ndarray, " series"]

    def __post_init__(self) -> None:
        """Freeze the arrays."""
        freeze(self, **{name: getattr(self, name) for name in self.__dataclass_fields__})

    @property
    def total(self) -> Float[np.ndarray, " series"]:
        """Give holding + shortage + order."""
        total: np.ndarray = self.holding + self.shortage + self.order
        return total


def step(
    state: InventoryState,
    order: Float[np.ndarray, " series"],
    arrival: Int[np.ndarray, " series"],
    demand: Float[np.ndarray, " series"],
    terms: SupplyTerms,
    unmet_demand: UnmetDemand,
) -> tuple[InventoryState, PeriodCosts]:
    """Run one period: receive → review and order → demand → costs (convention, rule 2).

    With stock x, backorders b, receipts r, order q and demand d::

        v = min(x + r, b)                       earlier backorders are served first
        s = min(x + r − v, d)                   then this period's demand
        x' = x + r − v − s
        lost sales:   b' = b − v                cost = h x' + p (d − s) + K [q > 0]
        backorders:   b' = b − v + d − s        cost = h x' + p b'      + K [q > 0]

    Parameters
    ----------
    state
        At the end of the period before: ``pipeline[:, k]`` arrives at the start of the k-th period from this one.
    order
        Units ordered in this period, ≥ 0.
    arrival
        Periods until the order arrives (its lead time); with 0 it serves this period's demand.
    demand
        Units asked for in this period, ≥ 0.
    terms
        Only the cost columns are used.

    Returns
    -------
    state, costs
        The state at the end of this period, its pipeline moved on by one; what the period cost.

    Raises
    ------
    InvariantError
        If an order or a demand is negative or not finite, or an order arrives beyond the pipeline's last column: that
        column holds everything later, so the order's arrival would be forgotten.

    Examples
    --------
    >>> from stockcast.core.axes import SeriesAxis
    >>> series = SeriesAxis(np.array(["a"]), np.array(["x"]))
    >>> one = np.ones(1)
    >>> terms = SupplyTerms(
    ...     series, supplier=np.array([""]), lead_time=np.array([1]), lead_time_sd=0 * one, at_review=one > 0,
    ...     first_review=np.array([0]), review_period=np.array([1]), moq=0 * one, pack_size=0 * one,
    ...     max_order=np.inf * one, min_stock=0 * one, unit_cost=one, order_cost=5 * one, holding_cost=one,
    ...     shortage_cost=4 * one, objective=np.array([0]), target=0 * one, ordered_now=0 * one, orderable=one > 0)
    >>> state = InventoryState(series, on_hand=3 * one, backorders=0 * one, pipeline=np.array([[2.0, 0.0]]))
    >>> state, costs = step(state, 6 * one, np.array([1]), 7 * one, terms, "lost")
    >>> state.on_hand.tolist(), state.pipeline.tolist(), costs.lost.tolist(), costs.total.tolist()
    ([0.0], [[6.0, 0.0]], [2.0], [13.0])
    """
    state.series.require(terms.series, "state and terms")
    for what, units in (("order", order), ("demand", demand)):
        if not (np.isfinite(units).all() and (units >= 0).all()):
            raise InvariantError(f"{what} must be finite and not negative", code="SC-B007")
    width = state.pipeline.shape[1]
    if (arrival < 0).any() or (arrival[order > 0] >= width).any():
        raise InvariantError(
            f"an order arrives {int(arrival.max())} periods ahead, the pipeline reaches {width - 1}",
            code="SC-B007",
            help="give the state a pipeline of at least the longest lead time + 1 columns",
        )
    if not width:
        pipeline = state.pipeline
        received = np.zeros_like(state.on_hand)
    else:
        placed = state.with_order(order, arrival).pipeline
        received = placed[:, 0]
        pipeline = np.concatenate([placed[:, 1:], np.zeros_like(placed[:, :1])], axis=1)

    available = state.on_hand + received
    delivered = np.minimum(available, state.backorders)
    sold = np.minimum(available - delivered, demand)
    left = available - delivered - sold
    unmet = demand - sold
    waiting = state.backorders - delivered
    if unmet_demand == "lost":
        lost, short = unmet, unmet
    else:
        waiting = waiting + unmet
        lost, short = np.zeros_like(unmet), waiting

    costs = PeriodCosts(
        holding=terms.holding_cost * left,
        shortage=terms.shortage_cost * short,
        order=terms.order_cost * (order > 0),
        sold=sold,
        delivered=delivered,
        lost=lost,
        received=received,
    )
    return InventoryState(state.series, left, waiting, pipeline), costs
