"""docs/optimizer.md tells the meaning of every column of plan.csv, of every binding constraint and of every policy."""

import re
from pathlib import Path

import numpy as np

from planning_case import case, reviews
from stockcast.policies import POLICIES, plan
from stockcast.report.tables import plan_table

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


def test_every_policy_and_constraint_is_named():
    from stockcast.policies.explain import AFTER_PACKS

    assert all(f"`{name}`" in TEXT for name in (*AFTER_PACKS, "pack", "none"))
    assert all(f"`{name}`" in TEXT for name in POLICIES if name != "optimizer")
