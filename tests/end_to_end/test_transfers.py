"""Stock moved between locations: transfers.csv, the plan after it, and planning again once it is on its way."""

import csv
import hashlib
import json

import pytest
from test_planning_again import place


def rows(file):
    return list(csv.DictReader(file.read_text(encoding="utf-8").splitlines()))


def write(path, table):
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, list(table[0]), lineterminator="\n")
        writer.writeheader()
        writer.writerows(table)


@pytest.fixture
def with_lanes(project):
    """The demo with lanes both ways, and one place that has all the stock of some items."""
    stock = rows(project.folder / "data" / "inventory.csv")
    places = sorted({row["location"] for row in stock})
    for row in stock[: len(stock) // 2]:
        row["on_hand"] = "400" if row["location"] == places[0] else "0"
    write(project.folder / "data" / "inventory.csv", stock)
    (project.folder / "data" / "lanes.csv").write_text(
        "from_location,to_location,lead_time_days,unit_cost,order_cost,pack_size\n"
        f"{places[0]},{places[1]},1,0.05,2,3\n{places[1]},{places[0]},1,0.05,2,\n",
        encoding="utf-8",
    )
    config = project.folder / "stockcast.yml"
    text = config.read_text(encoding="utf-8")
    config.write_text(text.replace("sources:", "sources:\n  lanes: {path: data/lanes.csv}", 1), encoding="utf-8")
    return project


def send(project, transfers):
    """Take what is sent off the stock and put it among the open orders, as a shop's system would."""
    stock = rows(project.folder / "data" / "inventory.csv")
    for row in stock:
        sent = [t for t in transfers if (t["sku"], t["from_location"]) == (row["sku"], row["location"])]
        row["on_hand"] = f"{float(row['on_hand']) - sum(float(t['quantity']) for t in sent):g}"
    write(project.folder / "data" / "inventory.csv", stock)
    path = project.folder / "data" / "open_orders.csv"
    orders = rows(path)
    names = list(orders[0])
    for t in transfers:
        given = {
            "sku": t["sku"], "location": t["to_location"], "supplier": t["from_location"], "quantity": t["quantity"],
            "order_date": t["ship_date"], "expected_date": t["expected_receipt_date"], "status": "sent",
        }  # fmt: skip
        orders.append({name: given.get(name, "") for name in names})
    write(path, orders)


def late(project, outcome):
    """The series of which an open order is told to come late."""
    told = rows(project.file(outcome, "exceptions.csv"))
    return sorted((row["sku"], row["location"]) for row in told if row["code"] == "SC-P011")


def test_stock_is_moved_first_and_planning_again_moves_and_orders_nothing(with_lanes):
    project = with_lanes
    ordered = rows(project.folder / "data" / "open_orders.csv")
    first = project("run")
    transfers = rows(project.file(first, "transfers.csv"))
    assert len(transfers) == first["counts"]["transfers"] > 0
    assert set(late(project, first)) <= {(row["sku"], row["location"]) for row in ordered}
    plan = {(row["sku"], row["location"]): row for row in rows(project.file(first, "plan.csv"))}
    stock = {(r["sku"], r["location"]): r for r in rows(project.folder / "data" / "inventory.csv")}
    for t in transfers:
        giver, receiver = plan[t["sku"], t["from_location"]], plan[t["sku"], t["to_location"]]
        counted = float(stock[t["sku"], t["from_location"]]["on_hand"])
        assert float(giver["on_hand"]) == counted - float(t["quantity"])
        assert float(receiver["on_order"]) >= float(t["quantity"])
        assert f"to {t['to_location']} first" in giver["reason"]
        assert f"from {t['from_location']} on {t['expected_receipt_date']}" in receiver["reason"]
        assert float(t["packs"]) * float(t["pack_size"]) == float(t["quantity"])
        assert float(t["expected_cost_saving"]) >= 0.0, "no line of a shipment that pays shows a loss"
    manifest = json.loads((project.file(first, "plan.csv").parent / "manifest.json").read_text(encoding="utf-8"))
    file = project.file(first, "transfers.csv")
    assert manifest["outputs"]["transfers.csv"] == hashlib.sha256(file.read_bytes()).hexdigest()
    assert "transfers" in manifest["timings"]
    assert first["artifacts"]["transfers.parquet"]
    page = project.file(first, "report.html").read_text(encoding="utf-8")
    assert "Transfers between locations" in page
    assert transfers[0]["sku"] in page

    send(project, transfers)
    place(project, project.file(first, "orders.csv"))
    again = project("plan")
    assert again["counts"]["transfers"] == 0
    assert again["counts"]["order_lines"] == 0
    assert late(project, again) == late(project, first), "what was sent tonight is no order that comes late"
    assert project.file(again, "transfers.csv").read_text(encoding="utf-8").count("\n") == 1


def test_rooms_cut_transfers_and_with_price_breaks_planning_again_moves_and_orders_nothing(with_lanes):
    project = with_lanes
    data = project.folder / "data"
    items = rows(data / "items.csv")
    write(data / "items.csv", [row | {"volume": "0.5"} for row in items])
    suppliers = sorted({row["supplier"] for row in rows(data / "suppliers.csv")})
    (data / "price_breaks.csv").write_text(
        "supplier,min_value,discount\n" + "".join(f"{name},200,0.01\n{name},900,0.02\n" for name in suppliers),
        encoding="utf-8",
    )
    config = project.folder / "stockcast.yml"
    text = config.read_text(encoding="utf-8")
    config.write_text(
        text.replace("sources:", "sources:\n  price_breaks: {path: data/price_breaks.csv}", 1), encoding="utf-8"
    )
    stock = rows(data / "inventory.csv")
    places = sorted({row["location"] for row in stock})
    comes = sum(float(r["quantity"]) for r in rows(data / "open_orders.csv") if r["location"] == places[1])
    lies = 0.5 * (comes + sum(float(row["on_hand"]) for row in stock if row["location"] == places[1]))
    room = ("--set", f"plan.storage={{{places[1]}: {lies + 40:g}}}", "--set", "guardrails.max_value_ratio=50")
    first = project("run", *room)
    transfers = rows(project.file(first, "transfers.csv"))
    told = [r for r in rows(project.file(first, "exceptions.csv")) if r["code"] == "SC-P031"]
    assert [row["location"] for row in told] == [places[1]]
    assert any("more do not fit into the room there" in row["reason"] for row in transfers)
    manifest = json.loads((project.file(first, "plan.csv").parent / "manifest.json").read_text(encoding="utf-8"))
    price = float(told[0]["message"].rpartition("one more unit of it would save ")[2])
    assert manifest["prices"][f"storage {places[1]}"] >= price * 0.999 > 0
    send(project, transfers)
    place(project, project.file(first, "orders.csv"))
    again = project("plan", *room)
    assert again["counts"]["transfers"] == 0
    assert again["counts"]["order_lines"] == 0


def test_workers_change_no_byte_a_budget_counts_no_transfer_and_the_deadline_moves_none(with_lanes):
    project = with_lanes
    one = project.file(project("run", "--workers", "1"), "transfers.csv").read_bytes()
    poor = project("plan", "--workers", "2", "--set", "plan.budget=0")
    assert poor["counts"]["order_lines"] == 0
    assert project.file(poor, "transfers.csv").read_bytes() == one
    struck = project("plan", "--set", "deadline=0.001")
    assert struck["counts"]["transfers"] == 0
    assert struck["status"] == "degraded"


def test_without_lanes_there_is_no_file(project):
    assert "transfers.csv" not in project("run")["artifacts"]
