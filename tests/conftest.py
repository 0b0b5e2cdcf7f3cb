"""What all tests share: the folder of real data, and a count of what was skipped for want of it."""

import os
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]


def data_folder() -> Path:
    """Give the folder of real data: STOCKCAST_TEST_DATA, or shared/data beside the project."""
    return Path(os.environ.get("STOCKCAST_TEST_DATA", ROOT.parent / "shared" / "data"))


@pytest.fixture(scope="session")
def real_data() -> Path:
    folder = data_folder()
    if not folder.is_dir():
        pytest.skip(f"no real data in {folder} (STOCKCAST_TEST_DATA)")
    return folder


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Skip what needs real data where there is none."""
    if data_folder().is_dir():
        return
    skip = pytest.mark.skip(reason=f"no real data in {data_folder()} (STOCKCAST_TEST_DATA)")
    for item in items:
        if item.get_closest_marker("needs_data"):
            item.add_marker(skip)


LEFT_OUT = pytest.StashKey[int]()


def pytest_deselected(items: list[pytest.Item]) -> None:
    """Count what a marker leaves out; in a worker process, the summary of the run does not hear of it."""
    stash = items[0].config.stash
    stash[LEFT_OUT] = stash.get(LEFT_OUT, 0) + len(items)


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Let a worker process tell its count; every one collects the same tests."""
    if hasattr(session.config, "workeroutput"):
        session.config.workeroutput["left_out"] = session.config.stash.get(LEFT_OUT, 0)


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node, error: object) -> None:
    """Take the count of a worker process."""
    node.config.stash[LEFT_OUT] = getattr(node, "workeroutput", {}).get("left_out", 0)


def pytest_terminal_summary(terminalreporter, config: pytest.Config) -> None:
    """Say how many tests were skipped for want of real data, and how many others a marker left out."""
    skipped = [r for r in terminalreporter.stats.get("skipped", []) if "STOCKCAST_TEST_DATA" in str(r.longrepr)]
    left_out = config.stash.get(LEFT_OUT, 0)
    terminalreporter.write_line(f"skipped for want of real data: {len(skipped)} · left out by a marker: {left_out}")
