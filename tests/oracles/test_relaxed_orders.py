"""What is planned and bounded without a solver, against enumeration and HiGHS; greedy repairs against plain twins."""

from dataclasses import replace

import numpy as np
import pytest
from coupled_instance import best_of_all, cost_of, instance, table

from stockcast.policies import budget as budget_module
from stockcast.policies.budget import near_enough, priced
from stockcast.policies.coupling import Goods, Limit, Order, Tier, Trucks, total_cost
from stockcast.policies.hull import Hull
from stockcast.policies.milp import Answer, Solver, Solving, solve
from stockcast.policies.milp.solving import answer
from stockcast.policies.prices import prices
from stockcast.policies.relaxed import relax
from stockcast.policies.repair import cut, use_the_rest


class Here(Solver):
    def ask(self, name, problem, time_limit):
        return answer(name, problem, time_limit)


class Never(Solver):
    def ask(self, name, problem, time_limit):
        return Answer(name, "failed: asked", None, problem.floor, 0.0)


@pytest.mark.parametrize("begin", range(0, 200, 20))
def test_the_bound_lies_below_the_best_and_the_plan_keeps_every_term(begin):
    for seed in range(begin, begin + 20):
        lines, every, goods, _ = instance(seed)
        rng = np.random.default_rng(seed)
        price = rng.choice([0.0, 0.3, 1.0]) * rng.uniform(0, 1, len(lines.chosen))
        dear = replace(lines, cost=lines.cost + price[:, None] * lines.quantity)
        hull = Hull.of(lines.quantity, lines.cost)
        for order in every:
            found = relax(order, lines, goods, hull, price, lines.chosen)
            others = np.ones(len(lines.chosen), dtype=bool)
            others[order.rows] = False
            apart = float(dear.cost[others].min(axis=1).sum())
            best = best_of_all(dear, [order], goods, []) - apart
            plan = np.argmin(dear.cost, axis=1)
            plan[order.rows] = found.chosen
            assert found.bound <= best + 1e-6, seed
            assert found.cost >= best - 1e-6, seed
            assert cost_of(dear, [order], goods, plan) - apart == pytest.approx(found.cost, abs=1e-6), seed


def large(seed, n=140):
    """One order of many lines with every term, as a supplier's is."""
    rng = np.random.default_rng(seed)
    lines = table(rng, n, 12)
    goods = Goods(rng.integers(1, 9, n).astype(float), rng.integers(1, 4, n) / 2.0, rng.integers(1, 6, n) / 4.0)
    at = lines.at(lines.chosen)
    value, volume, weight = (float(at @ use) for use in (goods.cost, goods.volume, goods.weight))
    order = Order(
        "v", np.arange(n), header=float(rng.choice([0, 40])), value=float(rng.choice([0, 1.1])) * value,
        units=float(rng.choice([0, 0.9])) * float(at.sum()),
        trucks=Trucks(0.3 * volume, float(rng.choice([0, 0.4])) * weight, 0.01 * value, float(rng.choice([0, 0.6]))),
        tiers=(Tier(1.05 * value, 0.02), Tier(1.6 * value, 0.04)) if seed % 2 else (),
    )  # fmt: skip
    return lines, order, goods


@pytest.mark.parametrize("seed", range(6))
def test_an_order_of_many_lines_is_planned_nearly_as_well_as_by_highs(seed):
    lines, order, goods = large(seed)
    hull = Hull.of(lines.quantity, lines.cost)
    found = relax(order, lines, goods, hull, np.zeros(len(lines.chosen)), lines.chosen)
    solved = solve("v", lines, [order], goods, Solving(Here())).solve
    possible = float((lines.cost[:, 0] - lines.cost.min(axis=1)).sum())
    assert found.bound <= solved.objective + 1e-6
    assert found.cost >= solved.bound - 1e-6
    assert found.cost - found.bound <= 0.01 * possible
    assert order.keeps(lines.quantity[order.rows, found.chosen], goods)


def test_only_orders_whose_plan_is_in_doubt_go_to_a_solver(monkeypatch):
    lines, order, goods = large(1)
    limits = [Limit("budget", goods.cost, 0.7 * float(lines.at(lines.chosen) @ goods.cost))]
    price = prices(lines, [order], goods, limits)
    given = (lines, [order], lines.chosen, goods, limits, price)
    monkeypatch.setattr(budget_module, "CLOSE", 1.0)
    alone = priced(*given, [Solving(Never())])
    assert [one.solver for one in alone.solves] == ["price"]
    monkeypatch.setattr(budget_module, "CLOSE", -1.0)
    helped = priced(*given, [Solving(Here())])
    assert helped.solves[-1].bound >= alone.solves[-1].bound - 1e-9
    refused = priced(*given, [Solving(Never())])  # a solver that fails costs nothing but its help
    assert [one.status for one in refused.solves] == ["failed: asked", "failed: asked", "feasible"]
    assert np.array_equal(refused.chosen, alone.chosen)
    for made in (alone, helped):
        assert float(lines.at(made.chosen) @ goods.cost) <= limits[0].left
        assert made.solves[-1].bound <= made.solves[-1].objective


