"""Transfers against enumeration: the flow on random curves, and whole proposals on costs that a plain loop adds up."""

import itertools

import numpy as np
import pytest

from stockcast.policies import propose
from stockcast.policies.transfers.flow import Arc, Node, flow
from transfer_case import lanes, network


def instance(seed, kind):
    """Draw two to five places with value curves, and at most four lanes between them."""
    rng = np.random.default_rng(seed)
    n = int(rng.integers(2, 6))
    nodes = []
    for _ in range(n):
        pieces = int(rng.integers(2, 5))
        units = np.concatenate([[0.0], np.cumsum(rng.integers(1, 4, pieces))])
        slopes = rng.uniform(-3, 3, pieces)
        if kind != "bent" or rng.random() < 0.5:
            slopes.sort()
        nodes.append(Node(units, np.concatenate([[0.0], np.cumsum(slopes * np.diff(units))])))
    step = float(rng.choice([1, 1, 2]))
    ways = [(a, b) for a in range(0, n, 2) for b in range(1, n, 2)]
    some = sorted(rng.permutation(len(ways))[:4].tolist())
    packs = [float(rng.choice([1, 2, 3])) if kind == "packs" else step for _ in some]
    return nodes, [Arc(*ways[at], pack, float(rng.choice([0, 0.3, 1]))) for at, pack in zip(some, packs, strict=True)]


def cost_of(nodes, arcs, packs):
    """The cost of a flow by plain arithmetic; None where a place has not so many units."""
    units, cost = [0.0] * len(nodes), 0.0
    for arc, many in zip(arcs, packs, strict=True):
        cost += arc.cost * arc.step * many
        for node in (arc.giver, arc.receiver):
            units[node] += arc.step * many
    for node, many in zip(nodes, units, strict=True):
        if many > node.units[-1]:
            return None
        cost += float(np.interp(many, node.units, node.cost))
    return cost


def best_of(nodes, arcs):
    ranges = [
        range(int(min(nodes[arc.giver].units[-1], nodes[arc.receiver].units[-1]) // arc.step) + 1) for arc in arcs
    ]
    every = (cost_of(nodes, arcs, packs) for packs in itertools.product(*ranges))
    return min(cost for cost in every if cost is not None)


@pytest.mark.parametrize("block", range(6))
def test_a_flow_on_convex_curves_is_the_best_of_all(block):
    moved = 0
    for seed in range(50 * block, 50 * block + 50):
        nodes, arcs = instance(seed, "convex")
        found = flow(nodes, arcs)
        moved += bool(found.any())
        assert cost_of(nodes, arcs, found) == pytest.approx(best_of(nodes, arcs), abs=1e-4), seed
    assert moved > 25


@pytest.mark.parametrize(("kind", "share"), [("packs", 0.02), ("bent", 0.01)])
def test_bent_curves_and_packs_of_many_sizes_come_near_the_best(kind, share):
    best = mine = 0.0
    for seed in range(200):
        nodes, arcs = instance(seed, kind)
        cost = cost_of(nodes, arcs, flow(nodes, arcs))
        assert cost is not None
        assert cost <= 1e-9, "never worse than moving nothing"
        best, mine = best + best_of(nodes, arcs), mine + cost
    assert best <= mine + 1e-6
    assert mine <= (1 - share) * best


def plain_value(demand, stock, arrivals, lead, review, h, p, *, backorder):
    """The least expected cost up to the arrival of the next order but one, by trying every order; units are whole.

    What is left by then counts nothing, which holds where no stock is above what the next order would lead to.
    """

    def cost(order):
        total = 0.0
        for path in demand:
            x = stock
            for t in range(lead + review):
                x += arrivals.get(t, 0.0) + (order if t == lead else 0.0)
                unmet = max(path[t] - max(x, 0.0), 0.0)
                x -= path[t]
                if backorder:
                    unmet = max(-x, 0.0)
                else:
                    x = max(x, 0.0)
                total += h * max(x, 0.0) + p * unmet
        return total / len(demand)

    return min(cost(order) for order in range(40))


@pytest.mark.parametrize("backorder", [False, True])
@pytest.mark.parametrize("seed", range(8))
def test_proposals_cost_what_the_best_of_all_transfers_costs(seed, backorder):
    rng = np.random.default_rng(seed)
    places, lead, review = "ABC", rng.integers(0, 5, 3), rng.integers(3, 5, 3)
    paths = rng.poisson(rng.choice([0.9, 1.2, 1.8], 3)[:, None, None], (3, 12, 12)).astype(float)
    on_hand = rng.integers(0, 6, 3).astype(float)
    h, p = np.full(3, 0.02), np.array([1.0, 3.0, 5.0])[rng.permutation(3)]
    arrive = int(rng.integers(0, 3))
    ways = [(a, b, arrive, float(rng.choice([0.0, 0.1, 0.4])), 0.0, 0.0) for a in places for b in places if a != b]
    ways = [ways[at] for at in sorted(rng.permutation(6)[:3].tolist())]
    situation = network(
        paths, places=places, on_hand=on_hand, ways=lanes(*ways), lead_time=lead, review_period=review,
        holding_cost=h, shortage_cost=p, shared={"unmet_demand": "backorder" if backorder else "lost"},
    )  # fmt: skip

    def value(at, less, more):
        return plain_value(
            paths[at], on_hand[at] - less, {arrive: more}, int(lead[at]), int(review[at]), h[at], p[at],
            backorder=backorder,
        )  # fmt: skip

    known = {}
    best, nothing = np.inf, None
    ends = [(places.index(way[0]), places.index(way[1]), way[3]) for way in sorted(ways)]
    for packs in itertools.product(*(range(int(on_hand[giver]) + 1) for giver, _, _ in ends)):
        less, more = [0] * 3, [0] * 3
        for (giver, receiver, _), many in zip(ends, packs, strict=True):
            less[giver] += many
            more[receiver] += many
        if any(less[at] > on_hand[at] for at in range(3)):
            continue
        total = sum(many * (cost + arrive * h[giver]) for (giver, _, cost), many in zip(ends, packs, strict=True))
        for at in range(3):
            key = (at, less[at], more[at])
            if key not in known:
                known[key] = value(*key)
            total += known[key]
        nothing = total if nothing is None else nothing
        best = min(best, total)
    made = propose(situation).transfers
    assert made.saving.sum() == pytest.approx(nothing - best, abs=2e-3)
    assert best < nothing or not len(made)
