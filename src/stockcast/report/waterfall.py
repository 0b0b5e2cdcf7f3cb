"""``waterfall.csv``: how each quantity of ``plan.csv`` comes about, step by step, and what it was decided by."""

from pathlib import Path

import numpy as np

from stockcast import policies
from stockcast.inventory import Situation
from stockcast.inventory.terms import OBJECTIVES
from stockcast.inventory.timing import FAR
from stockcast.report.files import write_table
from stockcast.report.tables import Columns


def write_waterfall(folder: Path, planned: "policies.Planned", situation: Situation) -> None:
    """Write ``waterfall.csv`` and its Parquet file; the steps in full, so that what is written adds up exactly.

    Raises
    ------
    ResourceError
        If the operating system refuses.
    """
    table = waterfall_table(planned, situation)
    write_table(folder, "waterfall", table, exact=(*policies.STEPS, "order_quantity"))


def waterfall_table(planned: "policies.Planned", situation: Situation) -> Columns:
    """Give one row a series: the steps, what they add up to, and what beside ``plan.csv`` led to it.

    Dates are those of an order placed at the first possible review; the next receipt, and until when demand counts (a
    warehouse's up to the places that it feeds), are blank where no further review is known, ``most`` where there is no
    maximum.
    """
    steps, lines, terms, time = planned.waterfall, planned.lines, situation.terms, situation.demand.time
    steps.series.require(situation.past.series, "waterfall and situation")
    day = np.timedelta64(time.days, "D")
    known = (terms.first_review < FAR) & (terms.lead_time < FAR)
    never = np.datetime64("NaT", "D")
    ahead = np.where(known, terms.first_review + terms.lead_time, 0)
    further = known & (terms.review_period < FAR)
    table: Columns = {"sku": steps.series.sku, "location": steps.series.location}
    table |= {name: steps.steps[:, at] for at, name in enumerate(policies.STEPS)}
    return table | {
        "order_quantity": steps.quantity,
        "receipt_date": np.where(known, time.start + ahead * day, never),
        "next_receipt_date": np.where(
            further, time.start + np.where(further, ahead + terms.review_period, 0) * day, never
        ),
        "demand_until": np.where(further, time.start + np.where(further, terms.covered, 0) * day, never),
        "demand_q0.1": lines.demand_q10,
        "stock_at_receipt": lines.held,
        "unmet_without": lines.unmet_without,
        "shortage_cost": lines.shortage_cost,
        "holding_cost": terms.holding_cost,
        "order_cost": terms.order_cost,
        "objective": np.array(OBJECTIVES, dtype=np.str_)[terms.objective],
        "target": np.where(terms.objective > 0, terms.target, np.nan),
        "min_stock": terms.min_stock,
        "most": terms.max_order,
        "ordered_now": terms.ordered_now,
        "unmet_demand": np.repeat(situation.shared.unmet_demand, len(terms.series)),
    }
