"""What the network looked at is kept by the night that made the forecast, told by `explain`, and drawn in the report."""

import csv
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[1] / "unit" / "models"))
from made_deep import SMALL

from stockcast.models import catalogue
from stockcast.models.tft import Tft


@pytest.fixture
def night(project, monkeypatch):
    def made(setting):
        return Tft(budget=SMALL, effort=setting.effort, warm_start=setting.warm_start, interpret=setting.interpret)

    monkeypatch.setitem(catalogue.MAKERS, "tft", made)
    return project("run", "--set", "forecast.models=tft", "--set", "forecast.paths=40")


def test_a_network_is_interpreted(project, night):
    folder = project.file(night, "plan.csv").parent
    rows = list(csv.DictReader((folder / "models" / "tft_series.csv").read_text(encoding="utf-8").splitlines()))
    row = rows[0]
    told = project("explain", f"{row['sku']}@{row['location']}")["explanation"]
    assert told["weights"] == {"tft": 1.0}
    shares = told["network"]["shares"]["encoder"]
    assert shares == {
        name.partition(":")[2]: float(value) for name, value in row.items() if name.startswith("encoder:")
    }
    said = " ".join(told["why_forecast"])
    first = max(shares, key=lambda name: (shares[name], name))
    assert f"{shares[first]:.0%}" in said
    assert "It attended most to" in said
    page = project.file(night, "report.html").read_text(encoding="utf-8")
    assert "What the network looked at" in page
    assert "Attention to the past" in page
    again = project("plan", "--set", "forecast.models=tft", "--set", "forecast.paths=40")
    later = project("explain", f"{row['sku']}@{row['location']}")
    assert later["run_id"] == again["run_id"]
    assert later["explanation"]["network"] == told["network"]
