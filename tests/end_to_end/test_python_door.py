"""The commands as Python functions give the files of the command line, and their tables as frames."""

import pytest

import stockcast


def test_run_and_its_tables(project):
    typed = project("run")
    plan = project.file(typed, "plan.csv").read_bytes()
    outcome = stockcast.run(project.folder / "stockcast.yml")
    assert outcome.artifacts["plan.csv"].read_bytes() == plan
    frame = stockcast.table(outcome, "plan")
    assert len(frame) == typed["counts"]["series"]
    assert frame["sku"].iloc[0] == "000007"
    with pytest.raises(stockcast.UsageError, match="did you mean plan"):
        stockcast.table(outcome, "plann")
