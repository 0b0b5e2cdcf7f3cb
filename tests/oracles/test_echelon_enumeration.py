"""The warehouse's order against plain loops: sharing by trying every split, C(Q) added up unit by unit."""

import itertools

import numpy as np
import pytest

from echelon_case import fed_network, sparse, warehouses
from planning_case import case
from stockcast.core.random import Stream
from stockcast.policies.echelon.nodes import nodes
from stockcast.policies.echelon.ordering import Pooled, bought, cost_of, share_out
from stockcast.policies.echelon.sharing import Sharing
from stockcast.policies.lines import lines


def convex(rng, n, pieces=4):
    units = np.concatenate([np.zeros((n, 1)), np.cumsum(rng.integers(1, 4, (n, pieces)), axis=1)], axis=1)
    slopes = np.sort(rng.uniform(-3, 2, (n, pieces)), axis=1)
    cost = np.concatenate([np.zeros((n, 1)), np.cumsum(slopes * np.diff(units, axis=1), axis=1)], axis=1)
    return units, cost, slopes[:, -1] + 1.0


@pytest.mark.parametrize("seed", range(40))
def test_sharing_is_the_best_of_all_splits(seed):
    rng = np.random.default_rng(seed)
    n = int(rng.integers(1, 4))
    units, cost, beyond = convex(rng, n)
    keep = float(rng.choice([-1.0, 0.0, 0.5]))
    found = Sharing.of(units, cost, np.full(n, -9.0), beyond, keep)

    def value(i, u):
        return float(np.interp(u, units[i], cost[i])) + beyond[i] * max(u - units[i, -1], 0.0)

    for pool in range(14):
        splits = (s for s in itertools.product(range(pool + 1), repeat=n) if sum(s) <= pool)
        best = min(sum(value(i, u) for i, u in enumerate(s)) + keep * (pool - sum(s)) for s in splits)
        share = found.at(np.array([float(pool)]))[:, 0]
        assert share.min() >= 0
        assert share.sum() <= pool + 1e-9
        mine = sum(value(i, u) for i, u in enumerate(share)) + keep * (pool - share.sum())
        assert mine == pytest.approx(best, abs=1e-9), (seed, pool)


def test_what_the_pool_lacks_below_nothing_is_lacked_where_it_costs_least():
    found = Sharing.of(np.zeros((2, 2)), np.zeros((2, 2)), np.array([-2.0, -5.0]), np.ones(2), 0.0)
    assert found.at(np.array([-3.0])).tolist() == [[-3.0], [0.0]]


def group(seed, backorder, n_paths=7):
    """One sku at two or three places and a warehouse that may sell too."""
    rng = np.random.default_rng(seed)
    m, horizon = int(rng.integers(2, 4)), 14
    rate = np.append(rng.choice([0.5, 1.5, 3.0], m), rng.choice([0.0, 1.0]))
    paths = rng.poisson(
        rate[:, None, None] * rng.gamma(4.0, 0.25, (m + 1, n_paths, 1)), (m + 1, n_paths, horizon)
    ).astype(float)
    pipeline = rng.integers(0, 4, (m + 1, horizon + 1)) * (rng.random((m + 1, horizon + 1)) < 0.15)
    lane = rng.integers(0, 3, m)
    return fed_network(
        paths, places="ABC"[:m], lane=lane, lead_time=int(rng.integers(0, 4)), review_period=int(rng.integers(1, 4)),
        on_hand=rng.integers(0, 6, m + 1).astype(float), pipeline=pipeline.astype(float),
        holding_cost=np.append(rng.choice([0.1, 0.2], m), rng.choice([0.05, 0.2])),
        shortage_cost=rng.choice([1.0, 3.0], m + 1), shared={"unmet_demand": "backorder" if backorder else "lost"},
    )  # fmt: skip


def intervals(situation, w):
    """When what is ordered now goes on to each series and when what is ordered next does; and the last one in time."""
    terms, horizon = situation.terms, situation.demand.horizon
    a, n = int(terms.lead_time[w]), int(terms.lead_time[w] + terms.review_period[w])
    places = [i for i in range(len(terms.series)) if i != w]
    known = terms.shipments[places[0]].tolist() or range(horizon)
    later = lambda t: min([k for k in known if k >= t], default=horizon)  # noqa: E731
    begin, end = [later(a)] * len(terms.series), [later(n)] * len(terms.series)
    begin[w] = a
    sells = bool(situation.demand.paths()[w].any())
    last = max([k for k in known if k < end[places[0]]], default=-1) + 1
    end[w] = n if sells or not len(terms.shipments[places[0]]) else end[places[0]]
    cut = [max(i_end, i_begin) for i_begin, i_end in zip(begin, end, strict=True)]
    cut[w] = max(last, a, n if sells else 0)
    return begin, end, cut


