"""docs/optimizer.md tells the meaning of every column of transfers.csv."""

import re
from pathlib import Path

from stockcast.policies import propose
from stockcast.report.transfers import transfers_table
from transfer_case import two_places

TEXT = (Path(__file__).parents[2] / "docs" / "optimizer.md").read_text(encoding="utf-8")


def test_every_column_has_a_meaning():
    situation = two_places([50.0, 0.0])
    columns = list(transfers_table(propose(situation).transfers, situation))
    table = TEXT.split("`transfers.csv` is written")[1].split("## The other policies")[0]
    told = re.findall(
        r"`([\w.]+)`", "\n".join(line.split("|")[1] for line in table.splitlines() if line.startswith("| `"))
    )
    assert told == columns
