"""What the generated data promises, checked from the files that it writes."""

import csv
from collections import defaultdict
from datetime import date, timedelta
from pathlib import Path

import numpy as np
import pytest

from stockcast.core.errors import UsageError
from stockcast.runs import config
from stockcast.runs.demo import CONFIG, DemoSummary, write

Row = dict[str, str]
Key = tuple[str, str]


def rows(file: Path) -> list[Row]:
    with file.open(encoding="utf-8", newline="") as lines:
        return list(csv.DictReader(lines))


class Shop:
    """The files of one demo, read as a stranger would."""

    def __init__(self, folder: Path, summary: DemoSummary) -> None:
        self.folder, self.summary = folder, summary
        sales = rows(folder / "data/sales.csv")
        self.returns = [row for row in sales if float(row["quantity"]) < 0]
        self.sales = [row for row in sales if float(row["quantity"]) >= 0]
        self.items = {row["sku"]: row for row in rows(folder / "data/items.csv")}
        self.truth = {(row["date"], row["sku"], row["location"]): row for row in rows(folder / "truth/demand.csv")}

    def demand(self) -> dict[Key, np.ndarray]:
        """Give true demand by series, on the days on which it was listed."""
        by_series = defaultdict(list)
        for row in self.sales:
            key = (row["sku"], row["location"])
            by_series[key].append(float(self.truth[(row["date"], *key)]["demand"]))
        return {key: np.array(values) for key, values in by_series.items()}


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Shop:
    folder = tmp_path_factory.mktemp("demo")
    return Shop(folder, write(folder))


