"""What the network looked at is kept by the night that made the forecast, told by `explain`, and drawn in the report."""

import csv
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[1] / "unit" / "models"))
from made_deep import SMALL

from stockcast.models import catalogue
from stockcast.models.tft import Tft
from stockcast.report.why_network import in_words


@pytest.fixture
def night(project, monkeypatch):
    def made(setting):
        return Tft(budget=SMALL, effort=setting.effort, warm_start=setting.warm_start, interpret=setting.interpret)

    monkeypatch.setitem(catalogue.MAKERS, "tft", made)
    sales = project.folder / "data" / "sales.csv"
    head, *lines = sales.read_text(encoding="utf-8").splitlines()
    at = [head.split(",").index(name) for name in ("sku", "location", "date")]
    keys = sorted({tuple(line.split(",")[column] for column in at[:2]) for line in lines})
    last = sorted({line.split(",")[at[2]] for line in lines})[-5]
    kept = [
        line for line in lines if tuple(line.split(",")[c] for c in at[:2]) != keys[0] or line.split(",")[at[2]] >= last
    ]
    sales.write_text("\n".join([head, *kept, ""]), encoding="utf-8")
    return project("run", "--set", "forecast.models=tft", "--set", "forecast.paths=40")


def test_a_network_is_interpreted(project, night):
    folder = project.file(night, "plan.csv").parent
    rows = list(csv.DictReader((folder / "models" / "tft_series.csv").read_text(encoding="utf-8").splitlines()))
    row = rows[0]
    told = project("explain", f"{row['sku']}@{row['location']}")["explanation"]
    assert told["weights"] == {"tft": 1.0}
    assert told["network"]["of"] == "series"
    shares = told["network"]["shares"]["encoder"]
    assert shares == {
        name.partition(":")[2]: float(value) for name, value in row.items() if name.startswith("encoder:")
    }
    said = " ".join(told["why_forecast"])
    first, share = next(iter(in_words(shares).items()))
    assert f"{first} {share:.0%}" in said
    assert "It attended " in said
    assert "an even share is" in said
    forecast = csv.DictReader(project.file(night, "forecast.csv").read_text(encoding="utf-8").splitlines())
    short = next(one for one in forecast if "periods of history" in one["fallback"])
    other = project("explain", f"{short['sku']}@{short['location']}")["explanation"]
    assert other["network"]["of"] == "others"
    assert "network" not in " ".join(other["why_forecast"])
    page = project.file(night, "report.html").read_text(encoding="utf-8")
    assert "What the network looked at" in page
    assert "Attention to the past" in page
    again = project("plan", "--set", "forecast.models=tft", "--set", "forecast.paths=40")
    later = project("explain", f"{row['sku']}@{row['location']}")
    assert later["run_id"] == again["run_id"]
    assert later["explanation"]["network"] == told["network"]