def plain_pool(situation, path, backorder):
    """What is there when the order arrives, without it, by walking through one path; and what lanes lose after it."""
    terms, state = situation.terms, situation.state
    w = int(warehouses(situation)[0])
    begin, end, cut = intervals(situation, w)
    paths, horizon = situation.demand.paths(), situation.demand.horizon
    lane = [0 if i == w else int(terms.lead_time[i]) for i in range(len(terms.series))]
    ready = [int(terms.first_review[i] or terms.review_period[i]) + far for i, far in enumerate(lane)]
    coming = lambda i, t: float(state.pipeline[i, t])  # noqa: E731
    own, sent = float(state.on_hand[w]), 0.0
    stock = [0.0 if i == w else float(state.on_hand[i]) for i in range(len(lane))]
    for t in range(max(begin)):
        own += coming(w, t) if t < begin[w] else 0.0
        for i in [w, *(i for i in range(len(lane)) if i != w)]:
            if t >= begin[i]:
                continue
            stock[i] += coming(i, t) if i != w else 0.0
            short = max(float(paths[i, path, t]) - stock[i], 0.0)
            stock[i] = max(stock[i] - float(paths[i, path, t]), 0.0)
            if i == w or t >= ready[i]:
                sent += min(short, own) if i != w else 0.0
                own -= min(short, own)
    lost, brought = plain_lanes(situation, path, list(stock), own)
    gone = sum(units for i, units in enumerate(brought) if end[i] <= begin[i])  # else it is part of what is needed
    if backorder:
        waits = all(end[i] <= begin[i] for i in range(len(lane)) if i != w)
        total = -sent - gone if waits else 0.0  # what places lack is served by the next order, from what it brings
        for i in [w] if waits else range(len(lane)):
            total += float(state.on_hand[i]) + sum(coming(i, t) for t in range(min(cut[i] + lane[i], horizon)))
            total -= sum(float(paths[i, path, t]) for t in range(begin[i]))
        return total, [0.0] * len(lane)
    rest = sum(coming(i, t) for i, far in enumerate(lane) for t in range(begin[i], min(cut[i] + far, horizon)))
    return own - gone + sum(stock) + rest, lost


def plain_lanes(situation, path, here, left):
    """What is lost at each place while the order is on its lane, and what comes there by earlier shipments."""
    terms, state = situation.terms, situation.state
    w = int(warehouses(situation)[0])
    begin, _, _ = intervals(situation, w)
    paths, horizon = situation.demand.paths(), situation.demand.horizon
    lane = [0 if i == w else int(terms.lead_time[i]) for i in range(len(here))]
    ready = [int(terms.first_review[i] or terms.review_period[i]) + far for i, far in enumerate(lane)]
    lost, brought = [0.0] * len(lane), [0.0] * len(lane)
    for t in range(max(begin), max(begin) + max(lane)):
        asked = {}
        for i in (i for i in range(len(lane)) if i != w and t < min(begin[i] + lane[i], horizon)):
            here[i] += float(state.pipeline[i, t])
            short = max(float(paths[i, path, t]) - here[i], 0.0)
            here[i] = max(here[i] - float(paths[i, path, t]), 0.0)
            lost[i] += short
            if t >= ready[i]:
                asked[i] = short
        share = min(left / sum(asked.values()), 1.0) if any(asked.values()) else 0.0
        for i, short in asked.items():
            lost[i] -= share * short
            brought[i] += share * short
        left -= share * sum(asked.values())
    return lost, brought


