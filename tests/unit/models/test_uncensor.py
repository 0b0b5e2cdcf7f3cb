import numpy as np
from made_panels import panel

from stockcast.models.uncensor import evidence


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
