"""The transfers of a night as they go out, held against every rule."""

from dataclasses import replace

from stockcast import ingest, policies
from stockcast.core.errors import InvariantError
from stockcast.inventory import Situation, Transfers
from stockcast.report.tables import Columns
from stockcast.report.transfers import transfers_table


def held(inputs: ingest.Inputs, situation: Situation, moved: Transfers | None) -> Columns | None:
    """Give the columns of ``transfers.csv``, or None where lanes are no source.

    Parameters
    ----------
    situation
        What purchases were planned on: the stock after the transfers.

    Raises
    ------
    InvariantError
        If a transfer breaks a rule: a bug, and nothing is published.
    """
    if "lanes" not in inputs.rows:
        return None
    table = transfers_table(Transfers(situation.terms.series) if moved is None else moved, situation)
    lines = policies.TransferLines(
        sku=table["sku"],
        from_location=table["from_location"],
        to_location=table["to_location"],
        quantity=table["quantity"],
        packs=table["packs"],
        ship_date=table["ship_date"],
        receipt_date=table["expected_receipt_date"],
        unit_cost=table["unit_cost"],
        value=table["line_value"],
        order_cost_share=table["order_cost_share"],
    )
    before = replace(situation, state=inputs.state)
    broken = policies.check_transfers(before, lines, situation.state, inputs.movable)
    if broken:
        raise InvariantError(
            f"the transfers break {len(broken)} rules, first: {broken[0].rule}, {broken[0].where}",
            code="SC-P032",
            details=[f"{one.rule}: {one.where}: {one.message}" for one in broken[:10]],
            help="this is a fault of stockcast; nothing is published",
        )
    return table