@pytest.mark.parametrize("backorder", [False, True])
@pytest.mark.parametrize("calendar", [lambda night, _: night, sparse], ids=["every period", "some periods"])
@pytest.mark.parametrize("seed", [*range(6), *(pytest.param(n, marks=pytest.mark.slow) for n in range(6, 12))])
def test_the_cost_of_an_order_is_what_plain_loops_add_up(seed, backorder, calendar):
    situation = calendar(group(seed, backorder), seed)
    terms, w = situation.terms, int(warehouses(situation)[0])
    paths = situation.demand.paths()
    node = nodes(situation.state, terms, paths, Stream(7, "x"), first=w, backorder=backorder)
    plain = [plain_pool(situation, s, backorder) for s in range(len(node.pool))]
    assert node.pool.tolist() == [pool for pool, _ in plain]
    h, p = terms.holding_cost, terms.shortage_cost
    sharing = share_out(node, h, p, backorder=backorder)
    quantity = np.array([0.0, 1.0, 5.0, 20.0, 60.0])
    begin, end, _ = intervals(situation, w)
    want = []
    for q in quantity.tolist():
        total = 0.0
        for s in range(paths.shape[1]):
            z = float(node.pool[s]) + q
            share = sharing.at(np.array([z]))[:, 0]
            total += h[w] * (max(end) - begin[w]) * (z - share.sum())
            for i, u in enumerate(share.tolist()):
                far = 0 if i == w else int(terms.lead_time[i])
                x = u - float(paths[i, s, begin[i] : begin[i] + far].sum()) + plain[s][1][i]
                total += h[w] * (begin[i] - begin[w]) * u
                for t in range(begin[i] + far, end[i] + far):
                    x -= float(paths[i, s, t]) if t < paths.shape[2] else 0.0
                    total += h[i] * max(x, 0.0) + (p[i] * max(-x, 0.0) if backorder else 0.0)
                total += 0.0 if backorder or end[i] == begin[i] else p[i] * max(-x, 0.0)
        want.append(total / paths.shape[1])
    assert cost_of(node, sharing, h, p, quantity, backorder=backorder) == pytest.approx(want, rel=1e-9)


@pytest.mark.parametrize("backorder", [False, True])
@pytest.mark.parametrize("seed", [*range(6), *(pytest.param(n, marks=pytest.mark.slow) for n in range(6, 12))])
def test_the_best_quantity_is_the_best_of_all(seed, backorder):
    situation = group(seed, backorder, n_paths=200)
    terms, w = situation.terms, int(warehouses(situation)[0])
    node = nodes(situation.state, terms, situation.demand.paths(), Stream(7, "x"), first=w, backorder=backorder)
    h, p = terms.holding_cost, terms.shortage_cost
    pooled = Pooled.of(node, h, p, backorder=backorder, whole=True)
    pooled.begin()
    every = np.arange(-40.0, 80.0)
    full = cost_of(node, pooled.sharing, h, p, every, backorder=backorder)
    assert pooled.cost.min() == pytest.approx(full.min(), rel=5e-3, abs=1e-9)
    some = next(bought(situation))
    table = some.aim.curve.cost(every[None, :])[0]
    # what is told between the points is a chord, or the hull where few paths make the cost bend back
    inside = (every >= -node.pool.min()) & (every <= pooled.units[-1])
    off, near = np.abs(table - full)[inside], full[inside] <= full[inside].min() + 0.2 * np.ptp(full[inside])
    assert off.max() <= 0.15 * np.ptp(full[inside])
    assert off[near].max() <= 0.04 * np.ptp(full[inside])


@pytest.mark.parametrize("backorder", [False, True])
@pytest.mark.parametrize("seed", range(10))
def test_one_place_beside_the_warehouse_is_ordered_for_as_a_line_of_its_own(seed, backorder):
    rng = np.random.default_rng(seed)
    level = rng.gamma(3.0, 1 / 3.0, (1, 60, 1))
    demand = rng.poisson(float(rng.choice([0.3, 1.5])) * level, (1, 60, 20)).astype(float)
    terms = {
        "lead_time": int(rng.integers(0, 5)), "review_period": int(rng.integers(1, 5)), "holding_cost": 0.1,
        "shortage_cost": float(rng.choice([1.0, 4.0])), "pack_size": float(rng.choice([0, 6])),
        "moq": float(rng.choice([0, 12])), "order_cost": float(rng.choice([0.0, 3.0])),
    }  # fmt: skip
    stock, shared = float(rng.integers(0, 8)), "backorder" if backorder else "lost"
    alone = case(demand, on_hand=stock, **terms)
    alone = type(alone)(alone.past, alone.state, alone.demand, alone.terms, type(alone.shared)(unmet_demand=shared))
    pair = fed_network(
        np.concatenate([demand, np.zeros_like(demand)]), places="A", on_hand=np.array([stock, 0.0]),
        shared={"unmet_demand": shared}, **terms,
    )  # fmt: skip
    one, two = lines(alone), lines(pair)
    assert two.at(two.chosen)[1] == one.at(one.chosen)[0]
    assert two.demand_mean[1] == pytest.approx(one.demand_mean[0])
    assert two.level[1] == pytest.approx(one.level[0], abs=1e-6)
    assert two.elsewhere[1] == stock
