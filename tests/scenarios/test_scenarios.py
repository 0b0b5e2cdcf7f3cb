"""Every folder here with a case.yml is a test; scenario_harness.py says what a case may hold."""

import re

import pytest
from scenario_harness import cases, load, run


@pytest.mark.parametrize("path", cases(), ids=lambda path: path.parent.name)
def test_scenario(path, tmp_path):
    run(path, tmp_path)


def test_every_case_names_the_row_that_it_holds():
    for path in cases():
        case = load(path)
        assert re.fullmatch(r"[A-Z]\d\d", case["id"]), path
        assert path.parent.name.startswith(case["id"].lower()), path
        assert case["note"], path


def test_the_whole_table_of_config_and_command_line_has_scenarios():
    told = {load(path)["id"] for path in cases()}
    assert {f"C{number:02d}" for number in range(1, 18)} <= told


def test_the_whole_table_of_plans_has_scenarios():
    told = {load(path)["id"] for path in cases()}
    assert {f"P{number:02d}" for number in range(1, 10)} <= told
