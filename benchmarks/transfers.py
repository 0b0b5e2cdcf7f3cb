"""Stock moved along lanes before anything is bought: places in a ring, each with a lane to both neighbours."""

import time
from dataclasses import replace

import numpy as np

from benchmarks.optimizer import situation
from benchmarks.subject import Row, Setting, Subject, own_peak_mb


def with_lanes(night, order_cost: float):
    """Give the same night with lanes along the ring of its places."""
    from stockcast.inventory import Lanes

    places = sorted(set(night.terms.series.location.tolist()))
    beside = zip(places, places[1:] + places[:1], strict=True)
    begin, end = zip(*sorted({way for one, other in beside for way in ((one, other), (other, one))}), strict=True)
    n = len(begin)
    lanes = Lanes(
        np.array(begin), np.array(end), np.ones(n, dtype=np.int64), np.full(n, 0.1), np.full(n, order_cost), np.zeros(n)
    )
    return replace(night, shared=replace(night.shared, lanes=lanes))


def _measure(setting: Setting) -> list[Row]:
    from stockcast.policies import propose
    from stockcast.policies.lines import lines

    free = situation(*(100, 4) if setting.smoke else (2_000, 8))
    begin = time.perf_counter()
    lines(free, workers=2)
    rows = [Row("the lines of the plan, to compare", time.perf_counter() - begin, "s")]
    for what, order_cost in (("free shipments", 0.0), ("shipments that cost 50", 50.0)):
        begin = time.perf_counter()
        moved = propose(with_lanes(free, order_cost), workers=2)
        rows += [
            Row(f"{what}: proposed", time.perf_counter() - begin, "s"),
            Row(f"{what}: lines", len(moved.transfers), "count"),
            Row(f"{what}: saved", float(moved.transfers.saving.sum()), "money"),
        ]
    return [*rows, Row("peak memory", own_peak_mb(), "MB")]


SUBJECTS = (Subject("transfers", "2,000 series at 10 places in a ring, 20 lanes", _measure),)
