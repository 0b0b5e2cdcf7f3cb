"""Orders planned eight reviews ahead: time and gap of one large order, and what it saves in a replay of many reviews.

The night is that of `benchmarks.optimizer` with one supplier at review each week. The plain model of the same reviews
(`policies.milp.ahead`) stands beside the schedule that is found without a solver. The replay orders the same lines week
by week on the same demand, with plans that look one review ahead and with plans that look eight, and counts what comes.
"""

import time
from dataclasses import replace

import numpy as np

from benchmarks.optimizer import situation
from benchmarks.subject import Row, Setting, Subject, Watch

REVIEWS = 8
WEEK = 7
LEAD = 2


def ordering(n: int, header: float, least: float, horizon: int, n_paths: int = 200):
    """Give one order of ``n`` lines at review each week, and its outlook."""
    from stockcast.demand import SampledForecast
    from stockcast.inventory import Outlook, SharedTerms, SupplierTerms

    night = situation(n, 1)
    terms = night.terms.replace(
        lead_time=np.full(n, LEAD), review_period=np.full(n, WEEK), moq=np.zeros(n), lead_time_sd=np.zeros(n)
    )
    weekly = float((night.demand.source.rate * WEEK) @ terms.unit_cost)
    shared = SharedTerms((SupplierTerms("v000", order_cost=header * weekly, min_order_value=least * weekly),))
    demand = SampledForecast(
        night.demand.series, night.past.time.after(horizon), night.demand.source, night.demand.stream, n_paths
    )
    never = np.full(n, np.datetime64("NaT", "D"))
    reviews = np.tile(np.arange(REVIEWS + 1) * WEEK, (n, 1))
    costs = np.repeat(terms.unit_cost[:, None], REVIEWS + 1, axis=1)
    seen = Outlook(terms.series, reviews, costs, never, never.copy())
    return replace(night, terms=terms, shared=shared, demand=demand), seen


def _model(setting: Setting) -> list[Row]:
    from stockcast.policies import plan
    from stockcast.policies.ahead import best_schedule, cycles
    from stockcast.policies.ahead.schedule import Terms
    from stockcast.policies.milp import Solving, solve_ahead
    from stockcast.policies.milp.worker import kept

    rows: list[Row] = []
    for n in (20,) if setting.smoke else (100, 300):
        night, seen = ordering(n, 0.02, 0.0, REVIEWS * WEEK + LEAD + 1)
        reviews = np.full(n, np.datetime64("2026-02-01"))
        with Watch() as whole:
            plan("optimizer", night, next_review=reviews, outlook=seen)
        begin = time.perf_counter()
        tables = cycles(night, np.arange(n), seen, seen.reviews[0], np.zeros((n, 1)))
        made = time.perf_counter() - begin
        begin = time.perf_counter()
        weekly = float((night.demand.source.rate * WEEK) @ night.terms.unit_cost)
        use = np.stack([night.terms.unit_cost, np.ones(n), np.zeros(n)])
        free = Terms(0.02 * weekly, 0.02 * weekly, np.zeros(3), np.zeros(3), use)
        found = best_schedule(tables, free)
        tried = time.perf_counter() - begin
        rows += [
            Row(f"{n} x {REVIEWS}: the whole plan", whole.wall, "s"),
            Row(f"{n} x {REVIEWS}: the tables", made, "s"),
            Row(f"{n} x {REVIEWS}: every set of reviews tried", tried, "s"),
            Row(f"{n} x {REVIEWS}: gap", 100 * (found.cost - found.bound) / abs(found.cost), "%"),
        ]
        least = np.array([1.5 * weekly, 0.0, 0.0])
        for what, terms in (("", free), (" with minimums", replace(free, now=least, later=least))):
            ways = solve_ahead("bench", tables, terms, Solving(kept()[0], 10.0 if setting.smoke else 60.0))
            for told in ways.solves:
                name = f"{n} x {REVIEWS}{what}: the model, {told.solver}, {told.status}"
                rows += [Row(name, told.seconds, "s"), Row(f"{name}, gap", 100 * told.gap, "%")]
            best = min((one.objective for one in ways.solves if np.isfinite(one.objective)), default=np.nan)
            if not what:
                rows.append(Row(f"{n} x {REVIEWS}: model above the sets", 100 * (best / found.cost - 1), "%"))
    return rows


