"""Each example from export to order, on the real data."""

import csv
import json
import math
import subprocess
import sys
from pathlib import Path

import pytest

from stockcast.cli import main
from stockcast.runs import config

EXAMPLES = Path(__file__).parents[2] / "examples"
# what is held here is what comes of any choice; which models there are, and how they compete, is held elsewhere
QUICK = (
    "--set", "forecast.models=[seasonal_naive, moving_average, ets]", "--set", "forecast.paths=200", "--set",
    "forecast.backtest.folds=1",
)  # fmt: skip
EXPORTS = {
    "m5": "m5_280_series.parquet",
    "online_retail": "online_retail.parquet",
    "fresh_retail": "freshretail_303_stores.parquet",
}


def rows(file: Path) -> list[dict[str, str]]:
    with file.open(encoding="utf-8", newline="") as lines:
        return list(csv.DictReader(lines))


def finite(value: str) -> bool:
    return value != "" and math.isfinite(float(value))


class Example:
    """One example, prepared in a folder of its own; ``run`` is the command that its README names."""

    def __init__(self, name: str, real_data: Path, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
        self.folder, self.capsys = folder, capsys
        self.export = real_data / EXPORTS[name]
        if not self.export.is_file():
            pytest.skip(f"{self.export.name} is not among the real data (STOCKCAST_TEST_DATA)")
        command = [sys.executable, "-W", "error", str(EXAMPLES / name / "prepare.py"), str(self.export), str(folder)]
        subprocess.run(command, check=True)

    def __call__(self, *argv: str, expect: int = 0) -> dict:
        self.capsys.readouterr()
        command, *rest = argv
        code = main([command, "-c", str(self.folder / "stockcast.yml"), "--output-format", "json", *rest])
        told = self.capsys.readouterr()
        assert code == expect, told.err + told.out
        return json.loads(told.out)


@pytest.fixture
def example(real_data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    return lambda name: Example(name, real_data, tmp_path / name, capsys)


def check_tables(folder: Path, series: int, horizon: int) -> tuple[list[dict[str, str]], list[dict[str, str]]]:
    """Hold what every plan promises; give forecast and plan."""
    forecast, plan = rows(folder / "forecast.csv"), rows(folder / "plan.csv")
    pairs = {(row["sku"], row["location"]) for row in plan}
    assert len(plan) == len(pairs) == series
    assert len(forecast) == series * horizon
    assert {(row["sku"], row["location"]) for row in forecast} == pairs
    levels = [name for name in forecast[0] if name.startswith("q0.")]
    for row in forecast:
        values = [float(row[name]) for name in levels]
        assert finite(row["mean"])
        assert float(row["mean"]) >= 0
        assert all(map(math.isfinite, values))
        assert values == sorted(values)
        assert values[0] >= 0
    numbers = ("order_quantity", "on_hand", "on_order", "inventory_position", "demand_mean", "order_up_to_level")
    for row in plan:
        assert all(finite(row[name]) for name in numbers), row
        assert float(row["order_quantity"]) >= 0
        if float(row["order_quantity"]) > 0:
            assert row["order_date"] <= row["expected_receipt_date"]
        else:
            assert row["order_date"] == row["expected_receipt_date"] == ""
    ordered = [row for row in plan if float(row["order_quantity"]) > 0]
    assert len(rows(folder / "orders.csv")) == len(ordered) > 0
    return forecast, plan


def check_row_conservation(folder: Path, read: int) -> dict[str, dict[str, int]]:
    """Hold read = kept + merged + returned + quarantined for every source; give the counts."""
    counted = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))["rows"]
    for source, count in counted.items():
        assert count["read"] == sum(count[what] for what in ("kept", "merged", "returned", "quarantined")), source
    sales = counted["sales"]
    assert sales["read"] + sales.get("left_out", 0) == read
    return counted


