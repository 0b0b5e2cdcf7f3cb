from dataclasses import replace

import numpy as np
import pytest
from made_panels import panel, retail

from stockcast.core.errors import AlignmentError
from stockcast.models.uncensor import estimate, evidence
from stockcast.models.uncensor.walk import Learnt, walk


def test_a_stocked_series_is_its_own_evidence():
    told = evidence(panel([[1, 2, 3]]))
    assert told.values.tolist() == [[1, 2, 3]]
    assert not told.censored.any()


def test_periods_short_of_stock_are_masked_where_enough_others_are_there():
    in_stock = np.ones((1, 20))
    in_stock[0, 4], in_stock[0, 9] = 0.9, 0.0
    told = evidence(panel(np.full((1, 20), 2.0), in_stock=in_stock))
    assert np.flatnonzero(~told.used[0]).tolist() == [4, 9]
    assert told.values[0, [4, 9]].tolist() == [0, 0]
    assert not told.censored.any()


def test_recorded_sales_stand_in_where_too_few_are_stocked():
    told = evidence(panel([[4, 4, 4, 4, 4]], in_stock=[[1.0, 0.8, 0.5, 0.2, 0.0]]))
    assert told.censored.tolist() == [True]
    assert told.values.tolist() == [[4, 5, 8, 4, 0]]
    assert told.used.tolist() == [[True, True, True, True, False]]


def test_a_series_never_in_stock_counts_as_recorded():
    told = evidence(panel([[0, 1, 0]], in_stock=np.zeros((1, 3))))
    assert told.used.all()
    assert told.values.tolist() == [[0, 1, 0]]
    assert told.censored.all()


def test_fourteen_stocked_days_or_eight_weeks_suffice():
    in_stock = np.ones((1, 30))
    in_stock[0, 13:] = 0.5
    assert evidence(panel(np.ones((1, 30)), in_stock=in_stock)).censored.all()
    assert not evidence(panel(np.ones((1, 30)), in_stock=in_stock, step="week")).censored.any()


def test_a_short_history_in_stock_is_not_censored():
    observed = np.zeros((1, 10), dtype=bool)
    observed[0, 7:] = True
    told = evidence(panel(np.ones((1, 10)), observed=observed))
    assert not told.censored.any()
    assert told.used.sum() == 3


def test_an_estimate_of_a_stocked_panel_is_what_was_sold():
    past = panel([[1.0, 2.5, 3.0], [0.0, 0.0, 7.0]])
    told = estimate(past)
    assert told.values.tobytes() == past.sales.tobytes()
    assert not told.sd.any()
    assert told.told.all()
    assert (told.share == 1).all()


def test_an_estimate_adds_what_the_missing_share_would_have_sold():
    sales, in_stock = np.full((1, 40), 8.0), np.ones((1, 40))
    sales[0, 30], in_stock[0, 30] = 4.0, 0.5
    sales[0, 35], in_stock[0, 35] = 0.0, 0.0
    told = estimate(panel(sales, in_stock=in_stock))
    assert told.values[0, [30, 35]] == pytest.approx([8.0, 8.0], rel=0.03)
    assert 0 < told.sd[0, 30] < told.sd[0, 35] < 8.0
    assert np.flatnonzero(~told.told[0]).tolist() == [35]


def test_an_estimate_is_finite_and_never_below_what_was_sold():
    for past in (retail(12, 120), retail(9, 90, step="week")):
        told = estimate(past)
        assert (told.values >= past.sales).all()
        assert np.isfinite(told.values).all()
        assert np.isfinite(told.sd).all()
        assert (told.sd >= 0).all()
        full = past.fully_in_stock
        assert (told.values[full] == past.sales[full]).all()
        assert (told.sd[full] == 0).all()
        partly = past.observed & ~full & (np.arange(past.time.n) > 60) & (past.sales > 0)
        assert (told.sd[partly] > 0).all()
        before = np.arange(past.time.n) < past.first[:, None]
        assert before.any()
        assert not told.values[before].any()


