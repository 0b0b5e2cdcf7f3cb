"""The classical policies to the digits of the books, and against plain twins."""

import itertools
import json
import zipfile
from functools import partial

import numpy as np
import pytest
from scipy import stats

from stockcast.core.errors import DataError
from stockcast.policies.classical import (
    FromPaths,
    Gamma,
    NegativeBinomial,
    Normal,
    Poisson,
    base_stock,
    economic_order_quantity,
    period_cost,
    power_of_two,
    reorder_and_level_poisson,
    reorder_and_lot,
    review_and_level,
    wagner_whitin,
    with_backorders,
    with_price_breaks,
)


def one(*values):
    return tuple(np.array([float(value)]) for value in values)


@pytest.mark.parametrize(
    "demand",
    [
        (Normal(*one(50, 8)), stats.norm(50, 8)),
        (Poisson(*one(3.7)), stats.poisson(3.7)),
        (NegativeBinomial(*one(4, 9)), stats.nbinom(16 / 5, 4 / 9)),
        (Gamma(*one(12, 5)), stats.gamma((12 / 5) ** 2, scale=25 / 12)),
    ],
    ids=lambda pair: type(pair[0]).__name__,
)
def test_mean_quantile_and_loss_are_those_of_the_distribution(demand):
    mine, theirs = demand
    assert mine.mean[0] == pytest.approx(theirs.mean())
    for level in (0.05, 0.5, 0.93):
        assert mine.quantile(*one(level))[0] == pytest.approx(theirs.ppf(level), rel=1e-9)
    for x in (0.0, 1.0, 3.0, 4.5, 11.25, 60.0):
        assert mine.loss(*one(x))[0] == pytest.approx(
            theirs.expect(partial(lambda x, d: np.maximum(d - x, 0.0), x)), abs=1e-6
        )


def test_paths_are_a_distribution():
    samples = np.random.default_rng(3).gamma(2.0, 5.0, (4, 500))
    demand = FromPaths(samples)
    for row in range(4):
        for x in (0.0, 4.0, 20.0):
            plain = sum(max(d - x, 0.0) for d in samples[row]) / 500
            assert demand.loss(np.full(4, x))[row] == pytest.approx(plain)
        assert demand.quantile(np.full(4, 0.9))[row] == sorted(samples[row])[449]


def test_a_variance_below_the_mean_is_no_negative_binomial():
    with pytest.raises(DataError):
        NegativeBinomial(*one(4, 4))


def test_newsvendor_and_base_stock():
    level, cost = base_stock(Normal(*one(50, 8)), *one(0.18, 0.7))
    assert (level[0], cost[0]) == (pytest.approx(56.60396, abs=1e-5), pytest.approx(1.997605, abs=1e-6))
    level, cost = base_stock(Poisson(*one(18)), *one(200, 270))
    assert (level[0], cost[0]) == (19, pytest.approx(786.0884, abs=1e-4))


@pytest.mark.parametrize(
    ("demand", "holding", "fixed", "lots", "cost"),
    [
        ([90, 120, 80, 70], 2, 500, [210, 0, 150, 0], 1380),
        ([150, 100, 80, 200], 0.8, 120, None, 424),
        ([730, 580, 445, 650, 880], 0.1, 100, None, 423),
        ([0, 0, 0, 0, 0, 7], 1, [110, 108, 110, 120, 125, 134], [0, 0, 7, 0, 0, 0], 131),
    ],
)
def test_wagner_whitin(demand, holding, fixed, lots, cost):
    found, total = wagner_whitin(
        np.array(demand, dtype=float), holding, np.broadcast_to(np.asarray(fixed, float), len(demand))
    )
    assert total == pytest.approx(cost)
    assert found.sum() == sum(demand)
    if lots is not None:
        assert found.tolist() == lots


def plain_lots(demand, holding, fixed, price):
    """Try every set of periods with a lot."""
    n, best = len(demand), np.inf
    for opened in itertools.product([False, True], repeat=n):
        cost, stock_period = 0.0, None
        for t in range(n):
            if opened[t]:
                stock_period = t
                cost += fixed[t]
            if demand[t] > 0 and stock_period is None:
                cost = np.inf
            elif demand[t] > 0:
                cost += demand[t] * (price[stock_period] + holding * (t - stock_period))
        best = min(best, cost)
    return best


@pytest.mark.parametrize("seed", range(40))
def test_wagner_whitin_is_the_best_of_every_set_of_lots(seed):
    rng = np.random.default_rng(seed)
    n = int(rng.integers(1, 8))
    demand = rng.integers(0, 60, n) * (rng.random(n) < 0.7)
    fixed, price, holding = rng.uniform(1, 90, n), rng.uniform(0, 3, n) * rng.integers(0, 2), rng.uniform(0, 2)
    lots, cost = wagner_whitin(demand.astype(float), holding, fixed, price)
    assert cost == pytest.approx(plain_lots(demand, holding, fixed, price))
    stock = np.cumsum(lots - demand)
    assert (stock >= -1e-9).all()
    assert cost == pytest.approx((fixed * (lots > 0)).sum() + price @ lots + holding * stock.sum())