def files(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*.csv"))}


def test_the_same_seed_gives_the_same_bytes_and_another_seed_others(tmp_path):
    small = {"skus": 9, "locations": 2, "days": 90}
    for name, seed in (("a", 7), ("b", 7), ("c", 8)):
        write(tmp_path / name, **small, seed=seed)
    a, b, c = (files(tmp_path / name) for name in "abc")
    assert a == b
    assert all(a[name] != c[name] for name in ("data/sales.csv", "data/items.csv", "truth/demand.csv"))


def test_the_size_asked_for_is_the_size_written(shop):
    assert (shop.summary.skus, shop.summary.locations, shop.summary.series, shop.summary.days) == (40, 3, 120, 730)
    assert len(shop.items) == 40
    assert len({(row["sku"], row["location"]) for row in shop.sales}) == 120
    days = {row["date"] for row in shop.sales}
    assert (len(days), min(days), max(days)) == (730, "2024-11-23", "2026-11-22")
    assert shop.summary.sales_rows == len(shop.sales) + len(shop.returns)


def test_ids_need_care_they_begin_with_zeros(shop):
    assert all(sku.startswith("0") and sku == sku.strip() for sku in shop.items)
    assert len({row["description"] for row in shop.items.values()}) == 40
    assert len({row["category"] for row in shop.items.values()}) == 8


def test_a_tenth_of_the_days_is_out_of_stock_and_these_censor_sales(shop):
    out = [row for row in shop.sales if float(row["in_stock"]) < 1]
    share = len(out) / len(shop.sales)
    assert 0.05 <= share <= 0.15
    assert share == pytest.approx(shop.summary.out_of_stock_share)
    lost = 0
    for row in shop.sales:
        truth = shop.truth[(row["date"], row["sku"], row["location"])]
        sold, demand = int(row["quantity"]), int(truth["demand"])
        assert sold == demand - int(truth["lost"])
        if float(row["in_stock"]) == 1.0:
            assert sold == demand
        lost += demand - sold
    assert lost > 0.03 * sum(int(row["quantity"]) for row in shop.sales)


def test_a_third_of_the_items_is_intermittent(shop):
    often = defaultdict(list)
    for (sku, _), demand in shop.demand().items():
        often[sku].append((demand > 0).mean())
    share = np.mean([np.mean(days) < 1 / 1.32 for days in often.values()])
    assert 0.25 <= share <= 0.42
    assert share == pytest.approx(shop.summary.intermittent_share)


def test_promotions_lift_demand_and_lower_the_price(shop):
    lifts, discounts = [], []
    by_item = defaultdict(lambda: defaultdict(list))
    prices = defaultdict(lambda: defaultdict(list))
    for row in shop.sales:
        kind = row["promotion"]
        by_item[row["sku"]][kind].append(float(shop.truth[(row["date"], row["sku"], row["location"])]["demand"]))
        prices[row["sku"]][kind].append(float(row["price"]))
    for sku, kinds in by_item.items():
        if len(kinds["1"]) > 60 and np.mean(kinds["0"]) > 1:
            lifts.append(np.mean(kinds["1"]) / np.mean(kinds["0"]))
            discounts.append(np.mean(prices[sku]["1"]) / np.mean(prices[sku]["0"]))
    assert len(lifts) > 15
    assert 1.5 < np.median(lifts) < 4
    assert np.mean(np.array(lifts) > 1.2) > 0.9
    assert 0.65 < np.median(discounts) < 0.9


def test_list_prices_change_over_the_years(shop):
    seen = defaultdict(set)
    for row in shop.sales:
        if row["promotion"] == "0":
            seen[row["sku"]].add(row["price"])
    assert np.mean([len(prices) > 1 for prices in seen.values()]) > 0.6
    last = {row["sku"]: row for row in shop.sales if row["promotion"] == "0"}
    for sku, item in shop.items.items():
        if not item["end_date"]:
            assert last[sku]["price"] == item["price"]


def test_demand_has_a_week_and_a_year(shop):
    of = {sku: item["category"] for sku, item in shop.items.items()}
    week, year = defaultdict(float), defaultdict(lambda: defaultdict(list))
    for row in shop.truth.values():
        day = date.fromisoformat(row["date"])
        week[day.weekday()] += float(row["mean"])
        year[of[row["sku"]]][day.month].append(float(row["mean"]))
    assert week[5] > 1.15 * week[1]
    assert np.mean(year["Garden"][5]) > 1.5 * np.mean(year["Garden"][11])


def test_items_come_and_go(shop):
    launched = {sku: item["launch_date"] for sku, item in shop.items.items() if item["launch_date"]}
    ending = {sku: item["end_date"] for sku, item in shop.items.items() if item["end_date"]}
    assert len(launched) == shop.summary.new_items >= 2
    assert len(ending) == shop.summary.ending_items >= 2
    assert any(day < "2026-11-22" for day in ending.values())
    assert any(day > "2026-11-22" for day in ending.values())
    for sku, day in launched.items():
        assert min(row["date"] for row in shop.sales if row["sku"] == sku) == day > "2024-11-23"
    for sku, day in ending.items():
        assert max(row["date"] for row in shop.sales if row["sku"] == sku) == min(day, "2026-11-22")


def test_some_minimums_exceed_a_months_demand_and_all_are_whole_packs(shop):
    month = defaultdict(float)
    for (sku, _), demand in shop.demand().items():
        month[sku] = max(month[sku], 30 * demand.mean())
    above = [sku for sku, item in shop.items.items() if float(item["moq"]) > month[sku]]
    assert len(above) == shop.summary.moq_above_month
    assert 3 <= len(above) <= 15
    assert any(month[sku] > 30 for sku in above)  # not only among the slow ones
    assert all(int(item["moq"]) % int(item["pack_size"]) == 0 for item in shop.items.values())


def test_suppliers_have_lead_times_order_days_minimums_and_a_closure(shop):
    suppliers = {row["supplier"]: row for row in rows(shop.folder / "data/suppliers.csv")}
    assert 5 <= len(suppliers) <= 8
    assert {item["supplier"] for item in shop.items.values()} <= set(suppliers)
    assert len({row["lead_time_days"] for row in suppliers.values()}) >= 5
    assert {"mon,thu", "1st,15th", ""} <= {row["order_days"] for row in suppliers.values()}
    assert any(float(row["min_order_value"]) > 0 for row in suppliers.values())
    for row in rows(shop.folder / "data/supplier_closures.csv"):
        assert row["supplier"] in suppliers
        assert row["from"] <= row["to"]


def test_orders_of_the_past_went_out_on_order_days_outside_closures_in_packs_above_the_minimum(shop):
    suppliers = {row["supplier"]: row for row in rows(shop.folder / "data/suppliers.csv")}
    closures = rows(shop.folder / "data/supplier_closures.csv")
    orders = rows(shop.folder / "truth/orders.csv")
    days = defaultdict(set)
    for row in orders:
        item = shop.items[row["sku"]]
        quantity = int(row["quantity"])
        assert quantity >= int(item["moq"])
        assert quantity % int(item["pack_size"]) == 0
        days[item["supplier"]].add(date.fromisoformat(row["order_date"]))
        lead = int(suppliers[item["supplier"]]["lead_time_days"])
        assert date.fromisoformat(row["expected_date"]) == date.fromisoformat(row["order_date"]) + timedelta(lead)
        assert row["arrival_date"] >= row["expected_date"]
    assert {day.weekday() for day in days["CASTEL & FILS"]} == {0, 3}
    assert {day.day for day in days["KESTREL IMPORT"]} == {1, 15}
    for closure in closures:
        assert not any(closure["from"] <= str(day) <= closure["to"] for day in days[closure["supplier"]])


def test_stock_adds_up_day_by_day_and_ends_as_the_inventory_says(shop):
    by_series: dict[Key, list[Row]] = defaultdict(list)
    for (_, sku, place), row in shop.truth.items():
        by_series[(sku, place)].append(row)
    inventory = {(row["sku"], row["location"]): int(row["on_hand"]) for row in rows(shop.folder / "data/inventory.csv")}
    assert set(inventory) == set(by_series)
    for key, days in by_series.items():
        sold = np.array([int(row["demand"]) - int(row["lost"]) for row in days])
        on_hand = np.array([int(row["on_hand"]) for row in days])
        received = np.array([int(row["received"]) for row in days])
        np.testing.assert_array_equal(np.diff(on_hand), (received - sold)[1:])
        assert on_hand[-1] == inventory[key]


def test_open_orders_are_those_placed_and_not_yet_received(shop):
    waiting = defaultdict(int)
    arrived = defaultdict(int)
    for row in rows(shop.folder / "truth/orders.csv"):
        if row["arrival_date"] > "2026-11-22":
            waiting[(row["order_id"], row["sku"], row["location"], row["expected_date"])] += int(row["quantity"])
        elif row["arrival_date"] >= "2024-11-23":
            arrived[(row["arrival_date"], row["sku"], row["location"])] += int(row["quantity"])
    opened = rows(shop.folder / "data/open_orders.csv")
    columns = ("order_id", "sku", "location", "expected_date")
    assert {tuple(row[name] for name in columns): int(row["quantity"]) for row in opened} == waiting
    assert len(opened) > 10
    assert {row["status"] for row in opened} <= {"sent", "confirmed", "in_transit"}
    assert {key: int(row["received"]) for key, row in shop.truth.items() if int(row["received"])} == arrived


def test_a_few_returns_and_nothing_else_stands_out(shop):
    assert 1 <= len(shop.returns) < 0.002 * len(shop.sales)
    assert len({(row["date"], row["sku"], row["location"]) for row in shop.sales}) == len(shop.sales)
    assert all(0 <= float(row["in_stock"]) <= 1 and float(row["price"]) > 0 for row in shop.sales)
    for item in shop.items.values():
        assert 0 < float(item["unit_cost"]) < float(item["price"])
        assert float(item["shortage_cost"]) == pytest.approx(float(item["price"]) - float(item["unit_cost"]))


def test_what_is_planned_ahead_begins_the_day_after(shop):
    planned = rows(shop.folder / "data/known_future.csv")
    days = sorted({row["date"] for row in planned})
    assert (days[0], len(days)) == ("2026-11-23", 42)
    assert {row["promotion"] for row in planned} == {"0", "1"}


@pytest.mark.parametrize(("skus", "locations", "days"), [(1, 1, 28), (8, 2, 220), (3, 12, 40)])
def test_small_shops_work_too(tmp_path, skus, locations, days):
    summary = write(tmp_path, skus=skus, locations=locations, days=days)
    assert summary.series == skus * locations
    assert len({(row["sku"], row["location"]) for row in rows(tmp_path / "data/inventory.csv")}) == summary.series


@pytest.mark.parametrize("wrong", [{"skus": 0}, {"locations": -1}, {"days": 27}, {"days": 10**6}])
def test_a_size_out_of_range_is_a_usage_error_with_the_range(tmp_path, wrong):
    with pytest.raises(UsageError, match="out of range; allowed: a whole number from"):
        write(tmp_path, **wrong)


def test_the_config_is_valid_and_names_exactly_the_files_that_are_written_and_never_the_truth(shop, tmp_path):
    (tmp_path / "stockcast.yml").write_text(CONFIG, encoding="utf-8")
    loaded = config.load(tmp_path / "stockcast.yml")
    named = {table: str(source.path) for table, source in loaded.sources.items()}
    assert named == {table: f"data/{table}.csv" for table in named}
    assert set(named.values()) == {name for name in files(shop.folder) if name.startswith("data/")}
    assert (loaded.step, loaded.forecast.effort, loaded.plan.objective) == ("day", "fast", "cost")