def test_a_plan_is_near_enough_where_its_bound_says_so(monkeypatch):
    lines, order, goods = large(2)
    hull = Hull.of(lines.quantity, lines.cost)
    monkeypatch.setattr(budget_module, "NEAR_ENOUGH", 1.0)
    told = near_enough(order, lines, goods, hull, lines.chosen).solve
    assert (told.solver, told.status) == ("price", "feasible")
    assert told.bound <= told.objective
    monkeypatch.setattr(budget_module, "NEAR_ENOUGH", -1.0)
    assert near_enough(order, lines, goods, hull, lines.chosen) is None
    monkeypatch.setattr(budget_module, "NEAR_ENOUGH", 1.0)
    few = replace(order, rows=np.arange(3))
    assert near_enough(few, lines, goods, hull, lines.chosen) is None  # small: a model is exact


def plain_cut(quantity, cost, chosen, use, left):
    out = chosen.copy()
    while float((quantity[np.arange(len(out)), out] * use).sum()) > left:
        steps = [
            ((cost[row, to] - cost[row, at]) / ((quantity[row, at] - quantity[row, to]) * use[row]), row, to)
            for row, at in enumerate(out.tolist())
            for to in range(quantity.shape[1])
            if (quantity[row, at] - quantity[row, to]) * use[row] > 0
        ]
        if not steps:
            break
        _, row, to = min(steps)
        out[row] = to
    return out


@pytest.mark.parametrize("seed", range(8))
def test_cutting_takes_the_cheapest_step_first(seed):
    rng = np.random.default_rng(seed)
    lines = table(rng, 9, 7)
    use = rng.integers(0, 5, 9).astype(float)
    left = rng.uniform(0, 1) * float((lines.at(lines.chosen) * use).sum())
    given = (lines.quantity, lines.cost, lines.chosen, use, left)
    assert np.array_equal(cut(*given), plain_cut(*given))


def plain_rest(lines, chosen, limits):
    out = chosen.copy()
    while True:
        steps = []
        for row, at in enumerate(out.tolist()):
            for to in range(lines.quantity.shape[1]):
                more, saves = (
                    lines.quantity[row, to] - lines.quantity[row, at],
                    lines.cost[row, at] - lines.cost[row, to],
                )
                left = [limit.left * (1 - 1e-12) - float(lines.at(out) @ limit.use) for limit in limits]
                fits = all(more * limit.use[row] <= rest for limit, rest in zip(limits, left, strict=True))
                if more > 0 and saves > 1e-9 * abs(lines.cost[row, at]) and fits:
                    scarce = max(more * limit.use[row] / limit.left for limit in limits)
                    steps.append((-saves / max(scarce, 1e-12), row, to))
        if not steps:
            return out
        _, row, to = min(steps)
        out[row] = to


@pytest.mark.parametrize("seed", range(8))
def test_what_is_left_goes_to_the_best_step_first(seed):
    rng = np.random.default_rng(seed)
    lines = table(rng, 6, 7)
    goods = Goods.priced(rng.integers(1, 9, 6).astype(float))
    wish = lines.at(lines.chosen)
    limits = [
        Limit("budget", goods.cost, 0.6 * float(wish @ goods.cost)),
        Limit("storage", rng.integers(1, 3, 6).astype(float), 0.7 * float(wish.sum())),
    ]
    start = np.zeros(6, dtype=np.int64)
    found = use_the_rest(lines, [Order("a", np.arange(6))], start, goods, limits)
    assert np.array_equal(found, plain_rest(lines, start, limits))


@pytest.mark.parametrize("share", [0.1, 1.0, 5.0])
def test_prices_that_are_far_off_are_moved_to_where_the_budget_is_just_used(share):
    """Many lines of several suppliers: wherever the price begins, bound and plan come together."""
    parts = [large(seed, 60) for seed in range(4)]
    lines = replace(
        parts[0][0],
        **{
            name: np.concatenate([getattr(part[0], name) for part in parts])
            for name in parts[0][0].__dataclass_fields__
        },
    )
    every = [
        replace(order, supplier=str(at), rows=order.rows + 60 * at, value=0.0, units=0.0)
        for at, (_, order, _) in enumerate(parts)
    ]
    goods = Goods(
        *(np.concatenate([getattr(part[2], name) for part in parts]) for name in ("cost", "volume", "weight"))
    )
    limits = [Limit("budget", goods.cost, 0.6 * float(lines.at(lines.chosen) @ goods.cost))]
    price = prices(lines, every, goods, limits) * share
    found = priced(lines, every, lines.chosen, goods, limits, price, [Solving(Here())])
    assert found.solves[-1].gap <= 0.005
    assert found.solves[-1].bound <= total_cost(lines, every, found.chosen, goods)
    assert float(lines.at(found.chosen) @ goods.cost) <= limits[0].left
