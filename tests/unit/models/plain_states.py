"""The states of the naive models and of rare demand, whole panel at once: the plain twin of what reads it in slices."""

import numpy as np

from stockcast.demand import Innovations
from stockcast.models.history import CEILING, POOL, season_length, spell_of
from stockcast.models.intermittent import FIRST, _cut, initial, recursion
from stockcast.models.naive import WINDOWS
from stockcast.models.states import innovations
from stockcast.models.uncensor import ENOUGH, SHARE


def evidence(panel):
    full = panel.fully_in_stock
    stocked, recorded = full.sum(axis=1), panel.observed.sum(axis=1)
    censored = stocked < np.minimum(ENOUGH[panel.time.step], recorded)
    part = panel.observed & (panel.in_stock > 0)
    some = np.where((part.any(axis=1) | (panel.sales == 0).all(axis=1))[:, None], part, panel.observed)
    share = np.where(panel.in_stock >= SHARE, panel.in_stock, 1.0)
    used = np.where(censored[:, None], some, full)
    whole = np.where(full, panel.sales, 0.0)
    return np.where(censored[:, None], np.where(some, panel.sales / share, 0.0), whole), used, censored


def latest(values, used, size):
    rank = used.sum(axis=1, keepdims=True, dtype=np.int32) - np.cumsum(used, axis=1, dtype=np.int32)
    keep = used & (rank < size)
    count = keep.sum(axis=1)
    out = np.zeros((len(values), max(1, int(count.max(initial=0)))))
    row, period = np.nonzero(keep)
    out[row, (count[row] - 1 - rank[row, period])] = values[row, period]
    return out, count


def mean_of(values, count):
    return np.cumsum(values, axis=1)[:, -1] / np.maximum(count, 1)


def pool_of(errors, used):
    pool, count = latest(errors, used, POOL)
    inside = np.arange(pool.shape[1]) < count[:, None]
    return np.where(inside, pool - mean_of(pool, count)[:, None], 0.0), np.maximum(count, 1)


def ceiling(values, used):
    padded = np.concatenate([np.zeros((len(values), 2)), np.where(used, values, 0.0)], axis=1)
    top = np.partition(padded, -2, axis=1)[:, -2:]
    many = used.sum(axis=1) >= 10
    least = (np.floor(padded) == padded).all(axis=1)
    return CEILING * np.maximum(np.where(many & (top[:, 0] > 0), top[:, 0], top[:, 1]), least)


def repeated(values, used, season):
    n, time = values.shape
    rounds = -(-time // season)
    front = rounds * season - time
    value = np.pad(np.where(used, values, 0.0), ((0, 0), (front, 0))).reshape(n, rounds, season)
    known = np.pad(used, ((0, 0), (front, 0))).reshape(n, rounds, season)
    at = np.maximum.accumulate(np.where(known, np.arange(rounds)[None, :, None], -1), axis=1)
    carried = np.take_along_axis(value, np.maximum(at, 0), axis=1)
    before = np.concatenate([np.zeros((n, 1, season)), carried[:, :-1]], axis=1)
    had = np.concatenate([np.zeros((n, 1, season), dtype=bool), at[:, :-1] >= 0], axis=1)
    judged = (known & had).reshape(n, -1)[:, front:]
    errors = np.where(judged, (value - before).reshape(n, -1)[:, front:], 0.0)
    last, _ = latest(values, used, 1)
    return np.where(at[:, -1] >= 0, carried[:, -1], last), errors, judged


def seasonal_naive(panel, fitted) -> Innovations:
    values, used, _ = evidence(panel)
    length = season_length(panel.time.step, panel.time.n, 2)
    told = repeated(values, used, length)
    if length == 52:
        short = panel.time.n - panel.first < 104
        plain = repeated(values, used, 1)
        told = tuple(np.where(short[:, None], one, other) for one, other in zip(plain, told, strict=True))
    pool, count = pool_of(told[1], told[2])
    return innovations(len(values), season=told[0], errors=pool, n_errors=count, cap=ceiling(values, used))


def moving_average(panel, fitted) -> Innovations:
    values, used, _ = evidence(panel)
    recent, count = latest(values, used, max(WINDOWS[panel.time.step]))
    inside = np.arange(recent.shape[1]) >= (count - fitted.window)[:, None]
    level = mean_of(np.where(inside, recent, 0.0), np.minimum(count, fitted.window))
    pool, size = pool_of(values, used)
    return innovations(
        len(values), level=level, errors=pool, n_errors=size, block=spell_of(size), cap=ceiling(values, used)
    )


def intermittent(panel, fitted) -> Innovations:
    values, used, _ = evidence(panel)
    cut, kept, scale = _cut(values, used, panel.time.step)
    first = initial(cut, kept, FIRST[panel.time.step])
    rates = recursion(cut, kept, fitted.kind, fitted.alpha[None], fitted.delta[None], *first)
    some = used & (values > 0)
    pool, count = pool_of(values, some)
    n = len(values)
    return innovations(
        n, level=rates.size[0] * scale, occurrence=np.where(some.any(axis=1), rates.occurrence[0], 0.0),
        alpha=np.zeros(n), delta=fitted.delta, errors=pool, n_errors=count, block=spell_of(count),
        cap=ceiling(values, used),
    )  # fmt: skip


def windows(panel):
    """Give the window of the moving average of each series."""
    values, used, _ = evidence(panel)
    recent, count = latest(values, used, 364 if panel.time.step == "day" else 104)
    choices = WINDOWS[panel.time.step]
    skip = max(choices)
    if recent.shape[1] <= skip:
        return np.full(len(values), choices[0])
    total = np.concatenate([np.zeros((len(recent), 1)), np.cumsum(recent, axis=1)], axis=1)
    at = np.arange(skip, recent.shape[1])
    scale = np.maximum(recent.max(axis=1, keepdims=True), 1.0)
    loss = []
    for window in choices:
        error = recent[:, at] - (total[:, at] - total[:, at - window]) / window
        loss.append(np.cumsum(np.where(at < count[:, None], (error / scale) ** 2, 0.0), axis=1)[:, -1])
    return np.array(choices)[np.stack(loss).argmin(axis=0)]
