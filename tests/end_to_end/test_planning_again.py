"""Planning again after the plan's orders became open orders orders nothing."""

import csv


def place(project, orders) -> int:
    """Add a plan's orders to the open orders, as a buyer's system would."""
    placed = list(csv.DictReader(orders.read_text(encoding="utf-8").splitlines()))
    path = project.folder / "data" / "open_orders.csv"
    rows = list(csv.DictReader(path.read_text(encoding="utf-8").splitlines()))
    names = list(rows[0])
    given = {"order_quantity": "quantity", "expected_receipt_date": "expected_date"}
    for line in placed:
        row = {given.get(name, name): value for name, value in line.items()}
        rows.append({name: row.get(name, "") for name in names} | ({"status": "sent"} if "status" in names else {}))
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, names, lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
    return len(placed)


def test_planning_again_orders_nothing(project):
    first = project("run")
    assert place(project, project.file(first, "orders.csv")) > 0
    again = project("run")
    assert again["counts"]["order_lines"] == 0
    assert project.file(again, "orders.csv").read_text(encoding="utf-8").count("\n") == 1