@pytest.mark.parametrize("name", EXPORTS)
def test_the_config_is_short_valid_and_names_only_made_up_files_and_the_export(name):
    file = EXAMPLES / name / "stockcast.yml"
    assert len(file.read_text(encoding="utf-8").splitlines()) <= 20
    sources = config.load(file).sources
    made_up = {str(source.path) for table, source in sources.items() if table != "sales"}
    assert made_up == {"made_up_inventory.csv", "made_up_items.csv", "made_up_suppliers.csv"}
    assert str(sources["sales"].path) == f"{name}_export.parquet"
    readme = (EXAMPLES / name / "README.md").read_text(encoding="utf-8")
    assert all(made in readme for made in made_up)


@pytest.mark.needs_data
@pytest.mark.parametrize("name", EXPORTS)
def test_preparing_leaves_the_export_alone_and_gives_the_same_files_each_time(name, example, tmp_path, real_data):
    before = (real_data / EXPORTS[name]).stat().st_mtime_ns
    example(name)
    first = {file.name: file.read_bytes() for file in (tmp_path / name).iterdir()}
    example(name)
    assert {file.name: file.read_bytes() for file in (tmp_path / name).iterdir()} == first
    assert sorted(first) == ["made_up_inventory.csv", "made_up_items.csv", "made_up_suppliers.csv", "stockcast.yml"]
    assert (real_data / EXPORTS[name]).stat().st_mtime_ns == before


@pytest.mark.needs_data
def test_m5_gives_280_series_by_28_days_and_280_plan_rows(example):
    m5 = example("m5")
    m5("run", *QUICK, "--out", str(m5.folder / "plan"))
    forecast, _ = check_tables(m5.folder / "plan", series=280, horizon=28)
    assert min(row["date"] for row in forecast) == "2016-04-25"
    assert check_row_conservation(m5.folder / "plan", 535_640)["sales"]["kept"] == 535_640


@pytest.mark.needs_data
def test_online_retail_is_planned_as_exported_with_every_refused_row_named(example):
    retail = example("online_retail")
    retail("run", *QUICK, "--out", str(retail.folder / "plan"))
    forecast, plan = check_tables(retail.folder / "plan", series=4_070, horizon=8)
    assert min(row["date"] for row in forecast) == "2011-12-05"  # the unfinished week is left out
    sales = check_row_conservation(retail.folder / "plan", 541_909)["sales"]
    assert sales["returned"] > 10_000
    refused = [row for row in rows(retail.folder / "plan/issues.csv") if row["severity"] == "error"]
    assert [row["column"] for row in refused] == ["UnitPrice", "UnitPrice"]
    assert [float(row["value"]) for row in refused] == pytest.approx([-11062.06] * 2, rel=1e-5)
    assert sales["quarantined"] == 2

    by_sku = {row["sku"]: row for row in plan}
    assert {"85123A", "POST", "BANK CHARGES"} <= set(by_sku)
    alerts = {row["sku"] for row in rows(retail.folder / "plan/exceptions.csv")}
    for code in ("POST", "DOT", "BANK CHARGES"):
        assert float(by_sku[code]["order_quantity"]) == 0
        assert code in alerts


@pytest.mark.needs_data
def test_fresh_retail_plans_one_shop_from_censored_sales(example):
    fresh = example("fresh_retail")
    fresh("run", *QUICK, "--select", "location:783", "--out", str(fresh.folder / "plan"))
    check_tables(fresh.folder / "plan", series=6, horizon=28)
    check_row_conservation(fresh.folder / "plan", 1_509_660)


@pytest.mark.slow
@pytest.mark.needs_data
@pytest.mark.parametrize(("name", "select"), [("m5", ()), ("online_retail", ()), ("fresh_retail", ("location:783",))])
def test_the_command_of_the_readme_ends_well(name, select, example):
    ready = example(name)
    chosen = ("--select", *select) if select else ()
    assert ready("run", *chosen, "--out", str(ready.folder / "plan"))["status"] in {"ok", "degraded"}
