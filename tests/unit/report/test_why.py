"""Sentences for a planner: each number of a line stands in them, and nothing is said of what is not there."""

from datetime import date

import pytest

from stockcast.policies import STEPS
from stockcast.report import why_forecast, why_quantity

PLAN = {
    "sku": "s", "location": "LYON", "supplier": "ACME", "order_quantity": 48.0, "order_packs": 4.0, "pack_size": 12.0,
    "order_date": date(2026, 3, 5), "expected_receipt_date": date(2026, 3, 12), "line_value": 96.0, "moq": 24.0,
    "demand_mean": 41.2, "demand_q0.9": 58.0, "unconstrained_quantity": 44.3, "binding_constraint": "pack",
    "stockout_risk_without": 0.93, "stockout_risk_with": 0.14, "expected_cost_saving": 187.0, "marginal_value": 0.021,
    "priority": 3, "cumulative_spend": 512.0, "days_of_cover": 20.0, "reason": "x; until y",
}  # fmt: skip
LINE = dict.fromkeys(STEPS, 0.0) | {
    "need": 41.2, "safety": 12.1, "on_hand": -9.0, "pack": 3.7, "order_quantity": 48.0,
    "receipt_date": date(2026, 3, 12), "next_receipt_date": date(2026, 3, 26), "demand_q0.1": 27.0,
    "stock_at_receipt": 9.2, "unmet_without": 8.2, "shortage_cost": 25.9, "holding_cost": 0.01, "order_cost": 0.0,
    "objective": "cost", "target": None, "min_stock": 0.0, "most": None, "ordered_now": 0.0, "unmet_demand": "lost",
}  # fmt: skip


def test_a_line_as_a_planner_needs_it():
    said = " ".join(why_quantity.sentences(PLAN, LINE, {"budget": 0.37}, 120))
    for text in (
        "Order 48 (4 × 12) from ACME on 2026-03-05 for receipt on 2026-03-12, worth 96.00.",
        "Until the next possible receipt, 2026-03-26, demand is expected at 41 (80 % range 27–58)",
        "9.2 are expected to be left when it arrives",
        "Without the order the risk of a stockout from 2026-03-12 to 2026-03-26 is 93%",
        "8.2 units expected to be lost at a cost of 212.38; with it 14%; the order saves 187.00 in all",
        "48 instead of the 44 that its costs alone ask for: whole packs of 12 added 3.7",
        "The minimum of 24 is not binding",
        "line 3 of 120 by what it saves for its money, with 512.00 spent down to it",
        "The next larger quantity would save 0.021 for each unit of money",
        "One more unit of budget would save 0.37",
    ):
        assert text in said, (text, said)


@pytest.mark.parametrize(
    ("step", "units", "text"),
    [
        ("budget", -12.0, "the budget cut 12"),
        ("storage", -12.0, "the room at LYON cut 12"),
        ("moq", 12.0, "the minimum of 24 added 12"),
        ("max_order", -12.0, "the maximum cut 12"),
        ("supplier_minimum", 12.0, "the minimum or the order cost of ACME added 12"),
        ("truck", -12.0, "the trucks of ACME cut 12"),
        ("price_break", 12.0, "a price break of ACME added 12"),
    ],
)
def test_every_limit_is_named_with_its_units(step, units, text):
    said = " ".join(why_quantity.sentences(PLAN, LINE | {step: units}, {}, 5))
    assert text in said
    assert ("The minimum of 24 is not binding" in said) == (step != "moq")
    told = why_quantity.waterfall_of(LINE | {step: units}, PLAN)
    assert [one["units"] for one in told if one["step"] == step] == [units]
    assert set(STEPS) == set(why_quantity.LABELS)


def test_a_room_that_only_transfers_reach_has_a_price_too():
    plan = PLAN | {"order_quantity": 0.0, "binding_constraint": "not_orderable", "reason": "fed from W: nothing comes"}
    assert why_quantity.sentences(plan, LINE, {"storage LYON": 1.5, "storage X": 9.0}, 5) == [
        "Fed from W: nothing comes.", "One more unit of room at LYON would save 1.5.",
    ]  # fmt: skip


def test_what_is_left_of_a_limit_and_what_lasts_are_told_by_their_reasons():
    more = LINE | {"supplier_minimum": -24.0, "budget": 12.0}
    said = " ".join(why_quantity.sentences(PLAN, more, {}, 5))
    assert "what was left of the budget bought 12 more" in said
    labels = [one["what"] for one in why_quantity.waterfall_of(more, PLAN)]
    assert "what was left of the budget" in labels
    said = " ".join(why_quantity.sentences(PLAN, LINE | {"storage": 12.0}, {}, 5))
    assert "the terms of the order to ACME, within the room at LYON, added 12" in said
    long = {"days_of_cover": 80.0, "order_quantity": 148.0, "binding_constraint": "price_break"}
    dear = LINE | {"order_cost": 2.5, "cycle": 20.0, "price_break": 100.0}
    said = " ".join(why_quantity.sentences(PLAN | long, dear, {}, 5))
    assert "It covers 80 days, for the price break of ACME." in said
    alone = {"days_of_cover": 80.0, "unconstrained_quantity": 48.0}
    said = " ".join(why_quantity.sentences(PLAN | alone, dear | {"price_break": 0.0}, {}, 5))
    assert "It covers 80 days, since each order line costs 2.5." in said
    odd = PLAN | {"order_quantity": 16.8, "order_packs": 7.0, "pack_size": 2.4, "unconstrained_quantity": 16.23}
    said = " ".join(why_quantity.sentences(odd, LINE | {"pack": 0.57}, {}, 5))
    assert "Order 16.8 (7 × 2.4) from ACME" in said
    assert "16.8 instead of the 16.2 that its costs alone ask for: whole packs of 2.4 added 0.6" in said