def replay(night, seen, rounds: int, seed: int):
    """Order week by week on one course of demand; give holding, shortage and order cost of each week."""
    from stockcast.policies import plan

    rng = np.random.default_rng(seed)
    source, terms = night.demand.source, night.terms
    n = len(terms.series)
    demand = rng.poisson(source.rate[:, None], (n, rounds * WEEK)).astype(float)
    stock, due = np.floor(source.rate * WEEK), np.zeros((n, WEEK))
    header, costs = night.shared.suppliers[0].order_cost, []
    reviews = np.full(n, np.datetime64("2026-02-01"))
    for week in range(rounds):
        pipeline = np.zeros_like(night.state.pipeline)
        state = replace(night.state, on_hand=stock.copy(), pipeline=pipeline)
        made = plan("optimizer", replace(night, state=state), next_review=reviews, outlook=seen).plan.order_quantity
        due[:] = 0.0
        due[:, LEAD] = made
        paid = header * bool((made > 0).any())
        for day in range(WEEK):
            stock = stock + due[:, day]
            asked = demand[:, week * WEEK + day]
            paid += float(terms.shortage_cost @ np.maximum(asked - stock, 0.0))
            stock = np.maximum(stock - asked, 0.0)
            paid += float(terms.holding_cost @ stock)
        costs.append(paid)
    return np.array(costs)


def _replay(setting: Setting) -> list[Row]:
    rounds, courses, n = (6, 1, 6) if setting.smoke else (52, 2, 20)
    rows: list[Row] = []
    for header in (0.01, 0.04):
        night, seen = ordering(n, header, 0.0, REVIEWS * WEEK + LEAD + 1, 100)
        night = replace(night, demand=replace(night.demand, source=_Plain(night.demand.source.rate)))
        near, far = [], []
        for seed in range(courses):
            near.append(replay(night, None, rounds, seed)[4 if not setting.smoke else 0 :])
            far.append(replay(night, seen, rounds, seed)[4 if not setting.smoke else 0 :])
        one, other = np.concatenate(near), np.concatenate(far)
        rng = np.random.default_rng(1)
        weeks = rng.integers(0, len(one), (2_000, max(len(one) // 8, 1)))[:, :, None] + np.arange(8)
        blocks = (one - other)[weeks.reshape(2_000, -1) % len(one)].mean(axis=1)
        name = f"header {header:.0%} of a week's value"
        rows += [
            Row(f"{name}: cost a week, one review ahead", float(one.mean()), ""),
            Row(f"{name}: cost a week, eight reviews ahead", float(other.mean()), ""),
            Row(f"{name}: saved", 100 * float(1 - other.mean() / one.mean()), "%"),
            Row(f"{name}: saved a week, 2.5 % of blocks", float(np.quantile(blocks, 0.025)), ""),
            Row(f"{name}: saved a week, 97.5 % of blocks", float(np.quantile(blocks, 0.975)), ""),
        ]
    return rows


class _Plain:
    """Poisson demand of a known rate."""

    def __init__(self, rate: np.ndarray) -> None:
        self.rate = rate

    def draw(self, rows, keys, stream, n_paths, horizon):
        return np.stack([
            np.random.default_rng(int(key)).poisson(self.rate[row], (n_paths, horizon)).astype(float)
            for row, key in zip(rows.tolist(), keys.tolist(), strict=True)
        ])

    def take(self, rows):
        return _Plain(self.rate[rows])


SUBJECTS = (
    Subject("optimizer_ahead", "one order planned over eight reviews: time and gap", _model),
    Subject("optimizer_ahead_replay", "what looking eight reviews ahead saves, week by week", _replay),
)
