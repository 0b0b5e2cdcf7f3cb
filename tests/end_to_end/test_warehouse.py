"""A warehouse that feeds the places of the demo: one night from the files to its orders and its shipments, and again."""

import datetime

import pytest
from test_planning_again import place
from test_transfers import rows, send, write

ORDINAL = {1: "st", 2: "nd", 3: "rd", 21: "st", 22: "nd", 23: "rd", 31: "st"}


@pytest.fixture
def with_hub(project):
    """The demo with a warehouse that has no sales, carries all items but one, and feeds both places."""
    data = project.folder / "data"
    stock = rows(data / "inventory.csv")
    places = sorted({row["location"] for row in stock})
    skus = sorted({row["sku"] for row in stock})
    names = list(stock[0])
    for row in stock:
        row["on_hand"] = f"{float(row['on_hand']) // 4:g}"
    hub = [{name: "" for name in names} | {"sku": sku, "location": "HUB", "on_hand": "60"} for sku in skus[1:]]
    write(data / "inventory.csv", stock + hub)
    (data / "lanes.csv").write_text(
        "from_location,to_location,lead_time_days,unit_cost\n" + "".join(f"HUB,{p},1,0.01\n" for p in places),
        encoding="utf-8",
    )
    told = rows(data / "locations.csv") if (data / "locations.csv").exists() else [{"location": p} for p in places]
    table = [row | {"warehouse": "HUB"} for row in told]
    write(data / "locations.csv", [*table, {name: "" for name in table[0]} | {"location": "HUB"}])
    config = project.folder / "stockcast.yml"
    text = config.read_text(encoding="utf-8")
    more = "\n  lanes: {path: data/lanes.csv}"
    if "locations.csv" not in text:
        more += "\n  locations: {path: data/locations.csv}"
    config.write_text(text.replace("sources:", f"sources:{more}", 1), encoding="utf-8")
    return project, places, skus


def test_a_night_with_a_warehouse_and_the_night_again(with_hub):
    project, places, skus = with_hub
    first = project("run")
    plan = {(row["sku"], row["location"]): row for row in rows(project.file(first, "plan.csv"))}
    orders = rows(project.file(first, "orders.csv"))
    transfers = rows(project.file(first, "transfers.csv"))
    steps = {(row["sku"], row["location"]): row for row in rows(project.file(first, "waterfall.csv"))}

    carried = {(sku, where) for sku in skus[1:] for where in places}
    fed = {key for key in carried if plan[key]["supplier"] == "HUB"}
    assert all(plan[key]["reason"].startswith("not ordered: ended") for key in carried - fed)
    assert len(fed) > len(skus)
    assert not fed & {(row["sku"], row["location"]) for row in orders}
    assert any(row["location"] == "HUB" for row in orders)
    assert all(row["supplier"] != "HUB" for row in orders)
    assert transfers
    assert {(t["sku"], t["to_location"]) for t in transfers} <= fed
    arrives = {}
    for t in transfers:
        arrives[t["sku"], t["to_location"]] = t
    for key in fed:
        row = plan[key]
        assert (row["supplier"], row["binding_constraint"]) == ("HUB", "not_orderable")
        assert float(row["order_quantity"]) == 0
        come = arrives.get(key)
        if come:
            assert (
                f"fed from HUB: {float(come['quantity']):g} come by transfer on {come['expected_receipt_date']}"
                in (row["reason"])
            )
        else:
            assert row["reason"].startswith("fed from HUB: nothing more comes now")
    ahead = [row for row in rows(project.file(first, "forecast.csv")) if row["location"] == "HUB"]
    assert {row["sku"] for row in ahead} == set(skus[1:])
    assert all(float(row["mean"]) == 0 == float(row["q0.99"]) for row in ahead), "nothing is sold at a warehouse"
    assert all("nothing is sold at a warehouse" in plan[sku, "HUB"]["fallback"] for sku in skus[1:])
    for sku in sorted({sku for sku, _ in fed}):
        hub, step = plan[sku, "HUB"], steps[sku, "HUB"]
        away = sum(float(plan[sku, p]["on_hand"]) + float(plan[sku, p]["on_order"]) for p in places if (sku, p) in fed)
        away -= sum(float(plan[sku, p]["backorders"]) for p in places if (sku, p) in fed)
        assert float(step["at_places"]) == pytest.approx(-away)
        assert float(hub["inventory_position"]) == pytest.approx(float(hub["on_hand"]) + float(hub["on_order"]))
        means = sum(float(plan[sku, p]["demand_mean"]) for p in places if (sku, p) in fed)
        assert means > 0
        assert float(hub["demand_mean"]) > 0
    assert plan[skus[0], places[0]]["supplier"] != "HUB", "what the warehouse does not carry is bought as before"

    send(project, transfers)
    place(project, project.file(first, "orders.csv"))
    again = project("plan")
    assert again["counts"]["transfers"] == 0
    assert again["counts"]["order_lines"] == 0


