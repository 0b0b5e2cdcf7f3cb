"""The page is one inert file, the same on every run."""

import re
from html.parser import HTMLParser

import numpy as np
import pytest

from stockcast.core.findings import Alert, Issue, RowCount
from stockcast.report.charts import bar_chart, demand_chart, nice_ticks
from stockcast.report.html import ReportData, _leaderboard, page, write_report
from stockcast.report.outlook import expected_stock
from stockcast.report.tables import forecast_table, plan_table

LEVELS = (0.1, 0.5, 0.9)
EVIL = '<img src=x onerror="alert(1)">'


class Tags(HTMLParser):
    """Collects tags and attributes, and whether every tag is closed."""

    def __init__(self):
        super().__init__()
        self.tags: set[str] = set()
        self.attributes: set[str] = set()
        self.open: list[str] = []

    def handle_starttag(self, tag, attrs):
        self.tags.add(tag)
        self.attributes |= {name for name, _ in attrs}
        if tag not in ("meta", "line", "polyline", "polygon", "rect"):
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.tags.add(tag)
        self.attributes |= {name for name, _ in attrs}

    def handle_endtag(self, tag):
        assert self.open.pop() == tag


@pytest.fixture
def data(night) -> ReportData:
    forecast = forecast_table(night.demand, LEVELS, night.model, night.fallback)
    return ReportData(
        title=f"Shop {EVIL}",
        command=f"stockcast run {EVIL}",
        status="degraded",
        panel=night.panel,
        demand=night.demand,
        forecast=forecast,
        plan=plan_table(night.plan, night.situation, night.model, night.fallback),
        state=night.state,
        issues=[Issue("error", "SC-D014", EVIL, EVIL, EVIL, line=3, count=311)],
        alerts=[Alert("warning", "SC-X001", EVIL, EVIL, sku=EVIL, value=12.0)],
        rows={EVIL: RowCount(10, 9, 0, 0, 1)},
        scores=[("all", EVIL, "pinball", 0.8), ("all", "ets", "pinball", 0.7), ("all", "theta", "bias", float("nan"))],
        notes=[EVIL, "b\u202ec😀"],
        transfers={
            **dict.fromkeys(("sku", "from_location", "to_location", "reason"), np.array([EVIL])),
            **dict.fromkeys(("quantity", "line_value", "order_cost_share", "expected_cost_saving"), np.ones(1)),
            "expected_receipt_date": np.array(["2026-01-01"], dtype="datetime64[D]"),
        },
    )


def test_every_text_is_inert_and_nothing_is_loaded(data):
    text = page(data)
    tags = Tags()
    tags.feed(text)
    assert tags.open == []
    assert not tags.tags & {"script", "img", "link", "iframe", "object", "base", "form"}
    assert not [name for name in tags.attributes if name.startswith("on") or name in ("src", "href", "onmouseover")]
    assert "\u202e" not in text
    assert "⟨U+202E⟩" in text
    assert "😀" in text
    assert not re.search(r"https?://|url\(|@import", text)


def test_what_a_planner_looks_for_is_there(data):
    text = page(data)
    for part in ("2024-03-04", "2024-03-11", "degraded", "Acme", "Zeta", "311", "ets", "too short"):
        assert part in text
    assert ">30</b>" in text.replace(" ", "")  # the order value
    assert text.count("<svg") >= 1 + 1 + 2 * 2  # suppliers, total, a pair for each ordered line


def test_same_bytes(data, tmp_path):
    for name in ("a.html", "b.html"):
        write_report(tmp_path / name, data)
    assert (tmp_path / "a.html").read_bytes() == (tmp_path / "b.html").read_bytes()


def test_a_forecast_alone_and_an_empty_plan_have_a_page(data, night):
    alone = ReportData("t", "stockcast forecast", "ok", data.panel, data.demand, data.forecast)
    assert "Orders by supplier" not in page(alone)
    nothing = {**data.plan, "order_quantity": np.zeros(3)}
    assert "Nothing to order" in page(
        ReportData("t", "stockcast plan", "ok", data.panel, data.demand, data.forecast, nothing, data.state)
    )


def test_expected_stock_is_stepped_by_the_convention(night):
    mean = np.array([4.0, 4.0, 4.0])
    # 5 on hand, 1 arriving in each period; an order of 10 with lead time 2 serves the third period
    assert expected_stock(night.state, 0, mean, 10.0, 2).tolist() == [2.0, 0.0, 7.0]
    assert expected_stock(night.state, 0, mean, 0.0, 2).tolist() == [2.0, 0.0, 0.0]


def test_an_empty_shelf_is_drawn_no_further_than_the_protection_interval(night):
    made = ReportData(
        title="a", command="b", status="ok", panel=night.panel, demand=night.demand,
        forecast=forecast_table(night.demand, LEVELS, night.model, night.fallback),
        plan=plan_table(night.plan, night.situation, night.model, night.fallback), state=night.state,
    )  # fmt: skip
    at = int(np.flatnonzero(made.plan["order_quantity"] > 0)[0])
    charts = re.findall(r'aria-label="expected stock".*?<polyline class="stock" points="([^"]*)"', page(made), re.S)
    counts = {len(points.split()) for points in charts}
    mean = night.demand.mean()[at]
    stocks = expected_stock(
        night.state, at, mean, float(made.plan["order_quantity"][at]), int(made.plan["lead_time"][at])
    )
    last = int(np.flatnonzero(stocks > 0)[-1]) if (stocks > 0).any() else -1
    protected = int(made.plan["lead_time"][at] + made.plan["review_period"][at]) + 1
    assert min(max(protected, last + 2), night.demand.horizon) in counts


def test_charts_of_nothing():
    assert nice_ticks(float("nan")) == [0.0, 1.0]
    day = np.array(["2026-11-22"], dtype="datetime64[D]")
    assert "nan" not in demand_chart(day, np.zeros(0), np.zeros(1), None, None)
    assert "nan" not in bar_chart(["a"], [0.0], label="x")


def test_the_best_of_a_coverage_is_the_nearest_to_its_level():
    told = [("all", "ets", "coverage_sum_0.95", 0.99), ("all", "tsb", "coverage_sum_0.95", 0.94)]
    bold = re.findall(r"<(?:b|strong|td class=\"?[^>]*best[^>]*)>([^<]*)<", _leaderboard(told))
    assert [float(value) for value in bold] == [0.94]