@pytest.mark.parametrize("size", [1e-12, 1.0, 1e6, 1e150])
def test_an_estimate_of_any_size_is_finite(size):
    draw = np.random.default_rng(3)
    sales = size * draw.poisson(2.0, (6, 50))
    in_stock = np.where(draw.random((6, 50)) < 0.4, draw.random((6, 50)).round(1), 1.0)
    in_stock[5] = 0.0
    told = estimate(panel(sales, in_stock=in_stock))
    assert np.isfinite(told.values).all()
    assert np.isfinite(told.sd).all()
    assert (told.values >= sales).all()


def test_a_series_out_of_stock_from_its_first_day_on_is_expected_to_sell_as_its_group():
    draw = np.random.default_rng(1)
    sales, in_stock = draw.poisson(10.0, (6, 60)).astype(float), np.ones((6, 60))
    sales[5], in_stock[5] = 0.0, 0.0
    told = estimate(panel(sales, in_stock=in_stock, category=np.array(["a"] * 6)))
    assert told.values[5, 20:].mean() == pytest.approx(10.0, rel=0.1)
    assert (told.sd[5, 20:] > 1.0).all()


def test_a_day_on_which_the_group_sold_double_is_expected_to_be_double_where_stock_was_out():
    sales, in_stock = np.full((150, 60), 20.0), np.ones((150, 60))
    sales[:, 50] = 40.0
    sales[0, 50], in_stock[0, 50] = 0.0, 0.0
    told = estimate(panel(sales, in_stock=in_stock, category=np.array(["a"] * 150)))
    assert told.values[0, 50] == pytest.approx(40.0, rel=0.1)
    alone = estimate(panel(sales, in_stock=in_stock), groups=(np.arange(150),))
    assert alone.values[0, 50] == pytest.approx(20.0, rel=0.01)


def test_a_poisoned_series_moves_no_other():
    past = retail(12, 150)
    others = np.arange(12) != 4
    found = []
    for size in (2.0**54, 1e200):
        sales, observed = past.sales.copy(), past.observed.copy()
        sales[4, 90:], observed[4, 90:] = size, True
        told = estimate(
            panel(sales, observed=observed, in_stock=past.in_stock, category=past.attributes.column("category"))
        )
        assert np.isfinite(told.values).all()
        assert np.isfinite(told.sd).all()
        found.append(told)
    assert found[0].values[others].tobytes() == found[1].values[others].tobytes()
    assert found[0].sd[others].tobytes() == found[1].sd[others].tobytes()
    np.testing.assert_allclose(found[0].values[others], estimate(past).values[others], rtol=0.1, atol=0.05)


def test_a_walk_of_some_series_is_that_of_all():
    past = retail(11, 100)
    share = np.where(past.observed, past.in_stock, 0.0)
    learnt = replace(Learnt.nothing((100, 11)), partly=True)
    some = replace(Learnt.nothing((100, 3)), partly=True)
    for whole, part in zip(
        walk(past.sales, share, learnt, "day"), walk(past.sales[4:7], share[4:7], some, "day"), strict=True
    ):
        for name in ("mean", "asked", "ratio", "unit", "level", "served"):
            assert getattr(whole, name)[4:7].tobytes() == getattr(part, name).tobytes()


def test_an_estimate_asks_for_a_label_a_series():
    with pytest.raises(AlignmentError, match="labels for 3 series"):
        estimate(panel(np.ones((3, 5))), groups=(np.arange(2),))


def test_what_never_had_stock_tells_nothing_unless_it_sold():
    sales = np.zeros((2, 40))
    sales[1, 5] = 3.0
    told = evidence(panel(sales, in_stock=np.zeros((2, 40))))
    assert not told.used[0].any()
    assert told.used[1].all()
    assert told.values[1].sum() == 3.0