def test_the_reasons_of_a_warehouse_and_of_a_place_are_told(with_hub):
    project, places, skus = with_hub
    first = project("run")
    codes = {row["code"] for row in rows(project.file(first, "issues.csv"))}
    assert {"SC-D124", "SC-D125"} <= codes
    ordered = next(row for row in rows(project.file(first, "orders.csv")) if row["location"] == "HUB")
    told = project("explain", f"{ordered['sku']}@HUB")
    assert "at the places that it feeds" in str(told)
    fed = next(r for r in rows(project.file(first, "plan.csv")) if r["supplier"] == "HUB")
    assert "ed from HUB: " in str(project("explain", f"{fed['sku']}@{fed['location']}"))


def test_orders_of_a_warehouse_look_one_review_ahead_and_say_so(with_hub):
    project, _, _ = with_hub
    ahead = project("run", "--set", "plan.reviews_ahead=4")
    told = [row for row in rows(project.file(ahead, "exceptions.csv")) if row["code"] == "SC-P036"]
    assert any("lines of a warehouse" in row["message"] for row in told)
    mine = [row for row in rows(project.file(ahead, "plan.csv")) if row["location"] == "HUB"]
    assert mine
    assert all("next order" not in row["reason"] for row in mine)


def test_a_warehouse_that_does_not_ship_tonight_sends_nothing_and_its_places_say_until_when(with_hub):
    project, _, _ = with_hub
    first = project("run")
    order_date = rows(project.file(first, "transfers.csv"))[0]["ship_date"]
    day = datetime.date.fromisoformat(order_date)
    opens = day + datetime.timedelta(days=3)
    data = project.folder / "data"
    table = rows(data / "suppliers.csv")
    hub = {name: "" for name in table[0]} | {"supplier": "HUB", "order_days": opens.strftime("%a").lower()}
    write(data / "suppliers.csv", [*table, hub])
    waits = project("run")
    assert waits["counts"]["transfers"] == 0
    told = [row for row in rows(project.file(waits, "exceptions.csv")) if row["code"] == "SC-P040"]
    assert [(row["location"], row["message"]) for row in told] == [
        ("HUB", f"nothing is sent from HUB: no shipment until {opens}")
    ]
    fed = [row for row in rows(project.file(waits, "plan.csv")) if row["supplier"] == "HUB"]
    assert fed
    for row in fed:
        assert row["reason"].startswith(f"fed from HUB: no shipment until {opens}; ")
        assert (row["order_quantity"], row["review_period"], row["lead_time"]) == ("0", "7", "1")
    write(data / "suppliers.csv", [*table, hub | {"order_days": day.strftime("%a").lower()}])
    assert project("run")["counts"]["transfers"] > 0


def test_the_last_order_before_a_monthly_shipment_is_for_the_month_and_the_forecast_reaches_its_end(with_hub):
    project, _, _ = with_hub
    weekly = project("run")
    row = next(r for r in rows(project.file(weekly, "orders.csv")) if r["location"] == "HUB")
    arrives = datetime.date.fromisoformat(row["expected_receipt_date"])
    data = project.folder / "data"
    table = rows(data / "suppliers.csv")
    far = [
        {name: "" for name in table[0]} | {"supplier": "HUB", "order_days": f"{day.day}{ORDINAL.get(day.day, 'th')}"}
        for day in (arrives, arrives - datetime.timedelta(days=8))
    ]
    wanted = {}
    for name, hub in zip(("in time", "long before"), far, strict=True):
        write(data / "suppliers.csv", [*table, hub])
        made = project("run")
        wanted[name] = next(
            r for r in rows(project.file(made, "plan.csv")) if (r["sku"], r["location"]) == (row["sku"], "HUB")
        )
    assert float(wanted["in time"]["order_quantity"]) > 1.5 * float(row["order_quantity"])
    assert float(wanted["in time"]["demand_mean"]) > 2 * float(row["demand_mean"])
    assert float(wanted["long before"]["order_quantity"]) == 0
