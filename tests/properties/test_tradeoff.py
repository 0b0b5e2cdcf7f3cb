"""More service never holds less stock; each point is the plan that its setting would give; nothing is drawn twice."""

from dataclasses import replace

import numpy as np
import pytest

from planning_case import drawn, reviews
from stockcast.policies import grid, plan, tradeoff
from stockcast.policies.tradeoff import shifted
from whole_case import whole


def curve(situation, policy="newsvendor", objective="cost", target=0.0):
    factors, names = grid(objective, target)
    planned = plan(policy, situation, next_review=reviews(situation)).plan
    return tradeoff(policy, situation, planned.order_quantity, factors, names), planned


@pytest.mark.parametrize("objective", [0, 1, 2])
@pytest.mark.parametrize("seed", [0, pytest.param(1, marks=pytest.mark.slow), pytest.param(2, marks=pytest.mark.slow)])
def test_more_service_never_less_stock_of_lines_by_themselves(seed, objective):
    situation = drawn(seed, coupled=False, objective=objective, backorder=seed % 2 == 0)
    found, planned = curve(situation)
    assert np.array_equal(found.quantity[found.chosen][0], planned.order_quantity)
    for name in ("cycle_service", "fill_rate", "stock_units", "stock_value"):
        assert (np.diff(getattr(found, name)) >= -1e-9 * np.abs(getattr(found, name)).max()).all(), name
    assert not found.dominated.any()
    assert found.fill_rate[0] < found.fill_rate[-1]
    if objective == 0:
        best = found.cost_saving[found.chosen][0]
        assert (found.cost_saving <= best + 1e-6 * abs(best)).all()


@pytest.mark.parametrize("policy", ["optimizer", "order_up_to"])
def test_each_point_is_the_plan_of_its_setting(policy):
    situation = whole(4)
    found, _ = curve(situation, policy)
    for at in (0, len(found.factor) - 1):
        moved = replace(situation, terms=shifted(situation.terms, found.factor[at]))
        own = plan(policy, moved, next_review=reviews(situation)).plan.order_quantity
        assert np.array_equal(found.quantity[at], own)


def test_stock_and_service_against_a_walk_of_every_path():
    """A plain twin: each path walked period by period, one series and one unit of time after the other."""
    for seed, backorder in ((3, False), (4, True)):
        situation = drawn(seed, coupled=False, objective=0, backorder=backorder, n=8, n_paths=20)
        situation = replace(
            situation,
            terms=situation.terms.replace(
                lead_time_sd=np.zeros(8), at_review=np.ones(8, dtype=bool), orderable=np.ones(8, dtype=bool)
            ),
        )
        found, planned = curve(situation)
        paths, terms, state = situation.demand.paths(), situation.terms, situation.state
        stocks, risks, unmet, wanted = [], [], 0.0, 0.0
        for row in range(8):
            begin, end = int(terms.lead_time[row]), int(terms.lead_time[row] + terms.review_period[row])
            held, short = [], []
            for path in paths[row]:
                stock, missed = float(state.on_hand[row] - state.backorders[row]), 0.0
                for k in range(end):
                    stock += state.pipeline[row, k] + (planned.order_quantity[row] if k == begin else 0.0)
                    served = min(max(stock, 0.0), path[k])
                    left = stock - path[k] if backorder else max(stock - path[k], min(stock, 0.0))
                    if k >= begin:
                        missed += path[k] - served
                        wanted += path[k] / paths.shape[1]
                        held.append(max(left, 0.0))
                    stock = left
                short.append(missed > 1e-9)
                unmet += missed / paths.shape[1]
            stocks.append(np.mean(held))
            risks.append(np.mean(short))
        at = int(np.flatnonzero(found.chosen)[0])
        assert found.stock_units[at] == pytest.approx(sum(stocks))
        assert found.fill_rate[at] == pytest.approx(1 - unmet / wanted)
        assert found.cycle_service[at] == pytest.approx(1 - np.mean(risks), abs=0.05 if backorder else 1e-9)


def test_chunks_and_factors_change_nothing(monkeypatch):
    situation = drawn(5, coupled=False)
    whole_curve, planned = curve(situation)
    few = tradeoff("newsvendor", situation, planned.order_quantity, (0.1, 1.0), ("low", "the plan"))
    at = list(whole_curve.factor).index(0.1)
    assert np.array_equal(few.quantity[0], whole_curve.quantity[at])
    assert few.stock_value[0] == whole_curve.stock_value[at]
    factors, names = grid("cycle_service_level", 0.95)
    assert names[factors.index(1.0)] == "cycle_service_level 0.95"
    assert factors == tuple(sorted(factors))
