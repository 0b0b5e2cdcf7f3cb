import pytest

from stockcast.evaluation.folds import LEAST, rolling


@pytest.mark.parametrize("periods", [1, 5, 27, 28, 60, 90, 400])
@pytest.mark.parametrize("horizon", [1, 7, 28, 200])
@pytest.mark.parametrize("step", ["day", "week"])
def test_windows_lie_inside_and_do_not_overlap(periods, horizon, step):
    cut = rolling(periods, horizon, 4, step)
    assert 1 <= cut.window <= horizon
    assert len(cut.known) <= 4
    assert all(known >= max(LEAST[step], cut.window) for known in cut.known)
    assert all(later - earlier == cut.window for earlier, later in zip(cut.known, cut.known[1:], strict=False))
    assert not cut.known or cut.known[-1] + cut.window == periods


def test_a_short_history_has_fewer():
    assert len(rolling(90, 28, 4, "day").known) == 2
    assert rolling(28, 7, 4, "day").known == ()
    assert rolling(1000, 28, 0, "day").known == ()
