"""The table of transfers between locations, their part of the page, and what a line of the plan says of them."""

import numpy as np
from jaxtyping import Shaped

from stockcast.inventory import ReorderPlan, Situation, Transfers
from stockcast.policies.explain import NOTHING_COMES
from stockcast.policies.figures import exact_text
from stockcast.report.markup import Cell, section, soft, table
from stockcast.report.tables import Columns

SHOWN = 40  # lines of transfers on the page


def transfers_table(transfers: Transfers, situation: Situation) -> Columns:
    """Give ``transfers.csv``: one row a sku and lane, by sku, from and to.

    Without a pack size the pack is one unit, so that ``packs`` × ``pack_size`` is always the quantity.
    """
    lanes, time, axis = situation.shared.lanes, situation.demand.time, transfers.series
    lane, quantity = transfers.lane, transfers.quantity
    pack = np.where(lanes.pack_size[lane] > 0, lanes.pack_size[lane], 1.0)
    return {
        "sku": axis.sku[transfers.giver],
        "from_location": lanes.from_location[lane],
        "to_location": lanes.to_location[lane],
        "quantity": quantity,
        "packs": quantity / pack,
        "pack_size": pack,
        "ship_date": np.full(len(lane), time.start.astype("datetime64[D]")),
        "expected_receipt_date": time.start + lanes.lead_time[lane] * np.timedelta64(time.days, "D"),
        "unit_cost": lanes.unit_cost[lane],
        "line_value": quantity * lanes.unit_cost[lane],
        "order_cost_share": transfers.order_cost_share,
        "expected_cost_saving": transfers.saving,
        "from_value_before": transfers.giver_before,
        "from_value_after": transfers.giver_after,
        "to_value_before": transfers.receiver_before,
        "to_value_after": transfers.receiver_after,
        "reason": transfers.reason,
    }


def transfers_section(transfers: Columns | None) -> str:
    """Give the section of the page: each lane's lines, units, cost and saving, then the lines that save most."""
    if transfers is None:
        return ""
    if not len(transfers["sku"]):
        return section(
            "Transfers between locations",
            soft("Nothing to move: no stock that can be sent now and fits is worth more elsewhere."),
        )
    ends = [f"{a} → {b}" for a, b in zip(transfers["from_location"], transfers["to_location"], strict=True)]
    names, lane = np.unique(ends, return_inverse=True)
    cost = transfers["line_value"] + transfers["order_cost_share"]
    sums = [
        np.bincount(lane, weights=column) for column in (transfers["quantity"], cost, transfers["expected_cost_saving"])
    ]
    rows: list[tuple[Cell, ...]] = [
        (str(name), int(count), *(float(column[at]) for column in sums))
        for at, (name, count) in enumerate(zip(names, np.bincount(lane), strict=True))
    ]
    best = np.argsort(-transfers["expected_cost_saving"], kind="stable")[:SHOWN].tolist()
    lines = [
        (
            str(transfers["sku"][at]),
            ends[at],
            float(transfers["quantity"][at]),
            str(transfers["expected_receipt_date"][at]),
            float(cost[at]),
            float(transfers["expected_cost_saving"][at]),
            str(transfers["reason"][at]),
        )
        for at in best
    ]
    title = "All lines" if len(ends) <= SHOWN else f"The {SHOWN} of {len(ends):,} lines that save most"
    shown = table(("sku", "lane", "quantity", "receipt", "cost", "saves", "why"), lines)
    return section(
        "Transfers between locations",
        soft("To be sent before anything is bought; the orders below count them as sent."),
        table(("lane", "lines", "units", "cost", "saves"), rows),
        f"<details><summary>{title}</summary>{shown}</details>",
    )


def reasons_with_transfers(
    plan: ReorderPlan, transfers: Transfers, situation: Situation
) -> Shaped[np.ndarray, " series"]:
    """Give the reasons of the plan's lines; those that transfers touch say what leaves and what comes."""
    lanes, time = situation.shared.lanes, situation.demand.time
    reason = plan.reason.astype(object)
    for at in range(len(transfers)):
        lane, many = int(transfers.lane[at]), exact_text(float(transfers.quantity[at]))
        reason[transfers.giver[at]] += f"; sends {many} to {lanes.to_location[lane]} first"
        when = time.date(int(lanes.lead_time[lane]))
        begin, receiver = str(lanes.from_location[lane]), int(transfers.receiver[at])
        fed = f"fed from {begin}: {NOTHING_COMES}"
        if situation.terms.fed_by[receiver] == begin and reason[receiver].startswith(fed):
            reason[receiver] = reason[receiver].replace(fed, f"fed from {begin}: {many} come by transfer on {when}", 1)
        else:
            reason[receiver] += f"; receives {many} from {begin} on {when}"
    return reason.astype(np.str_)