def test_a_line_that_is_not_ordered_and_a_service_target():
    plan = PLAN | {"order_quantity": 0.0, "reason": "no review until 2026-03-09", "binding_constraint": "no_review",
                   "line_value": None, "order_packs": 0.0}  # fmt: skip
    said = why_quantity.sentences(plan, LINE | {"no_review": -44.3}, {"budget": 1.0}, 5)
    assert said[0] == "No review until 2026-03-09."
    assert "when an order could arrive, 2026-03-12" in said[1]
    assert "with it" not in " ".join(said)
    assert "budget" not in " ".join(said)
    served = LINE | {"objective": "fill_rate", "target": 0.98, "unmet_demand": "backorder"}
    said = " ".join(why_quantity.sentences(PLAN, served, {}, 5))
    assert "The target is a fill rate of 0.98; it implies a shortage cost of 25.9 a unit" in said
    assert "up to 8.2 units waiting" in said
    assert "at a cost" not in said
    assert "saves" not in said.replace("by what it saves for its money", "")
    assert why_quantity.sentences(PLAN, None, {}, 5) == ["X; until y"]


def test_the_forecast_side():
    history = {
        "segment": "A-smooth", "first_date": date(2025, 1, 1), "periods": 430, "recent_sales": 6.1, "before_sales": 5.2,
        "year_ago_sales": None, "short_recent": 3, "short_year": 20, "sales_stand_in": "no",
    }  # fmt: skip
    rows = [
        {"segment": segment, "model": model, "origin": date(2026, 1, at), "metric": "scaled_quantile_loss", "value": value}
        for segment, shift in (("A-smooth", 0.0), ("all", 9.0))
        for model, values in (("ets", (0.3, 0.5)), ("theta", (0.6, 0.4)), ("seasonal_naive", (0.4, 0.6)), ("tsb", (0, 0)))
        for at, value in enumerate((one + shift for one in values), 1)
    ]  # fmt: skip
    members = why_forecast.members_of("ets 0.7 + theta 0.3")
    backtest = why_forecast.backtest_of(rows, "A-smooth", list(members))
    assert backtest["origins"] == 2
    assert set(backtest["scores"]) == {"ets", "theta", "seasonal_naive"}
    forecast = [{"date": date(2026, 3, 2 + at), "mean": 12.0 if at % 7 == 5 else 5.0} for at in range(28)]
    season = why_forecast.season_of(forecast, "day")
    said = " ".join(why_forecast.sentences("ets 0.7 + theta 0.3", "why", history, season, backtest, "day"))
    for text in (
        "weighted average of ets (70%), theta (30%), chosen for the segment A-smooth, from 430 recorded periods",
        "At 2 earlier origins, over its segment, the error (scaled quantile loss) was ets 0.400, theta 0.500, against 0.500",
        "(20% less)",
        "It expects 6 a day over the next 28 days; 6.1 a day were sold in the last four weeks, 5.2 in the four before.",
        "The strongest day is Saturday (2.00 times the mean), the weakest Monday (0.83).",
        "Stock was out or short in 20 days of the last year, 3 of them in the last four weeks: those sales are a lower bound",
        "What stood in: why.",
    ):
        assert text in said, (text, said)
    assert said.startswith("What stood in: why. It stood in, wholly or in part, for the weighted average of ets")
    alone = why_forecast.sentences("ets 0.7 + theta 0.3", "", history, season, backtest, "day")
    assert alone[0].startswith("The forecast is the weighted average of ets")
    equal = {"segment": "all", "origins": 2, "scores": {
        name: {"scaled_quantile_loss": value} for name, value in (("ets", 2.2781), ("seasonal_naive", 2.2782))
    }}  # fmt: skip
    said = " ".join(why_forecast.sentences("ets", "", history, season, equal, "day"))
    assert "was ets 2.278, and no other of the seasonal naive." in said
    assert "% less" not in said
    few = why_forecast.backtest_of(rows, "C-lumpy", ["ets"])
    assert few["segment"] == "all"
    assert few["scores"]["ets"]["scaled_quantile_loss"] == pytest.approx(9.4)
    assert why_forecast.backtest_of(rows, "A-smooth", ["category_profile"]) == {}
