import sys
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[1] / "models"))
from made_panels import panel

from stockcast.evaluation.scores import Outcome
from stockcast.evaluation.segments import segments
from stockcast.evaluation.selection import FEW, choose


def test_classes_of_demand():
    steady, wild = np.full(100, 5.0), np.tile([1.0, 1.0, 1.0, 30.0], 25)
    rare, lumpy = np.tile([0.0, 0.0, 4.0, 0.0], 25), np.zeros(100)
    lumpy[::4], lumpy[::20] = 1.0, 60.0
    told = segments(panel(np.stack([steady, wild, rare, lumpy, np.zeros(100)])))
    assert [name.split("-")[-1] for name in told] == ["smooth", "erratic", "intermittent", "lumpy", "idle"]


def test_abc_by_volume():
    volume = np.array([50.0, 30.0, 10.0, 6.0, 3.0, 1.0])
    told = segments(panel(np.repeat(volume[:, None], 40, axis=1)))
    assert [name[0] for name in told] == ["A", "A", "B", "B", "C", "C"]  # 80 % and 90 % lie before B, 96 % before C


def test_young_series_are_new():
    observed = np.ones((2, 60), dtype=bool)
    observed[1, :-20] = False
    assert segments(panel(np.full((2, 60), 3.0), observed=observed)).tolist() == ["A-smooth", "new"]


def outcome(single, total):
    n = len(single)
    rest = {name: np.zeros(n) for name in Outcome.__dataclass_fields__ if name not in {"single", "total", "covered"}}
    return Outcome(single=np.array(single), total=np.array(total), covered=np.zeros((n, 3)), **rest)


SEGMENT = np.array(["a"] * FEW + ["b"] * FEW + ["c"] * 2)
N = len(SEGMENT)


def test_each_segment_takes_its_best_and_a_small_one_that_of_all():
    first = np.where(SEGMENT == "a", 1.0, np.where(SEGMENT == "b", 3.0, 0.1))
    second = np.where(SEGMENT == "a", 2.0, np.where(SEGMENT == "b", 1.0, 9.0))
    chosen = choose([[outcome(first, first)], [outcome(second, second)]], SEGMENT)
    best_of_all = int(second.mean() < first.mean())
    assert chosen.tolist() == [0] * FEW + [1] * FEW + [best_of_all] * 2


def test_sums_weigh_as_much_as_single_periods():
    # the second is 10 % worse by periods, 30 % better by sums, though sums are a hundred times smaller
    chosen = choose(
        [[outcome(np.full(N, 1.0), np.full(N, 0.01))], [outcome(np.full(N, 1.1), np.full(N, 0.007))]], SEGMENT
    )
    assert (chosen == 1).all()


def test_equal_losses_go_to_the_first():
    same = [outcome(np.full(N, 1.0), np.full(N, 1.0))]
    assert (choose([same, same], SEGMENT) == 0).all()


def test_origins_are_pooled():
    a = [outcome(np.full(N, 1.0), np.full(N, 1.0)), outcome(np.full(N, 5.0), np.full(N, 5.0))]
    b = [outcome(np.full(N, 2.0), np.full(N, 2.0)), outcome(np.full(N, 2.0), np.full(N, 2.0))]
    assert (choose([a, b], SEGMENT) == 1).all()


def test_what_cannot_be_judged_does_not_choose():
    nothing = [outcome(np.full(N, np.nan), np.full(N, np.nan))]
    assert (choose([nothing, nothing], SEGMENT) == 0).all()
    only_single = [outcome(np.full(N, 2.0), np.full(N, np.nan))]
    better = [outcome(np.full(N, 1.0), np.full(N, np.nan))]
    assert (choose([only_single, better], SEGMENT) == 1).all()


def test_a_model_without_a_finite_loss_is_passed_over_and_spoils_no_choice():
    for bad in (np.inf, np.nan):
        broken, worse, good = (outcome(np.full(N, v), np.full(N, v)) for v in (bad, 2.0, 1.0))
        assert (choose([[broken], [worse], [good]], SEGMENT) == 2).all()


def test_a_third_model_does_not_turn_the_choice_between_two():
    # by periods the first is 20 % better, by sums the second is 10 %; the third is hopeless by periods alone
    first, second = outcome(np.full(N, 1.0), np.full(N, 1.1)), outcome(np.full(N, 1.2), np.full(N, 1.0))
    hopeless = outcome(np.full(N, 900.0), np.full(N, 1.2))
    assert (choose([[first], [second]], SEGMENT) == 0).all()
    assert (choose([[first], [second], [hopeless]], SEGMENT) == 0).all()


def test_one_series_that_hardly_ever_sold_does_not_choose_for_all():
    # its scale, the mean step of a history of zeros, is tiny: its loss is hundreds of steps, whatever the model
    first, second = np.full(N, 1.0), np.full(N, 0.8)
    first[0], second[0] = 400.0, 500.0
    assert (choose([[outcome(first, first)], [outcome(second, second)]], SEGMENT) == 1).all()


def test_where_nothing_is_judged_the_model_named_for_that_is_taken():
    nothing = [outcome(np.full(N, np.nan), np.full(N, np.nan))]
    assert (choose([nothing, nothing, nothing], SEGMENT, otherwise=2) == 2).all()


def test_a_panel_without_series_has_no_segments():
    none = panel(np.zeros((2, 40))).take(np.arange(0))
    assert len(segments(none)) == 0