def test_economic_order_quantities():
    quantity, cost = economic_order_quantity(*one(8, 0.225, 1300))
    assert (quantity[0], cost[0]) == (pytest.approx(304.0468, abs=1e-4), pytest.approx(68.4105, abs=1e-4))
    quantity, cost = with_price_breaks(8, 0.3, 1300, [0, 400, 800], [0.75, 0.72, 0.68])
    assert (quantity, cost) == (800, pytest.approx(978.60, abs=5e-3))
    for p in (0.5, 5.0):
        quantity, share, cost = with_backorders(*one(8, 0.225, p, 1300))
        grid_q, grid_x = np.meshgrid(np.linspace(200, 900, 1401), np.linspace(0, 0.6, 601))
        plain = 0.225 * grid_q * (1 - grid_x) ** 2 / 2 + p * grid_q * grid_x**2 / 2 + 8 * 1300 / grid_q
        assert cost[0] == pytest.approx(plain.min(), rel=1e-5)
        assert (quantity[0], share[0]) == (
            pytest.approx(grid_q.ravel()[plain.argmin()], rel=0.02), pytest.approx(grid_x.ravel()[plain.argmin()], abs=0.01)
        )  # fmt: skip


def test_powers_of_two_are_the_best_of_them_and_within_six_percent():
    rng = np.random.default_rng(2)
    fixed, holding, rate = rng.uniform(1, 300, 50), rng.uniform(0.01, 5, 50), rng.uniform(1, 4000, 50)
    interval, cost = power_of_two(fixed, holding, rate, 1.0)
    tried = 2.0 ** np.arange(-14, 15)[:, None]
    every = fixed / tried + holding * rate * tried / 2
    assert cost == pytest.approx(every.min(axis=0))
    assert (cost <= 3 / (2 * np.sqrt(2)) * economic_order_quantity(fixed, holding, rate)[1] + 1e-9).all()
    assert (np.log2(interval) % 1 == 0).all()


def test_reorder_point_and_lot():
    best = reorder_and_lot(1.5, 2, 20, 150, 100)
    assert (best.first, best.second) == (3, 5)
    assert best.cost == pytest.approx(107.92358, abs=1e-5)


@pytest.mark.parametrize("seed", range(8))
def test_reorder_point_and_lot_against_every_pair(seed):
    rng = np.random.default_rng(seed)
    rate, lead, h, p, k = (
        rng.uniform(0.5, 6),
        rng.uniform(0, 3),
        rng.uniform(0.5, 9),
        rng.uniform(5, 90),
        rng.uniform(1, 200),
    )
    best = reorder_and_lot(rate, lead, h, p, k)
    y = np.arange(-40, 120)
    g = period_cost(Poisson(np.full(len(y), rate * lead)), y.astype(float), h, p)
    sums = np.concatenate([[0.0], np.cumsum(g)])
    plain = min((k * rate + sums[i + q] - sums[i]) / q for i in range(100) for q in range(1, 60))
    assert best.cost == pytest.approx(plain)


@pytest.mark.parametrize(
    ("h", "p", "k", "rate", "s", "top", "cost"),
    [
        (1, 4, 5, 6, 4, 10, 8.034111561),
        (40, 125, 150, 4, 2, 7, 223.5748296),
        (1, 9, 64, 10, 6, 40, 35.022),
        (1, 9, 64, 20, 14, 62, 49.173),
        (1, 9, 64, 30, 23, 66, 57.819),
        (1, 9, 64, 40, 33, 87, 64.512),
        (1, 9, 64, 50, 42, 108, 70.975),
        (1, 9, 64, 60, 52, 129, 77.306),
        (1, 9, 64, 70, 62, 81, 79.037),
        (1, 9, 64, 22, 16, 68, 51.632),
        (1, 9, 64, 24, 18, 54, 53.518),
        (1, 9, 64, 52, 44, 112, 72.246),
    ],
)
def test_exact_reorder_point_and_level(h, p, k, rate, s, top, cost):
    best = reorder_and_level_poisson(rate, h, p, k)
    assert best.cost == pytest.approx(cost, abs=5e-4 if cost == round(cost, 3) else 5e-8)
    assert (best.first, best.second) == (s, top)


def test_a_level_in_every_rth_period_against_a_simulation():
    """The (R,S) found is no worse than its neighbours, and its cost is what a long run shows."""
    rate, lead, h, p, k = 3.0, 2, 1.0, 9.0, 30.0
    best = review_and_level(rate, lead, h, p, k)
    review, level = int(best.first), best.second
    demand = np.random.default_rng(1).poisson(rate, 200_000)
    position, on_hand, pipe, cost = level, level, [0.0] * (lead + 1), 0.0
    for t, d in enumerate(demand):
        on_hand += pipe.pop(0)
        pipe.append(0.0)
        if t % review == 0:
            pipe[lead - 1 if lead else 0] += 0.0
            order = level - position
            if order > 0 and lead == 0:
                on_hand += order
            elif order > 0:
                pipe[lead - 1] += order
            position, cost = level, cost + k
        on_hand -= d
        position -= d
        cost += h * max(on_hand, 0) + p * max(-on_hand, 0)
    assert cost / len(demand) == pytest.approx(best.cost, rel=0.02)
    assert 1 < review < 20


