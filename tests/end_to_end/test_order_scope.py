"""With an order for each place, the tables still name suppliers as the supplier table does."""

import json

from test_planning_again import place
from test_transfers import rows


def test_an_order_for_each_place_keeps_the_suppliers_names_and_planning_again_orders_nothing(project):
    scope = ("--set", "plan.order_scope=supplier_location")
    first = project("run", *scope)
    known = {row["supplier"] for row in rows(project.folder / "data" / "suppliers.csv")} | {""}
    for name in ("plan.csv", "orders.csv", "exceptions.csv"):
        told = rows(project.file(first, name))
        assert told
        assert {row["supplier"] for row in told} <= known, name
    orders = rows(project.file(first, "orders.csv"))
    assert len({row["order_id"] for row in orders}) == len({(row["supplier"], row["location"]) for row in orders})
    assert place(project, project.file(first, "orders.csv")) > 0
    again = project("run", *scope)
    assert again["counts"]["order_lines"] == 0
    manifest = json.loads((project.file(again, "plan.csv").parent / "manifest.json").read_text(encoding="utf-8"))
    assert manifest["status"] in ("ok", "degraded")
