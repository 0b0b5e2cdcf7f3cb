"""Who is fed by whom, and what a fed place's line looks like to the one who ships."""

from dataclasses import dataclass, replace
from typing import final

import numpy as np
from jaxtyping import Float, Int

from stockcast.core.arrays import freeze
from stockcast.inventory import Situation, SupplyTerms
from stockcast.policies.newsvendor import aim
from stockcast.policies.projection import Part, batches


@final
@dataclass(frozen=True, slots=True)
class Group:
    """One sku at a warehouse and at the places that it feeds: rows of the series, the places ascending."""

    warehouse: int
    places: Int[np.ndarray, " place"]

    def __post_init__(self) -> None:
        """Freeze the array."""
        freeze(self, places=self.places)

    @property
    def members(self) -> Int[np.ndarray, " member"]:
        """Give the rows of the warehouse, which may have sales of its own, and of the places, ascending."""
        return np.sort(np.append(self.places, self.warehouse)).astype(np.int64)

    @property
    def first(self) -> int:
        """Give the position of the warehouse among the members."""
        return int(np.searchsorted(self.members, self.warehouse))


def groups(situation: Situation) -> tuple[Group, ...]:
    """Give the groups that are all there to be planned, by the row of the warehouse."""
    feeder = situation.terms.feeder
    fed = np.flatnonzero(feeder >= 0)
    return tuple(Group(at, fed[feeder[fed] == at]) for at in np.unique(feeder[fed]).tolist())


def shipped(situation: Situation) -> tuple[Situation, Float[np.ndarray, " series"]]:
    """Give the lines as whoever ships tonight sees them, and the periods to the next shipment of each warehouse.

    A fed place has no purchase to wait for: its line ends at the arrival of the next shipment, and nothing is ordered.
    So it does where its warehouse does not ship tonight, and only other places can send something.
    It pays the lane's cost for every unit that it sells, tonight's or a later one; so under lost sales a sale that is
    lost saves it, p − c is at stake, and with backorders the cost is the same whatever is done. A service target keeps
    the p that it implies. Warehouses have the periods until they ship again; all other series 0. What they have
    is sold as long as one of their places still sells what is sent to it then, or they themselves do.
    """
    terms = situation.terms
    fed = np.flatnonzero(terms.feeder >= 0)
    until = np.zeros(len(terms.series))
    if not len(fed):
        return situation, until
    until[terms.feeder[fed]] = np.inf
    wait = next_shipment(terms)[fed]
    np.minimum.at(until, terms.feeder[fed], wait.astype(float))
    columns = {name: getattr(terms, name).copy() for name in (
        "orderable", "max_order", "shortage_cost", "first_review", "review_period", "sold_for",
    )}  # fmt: skip
    columns["orderable"][fed], columns["max_order"][fed] = True, 0.0
    columns["first_review"][fed], columns["review_period"][fed] = 0, wait
    gives, sells = np.unique(terms.feeder[fed]), np.asarray((situation.past.sales > 0).any(axis=1))
    columns["sold_for"][gives] = np.where(sells[gives], terms.sold_for[gives], 0.0)
    np.maximum.at(columns["sold_for"], terms.feeder[fed], terms.sold_for[fed] - terms.lead_time[fed])
    shortage = columns["shortage_cost"]
    if situation.shared.unmet_demand == "lost":
        shortage[fed] = np.where(
            terms.objective[fed] == 0, np.maximum(shortage[fed] - lane_cost(situation, fed), 0.0), shortage[fed]
        )
    return replace(situation, terms=terms.replace(**columns)), until


def next_shipment(terms: SupplyTerms) -> Int[np.ndarray, " series"]:
    """Give the periods from tonight to the next shipment after tonight's, if there is one; of fed series only."""
    return np.where(terms.first_review > 0, terms.first_review, terms.review_period)


def lane_cost(situation: Situation, fed: Int[np.ndarray, " fed"]) -> Float[np.ndarray, " fed"]:
    """Give the cost a unit of the lanes by which some fed series get their goods."""
    lanes, terms = situation.shared.lanes, situation.terms
    ends = zip(lanes.from_location.tolist(), lanes.to_location.tolist(), strict=True)
    cost_of = dict(zip(ends, lanes.unit_cost.tolist(), strict=True))
    pairs = zip(terms.fed_by[fed].tolist(), terms.series.location[fed].tolist(), strict=True)
    return np.array([cost_of.get(pair, 0.0) for pair in pairs])


def implied(situation: Situation, rows: Int[np.ndarray, " row"]) -> Float[np.ndarray, " row"]:
    """Give the shortage cost of some lines of :func:`shipped`: their own, or the one that a service target implies."""
    found = situation.terms.shortage_cost[rows].copy()
    served = np.flatnonzero(situation.terms.objective[rows] > 0)
    if len(served):
        part = Part.of(situation, rows[served])
        for batch in batches(part):
            found[served[batch]] = aim(part.take(batch)).shortage_cost
    return found
