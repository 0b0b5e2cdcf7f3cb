"""The example of the interface page's Time section, from files to the plan."""

import csv
from datetime import date, timedelta

CONFIG = """
version: 1
step: week
sources:
  sales: {path: sales.csv}
  inventory: {path: inventory.csv}
  items: {path: items.csv}
  open_orders: {path: open_orders.csv}
forecast: {effort: fast, models: [moving_average], paths: 50}
plan: {defaults: {holding_rate: 0.25}}
"""


def rows(path):
    return list(csv.DictReader(path.read_text(encoding="utf-8").splitlines()))


def texts() -> dict[str, str]:
    days = [date(2023, 9, 4) + timedelta(days=n) for n in range(7 * 28)]  # up to Sunday 2024-03-17
    sales = "date,sku,quantity\n" + "".join(f"{day},A,3\n" for day in days)
    return {
        "stockcast.yml": CONFIG,
        "sales.csv": sales,
        "inventory.csv": "sku,on_hand\nA,5\n",
        "items.csv": "sku,unit_cost,price,lead_time_days,review_period_days\nA,2,5,14,7\n",
        "open_orders.csv": "sku,quantity,expected_date\nA,4,2024-03-01\nA,6,2024-03-20\n",
    }


def test_the_example_of_the_time_section(make_project):
    project = make_project(texts())
    ran = project("run", "--as-of", "2024-03-04")
    forecast = rows(project.file(ran, "forecast.csv"))
    assert forecast[0]["date"] == "2024-03-11"
    assert len(forecast) == 8
    (line,) = rows(project.file(ran, "plan.csv"))
    assert line["order_date"] == "2024-03-11"
    assert line["expected_receipt_date"] == "2024-03-25"
    assert (line["lead_time"], line["review_period"]) == ("2", "1")
    assert (line["on_hand"], line["on_order"], line["inventory_position"]) == ("5", "10", "15")
    assert float(line["demand_mean"]) == 63.0  # three weeks of 21, the protection interval
    assert float(line["order_quantity"]) > 0


def test_a_date_inside_the_week_names_the_week(make_project):
    project = make_project(texts())
    ran = project("run", "--as-of", "2024-03-07")
    assert rows(project.file(ran, "forecast.csv"))[0]["date"] == "2024-03-11"


def test_the_default_as_of_is_the_newest_whole_period(make_project):
    files = texts()
    files["sales.csv"] += "2024-03-18,A,3\n2024-03-19,A,3\n"
    project = make_project(files)
    ran = project("run")
    assert rows(project.file(ran, "forecast.csv"))[0]["date"] == "2024-03-18"


def test_week_53(make_project):
    files = texts()
    days = [date(2026, 7, 6) + timedelta(days=n) for n in range(7 * 25)]  # to Sunday 2026-12-27
    files["sales.csv"] = "date,sku,quantity\n" + "".join(f"{day},A,3\n" for day in days)
    files["open_orders.csv"] = "sku,quantity,expected_date\n"
    project = make_project(files)
    ran = project("run")
    dates = [row["date"] for row in rows(project.file(ran, "forecast.csv"))]
    assert dates[:2] == ["2026-12-28", "2027-01-04"]
