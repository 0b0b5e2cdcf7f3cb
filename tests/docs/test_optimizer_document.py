"""docs/optimizer.md tells the meaning of every column of plan.csv, of every binding constraint and of every policy."""

import re
from pathlib import Path

import numpy as np

from planning_case import case, reviews
from stockcast.policies import POLICIES, grid, plan, tradeoff
from stockcast.report.tables import plan_table
from stockcast.report.tradeoff import tradeoff_table
from stockcast.report.waterfall import waterfall_table

TEXT = (Path(__file__).parents[2] / "docs" / "optimizer.md").read_text(encoding="utf-8")


def test_every_column_has_a_meaning():
    situation = case(np.ones((1, 4, 5)))
    made = plan("auto", situation, next_review=reviews(situation)).plan
    columns = list(plan_table(made, situation, np.array(["ets"]), np.array([""])))
    table = TEXT.split("## The columns of plan.csv")[1].split("## Where")[0]
    told = re.findall(
        r"`([\w.]+)`", "\n".join(line.split("|")[1] for line in table.splitlines() if line.startswith("| `"))
    )
    assert told == columns


def told(title, before):
    lines = TEXT.split(title)[1].split(before)[0].splitlines()
    return re.findall(r"`([\w.]+)`", "\n".join(line.split("|")[1] for line in lines if line.startswith("| `")))


def test_every_column_of_the_waterfall_and_the_curve_has_a_meaning():
    situation = case(np.ones((1, 4, 5)))
    planned = plan("auto", situation, next_review=reviews(situation))
    assert told("## Why this quantity", "## What if") == list(waterfall_table(planned, situation))[2:]
    factors, names = grid("cost", 0.0)
    curve = tradeoff("auto", situation, planned.plan.order_quantity, factors, names)
    named = told("| column of tradeoff.csv", "## The columns")
    assert sorted(named) == sorted(tradeoff_table(curve))


def test_every_policy_and_constraint_is_named():
    from stockcast.policies.explain import AFTER_PACKS

    assert all(f"`{name}`" in TEXT for name in (*AFTER_PACKS, "pack", "none"))
    assert all(f"`{name}`" in TEXT for name in POLICIES if name != "optimizer")
