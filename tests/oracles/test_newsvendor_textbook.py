"""The newsvendor of the books, to their digits, and plain twins of what is computed fast."""

import numpy as np
import pytest
from scipy.stats import norm, poisson

from planning_case import case, drawn
from stockcast.policies import Newsvendor, Orderable
from stockcast.policies.newsvendor import aim
from stockcast.policies.projection import Part, arrivals, batches, project


def even(quantile, n):
    """The quantiles at the middle of n equal slices of probability: a distribution as paths of one period."""
    return quantile((np.arange(n) + 0.5) / n)[None, :, None]


def one(situation):
    return aim(Part.of(situation))


def test_normal_demand():
    """h .18, p .7, N(50, 8): S = 56.60396, cost 1.997605 (Snyder & Shen, example 4.3)."""
    n = 20_000
    found = one(case(even(lambda u: norm.ppf(u, 50, 8), n), holding_cost=0.18, shortage_cost=0.7, sales=0.5))
    assert found.units[0] == pytest.approx(56.60396, abs=2e-3)  # one slice of probability is 1.2e-3 wide there
    assert found.curve.cost(found.units[:, None])[0, 0] == pytest.approx(1.997605, abs=1e-4)


def test_poisson_demand():
    """h 200, p 270, Poisson 18: S = 19, cost 786.0884."""
    n = 200_000
    situation = case(even(lambda u: poisson.ppf(u, 18), n), holding_cost=200, shortage_cost=270)
    found = one(situation)
    assert found.units[0] == 19
    assert found.curve.cost(found.units[:, None])[0, 0] == pytest.approx(786.0884, abs=5e-3)  # atoms to 1 in 200,000
    assert Orderable(Newsvendor()).order(situation).tolist() == [19]


@pytest.mark.parametrize(("holding", "shortage"), [(1, 3), (0.1, 0.3), (1, 9), (2, 1), (0.07, 0.63), (1, 1)])
def test_one_period_is_the_smallest_stock_whose_probability_reaches_the_ratio(holding, shortage):
    paths = np.random.default_rng(4).permutation(np.arange(1.0, 41.0))[None, :, None]
    found = one(case(paths, holding_cost=holding, shortage_cost=shortage))
    smallest = next(s for s in range(1, 41) if s / 40 >= shortage / (shortage + holding) - 1e-12)
    assert found.free[0] == smallest


def test_the_quantile_of_a_sum_is_not_the_sum_of_quantiles():
    """Poisson(3) over 4 periods: the 95 % quantile of the sum is 18, the quantiles add to 24."""
    paths = np.random.default_rng(1).poisson(3.0, (1, 60_000, 4))
    situation = case(paths, review_period=4, objective=1, target=0.95)
    assert Newsvendor().order(situation)[0] == 18
    assert poisson.ppf(0.95, 12) == 18
    assert 4 * poisson.ppf(0.95, 3) == 24


def test_a_fill_rate_is_a_loss_function():
    paths = np.random.default_rng(2).poisson(20.0, (1, 4000, 1))
    quantity = Newsvendor().order(case(paths, objective=2, target=0.97))[0]
    demand = paths[0, :, 0]
    served = np.minimum(demand, quantity).sum() / demand.sum()
    assert served == pytest.approx(0.97, abs=1e-9)
    assert quantity < np.quantile(demand, 0.97)


@pytest.mark.parametrize("lead_time", range(6))
@pytest.mark.parametrize("review", range(1, 5))
def test_constant_demand_is_covered_exactly(lead_time, review):
    """With demand d the level is d·(L + R): the stock at arrival is nothing and the order lasts to the next one."""
    d = 5.0
    paths = np.full((1, 3, 12), d)
    situation = case(paths, lead_time=lead_time, review_period=review, on_hand=d * lead_time, shortage_cost=99)
    found = one(situation)
    assert found.order_up_to_level[0] == d * (lead_time + review)
    assert Orderable(Newsvendor()).order(situation).tolist() == [d * review]


def twin(situation, row, path, units, rng_arrivals):
    """Walk one path of one series period by period: (cost, unmet in the window, stock at arrival)."""
    terms, backorder = situation.terms, situation.shared.unmet_demand == "backorder"
    demand = situation.demand.paths()[row, path]
    here, after = rng_arrivals
    stock = situation.state.on_hand[row] - situation.state.backorders[row]
    cost = unmet = 0.0
    at_arrival = None
    for t in range(after):
        stock += situation.state.pipeline[row, t]
        if t == here:
            at_arrival = stock
            stock += units
        left = stock - demand[t]
        if t < here:
            stock = left if backorder else max(left, min(stock, 0.0))
            continue
        if backorder:
            unmet += max(demand[t] - max(stock, 0.0), 0.0)
            cost += terms.holding_cost[row] * max(left, 0.0) + terms.shortage_cost[row] * max(-left, 0.0)
            stock = left
        else:
            short = max(-left, 0.0)
            unmet += short
            stock = left + short
            cost += terms.holding_cost[row] * stock + terms.shortage_cost[row] * short
    return cost, unmet, at_arrival


@pytest.mark.parametrize("backorder", [False, True])
@pytest.mark.parametrize("seed", [2, 3, 11])
def test_projection_and_cost_curve_against_a_plain_walk(seed, backorder):
    situation = drawn(seed, n=8, n_paths=15, coupled=False, objective=0, backorder=backorder)
    from stockcast.core.random import Stream

    stream = Stream(situation.demand.stream.seed, "policies/lead_time")
    for rows in batches(Part.of(situation)):
        part = Part.of(situation).take(rows)
        projection, found = project(part), aim(part)
        here, after = arrivals(part.terms, stream, 15, situation.demand.horizon)
        for units in (0.0, 3.0, 17.0, 60.0):
            costs = found.curve.cost(np.full((len(rows), 1), units))[:, 0]
            for at, row in enumerate(rows.tolist()):
                walked = [twin(situation, row, s, units, (here[at, s], after[at, s])) for s in range(15)]
                assert costs[at] == pytest.approx(np.mean([w[0] for w in walked]), rel=1e-9, abs=1e-9)
                windows = after[at] > here[at]
                stock = np.array([w[2] if w[2] is not None else np.nan for w in walked])
                np.testing.assert_allclose(projection.stock[at][windows], stock[windows])
                if not backorder:
                    assert found.unmet(np.full((len(rows), 1), units))[at, 0] >= 0


def test_economic_order_quantity():
    """K 8, h .225 a year, D 1300 a year → Q = 304.0468: with constant demand the order follows it."""
    daily = 1300 / 365
    situation = case(
        np.full((1, 2, 120), daily), holding_cost=0.225 / 365, order_cost=8.0, shortage_cost=50.0, sales=0.5
    )
    assert Newsvendor().order(situation)[0] == pytest.approx(304.0468, rel=0.01)


def test_a_minimum_beyond_what_pays_is_not_ordered():
    """A MOQ of Q pays in the long run only while hQ/(2d) < p."""
    paths = np.random.default_rng(0).poisson(1.0, (2, 300, 30))
    terms = {"review_period": 7, "holding_cost": 0.02, "shortage_cost": 2.0}
    assert Orderable(Newsvendor()).order(case(paths, moq=[60, 600], **terms)).tolist() == [60, 0]
