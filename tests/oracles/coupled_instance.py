"""Small random instances of orders that tie lines together, and the best of all their choices, found by trying each."""

import itertools
import math

import numpy as np

from stockcast.policies.coupling import Goods, Limit, Order, Tier, Trucks
from stockcast.policies.lines import Lines


def table(rng, n, width):
    """Random convex candidate tables, as Lines."""
    quantity, cost = np.zeros((n, width)), np.zeros((n, width))
    for row in range(n):
        pack, moq = rng.choice([1, 6, 12]), rng.choice([1, 3])
        quantity[row, 1:] = pack * (moq + np.cumsum(rng.integers(0, 3, width - 1)))
        best = rng.uniform(0, quantity[row, -1])
        cost[row] = rng.uniform(0.05, 1) * np.abs(quantity[row] - best) ** 1.3 + 3.0 * (quantity[row] > 0)
    columns = {name: np.zeros(n) for name in Lines.__dataclass_fields__}
    chosen = np.argmin(cost, axis=1)
    return Lines(**{
        **columns,
        "quantity": quantity,
        "cost": cost,
        "risk": np.zeros((n, width)),
        "waste": np.zeros((n, width)),
        "left": np.zeros((n, width)),
        "chosen": chosen,
    })


def instance(seed, kinds="all"):
    """Draw lines of one or two suppliers with any of the terms, and limits that all share."""
    rng = np.random.default_rng(seed)
    n = int(rng.integers(3, 5))
    lines = table(rng, n, 6)
    some = rng.random
    goods = Goods(
        rng.integers(1, 9, n).astype(float), rng.integers(0, 4, n) / 2.0, rng.integers(0, 6, n) / 4.0
    )  # fmt: skip
    split = int(rng.integers(1, n + 1))
    groups = [rows for rows in (np.arange(split), np.arange(split, n)) if len(rows)]
    every = []
    for v, rows in enumerate(groups):
        plain = {
            "header": float(rng.choice([0, 8, 30])),
            "value": float(rng.choice([0, 60, 250])),
            "units": float(rng.choice([0, 25])),
        }
        trucks, tiers, weight = None, (), 0.0
        if kinds == "all":
            weight = float(rng.choice([0, 0, 10, 40]))
            if some() < 0.6:
                size = rng.choice([0.0, 8.0, 30.0, 70.0], 2)
                loaded = np.round(size * rng.choice([0, 0, 0.4, 1.3], 1), 2)
                trucks = Trucks(
                    float(size[0]), float(size[1]), float(rng.choice([0, 4, 15])), float(rng.choice([0, 0.5, 0.9])),
                    float(loaded[0]), float(loaded[1]),
                )  # fmt: skip
                trucks = trucks if size.any() else None
            if some() < 0.6:
                ends = np.cumsum(rng.integers(20, 120, 2)).astype(float)
                ends[0] = rng.choice([0.0, ends[0]])
                tiers = tuple(
                    Tier(float(end), float(off), float(rng.choice([0, 5])) * (at > 0))
                    for at, (end, off) in enumerate(zip(ends, (0.03, 0.08), strict=True))
                )[int(rng.integers(0, 2)) :]
        every.append(Order(str(v), rows, weight=weight, trucks=trucks, tiers=tiers, **plain))
    wanted = lines.at(lines.chosen)
    limits = []
    if some() < 0.6:
        limits.append(Limit("budget", goods.cost, float(round(wanted @ goods.cost * rng.uniform(0.2, 1.0)))))
    if kinds == "all" and some() < 0.5:
        here = (np.arange(n) % 2 == 0) * goods.volume
        limits.append(Limit("storage a", here, float(round(wanted @ here * rng.uniform(0.2, 1.0)))))
    return lines, every, goods, limits


def cost_of(lines, every, goods, choice):
    """The cost of a choice by plain arithmetic; None where a supplier's terms are broken."""
    quantity = [float(lines.quantity[row, j]) for row, j in enumerate(choice)]
    cost = sum(float(lines.cost[row, j]) for row, j in enumerate(choice))
    for order in every:
        rows = order.rows.tolist()
        if not any(quantity[row] > 0 for row in rows):
            continue
        value = sum(quantity[row] * goods.cost[row] for row in rows)
        weight = sum(quantity[row] * goods.weight[row] for row in rows)
        volume = sum(quantity[row] * goods.volume[row] for row in rows)
        if value < order.value - 1e-9 or weight < order.weight - 1e-9:
            return None
        if sum(quantity[row] for row in rows) < order.units - 1e-9:
            return None
        cost += order.header
        if order.trucks is not None:
            t = order.trucks
            sizes = [(t.volume, t.loaded_volume, volume), (t.weight, t.loaded_weight, weight)]
            loads = [(loaded + more) / size for size, loaded, more in sizes if size > 0]
            before = [loaded / size for size, loaded, _ in sizes if size > 0]
            count = math.ceil(max(loads) - 1e-9)
            if max(loads) < t.min_fill * count - 1e-9:
                return None
            cost += t.cost * (count - math.ceil(max(before) - 1e-9))
        if value > 0:
            gifts = [tier.discount * value + tier.bonus for tier in order.tiers if value >= tier.value - 1e-9]
            cost -= gifts[-1] if gifts else 0.0
    return cost


def best_of_all(lines, every, goods, limits):
    """Try every choice of candidates."""
    best = np.inf
    n, width = lines.quantity.shape
    for choice in itertools.product(range(width), repeat=n):
        quantity = lines.quantity[np.arange(n), choice]
        if any(quantity @ limit.use > limit.left + 1e-9 for limit in limits):
            continue
        cost = cost_of(lines, every, goods, choice)
        best = best if cost is None else min(best, cost)
    return best