@pytest.fixture(scope="module")
def instances(real_data):
    return json.loads((real_data / "stockpyl_instances.json").read_text(encoding="utf-8"))["instances"]


@pytest.mark.needs_data
def test_every_instance_of_the_book_that_these_formulas_cover(instances):
    """Each is solved, and no neighbour of what is found is cheaper."""
    solved = 0
    for item in instances:
        what, data = item["description"], item.get("data", {})
        if "(EOQ)" in what:
            args = one(data["fixed_cost"], data["holding_cost"], data["demand_rate"])
            quantity, cost = economic_order_quantity(*args)
            for q in (0.99 * quantity[0], 1.01 * quantity[0]):
                assert data["fixed_cost"] * data["demand_rate"] / q + data["holding_cost"] * q / 2 > cost[0]
        elif "Wagner-Whitin" in what:
            demand = np.array(data["demand"], dtype=float)
            price = np.broadcast_to(np.asarray(data.get("purchase_cost", 0.0), dtype=float), demand.shape)
            _, cost = wagner_whitin(demand, data["holding_cost"], float(data["fixed_cost"]), price.copy())
            fixed = np.full(len(demand), float(data["fixed_cost"]))
            assert cost == pytest.approx(plain_lots(demand, data["holding_cost"], fixed, price))
        elif "(s,S) with Poisson" in what:
            best = reorder_and_level_poisson(
                data["demand_mean"], data["holding_cost"], data["stockout_cost"], data["fixed_cost"]
            )
            assert best.cost == pytest.approx({6: 8.034111561, 4: 223.5748296}[data["demand_mean"]])
        elif "(r,Q) with Poisson" in what:
            best = reorder_and_lot(
                data["demand_mean"], data["lead_time"], data["holding_cost"], data["stockout_cost"], data["fixed_cost"]
            )
            assert best.cost > 0
        elif "all-units" in what:
            quantity, cost = with_price_breaks(
                data["fixed_cost"],
                data["holding_cost_rate"],
                data["demand_rate"],
                data["breakpoints"],
                data["unit_costs"],
            )
            grid = np.linspace(1, 3 * max(quantity, max(data["breakpoints"])), 40_001)
            price = np.array(data["unit_costs"])[np.searchsorted(data["breakpoints"], grid, side="right") - 1]
            plain = price * data["demand_rate"] + data["fixed_cost"] * data["demand_rate"] / grid
            plain += data["holding_cost_rate"] * price * grid / 2
            assert cost <= plain.min() + 1e-9
            assert cost == pytest.approx(plain.min(), rel=1e-4)
        elif what.startswith(("Example 4.1 (newsvendor)", "Problem 4.1 (newsvendor)")) and "demand_mean" in data:
            level, cost = base_stock(
                Normal(*one(data["demand_mean"], data["demand_sd"])), *one(data["holding_cost"], data["stockout_cost"])
            )
            near = [period_cost(Normal(*one(data["demand_mean"], data["demand_sd"])), level + d, data["holding_cost"], data["stockout_cost"])[0] for d in (-1, 1)]  # fmt: skip
            assert min(near) > cost[0]
        else:
            continue
        solved += 1
    assert solved >= 14


@pytest.mark.needs_data
def test_lots_of_the_lot_sizing_instances_are_those_of_a_mixed_integer_program(real_data):
    """Without their capacity, items of the CLSP instances are Wagner-Whitin problems; HiGHS says the same."""
    import pulp

    with zipfile.ZipFile(real_data / "clsp_180_instances.zip") as held:
        names = sorted(name for name in held.namelist() if not name.endswith("/"))[::60]
        texts = [held.read(name).decode() for name in names]
    for text in texts:
        numbers = [[float(word) for word in line.split()] for line in text.splitlines()[:34] if line.strip()]
        items, periods = (int(x) for x in numbers[0])
        terms = numbers[3 : 3 + items]
        demand = np.array(numbers[3 + items : 3 + items + periods]).T
        for item in (0, items - 1):
            _, holding, _, setup = terms[item]
            d = demand[item]
            model = pulp.LpProblem("lots", pulp.LpMinimize)
            lot = [model.add_variable(f"q{t}", 0) for t in range(periods)]
            left = [model.add_variable(f"i{t}", 0) for t in range(periods)]
            opened = [model.add_variable(f"y{t}", 0, 1, cat="Integer") for t in range(periods)]
            model.setObjective(pulp.lpSum(setup * y for y in opened) + pulp.lpSum(holding * i for i in left))
            for t in range(periods):
                model += (left[t - 1] if t else 0) + lot[t] - d[t] == left[t]
                model += lot[t] <= float(d[t:].sum()) * opened[t]
            model.solve(pulp.HiGHS(msg=False, threads=1))
            lots, cost = wagner_whitin(d, holding, setup)
            assert cost == pytest.approx(pulp.value(model.objective), abs=1e-4)
