"""What the Temporal Fusion Transformer earns in the ensemble, on folds after those that its weight was learnt from.

Every model is fitted at six rolling origins of 28 days of the M5 series. At each but the first two, weights are learnt
from the origins before it, once with the network among the models and once without, and held against what came. The
ratio of the losses comes with a 95 % interval over series and folds.
"""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from benchmarks.made import m5_panel
from benchmarks.scoring import paired
from benchmarks.subject import Row, Setting, Subject

LEVELS = (0.05, 0.1, 0.25, 0.5, 0.75, 0.9, 0.95, 0.975, 0.99, 0.995)
SEEN = 2  # origins that the first weights are learnt from


def _losses(weights: np.ndarray, origin) -> tuple[np.ndarray, np.ndarray]:
    """Give what each series loses with some weights: by periods, and by the sum over 14 of them."""
    from stockcast.evaluation import metrics

    single = np.einsum("sm,mshl->shl", weights, np.nan_to_num(origin.single))
    total = np.einsum("sm,msl->sl", weights, np.nan_to_num(origin.total))
    by_period = metrics.scaled_quantile_loss(single, origin.actual, origin.used, LEVELS, origin.scale)
    sums = metrics.quantile_loss(total[:, None], origin.sold[:, None], LEVELS)[:, 0].mean(axis=1)
    return by_period, sums / origin.scale / origin.periods


def _judged(names: Sequence[str], among: Sequence[str], pasts, folds, found) -> tuple[list, list[np.ndarray]]:
    """Give the losses and the weights at every origin that at least ``SEEN`` come before."""
    from stockcast.evaluation.ensemble import weigh
    from stockcast.evaluation.segments import segments
    from stockcast.evaluation.selection import choose, competing

    some = [names.index(name) for name in among]
    told = [replace(one, single=one.single[some], total=one.total[some]) for one in folds]
    lost, given = [], []
    for at in range(SEEN, len(told)):
        segment = segments(pasts[at])
        competes = competing(among, segment)
        chosen = choose([found.outcomes[of][:at] for of in some], segment, 0, competes)
        rows = np.arange(len(segment))
        weights = weigh(told[:at], rows, among, segment, competes, chosen, LEVELS).weights
        lost.append(_losses(weights, told[at]))
        given.append(weights.mean(axis=0))
    return lost, given


def measure(setting: Setting) -> list[Row]:
    from stockcast.evaluation.backtest import backtest
    from stockcast.evaluation.ensemble import origins
    from stockcast.evaluation.folds import rolling
    from stockcast.models.catalogue import candidates

    whole = m5_panel(setting.data / "m5_280_series.parquet")
    smooth = [name for name in candidates("auto", "normal") if name != "lightgbm"]
    names = [*smooth, "lightgbm", "tft"]
    cut = rolling(whole.time.n, 28, 6, "day")
    every, periods = np.arange(len(whole.series)), np.full(len(whole.series), 14)
    found = backtest(names, whole, cut, periods=periods, levels=LEVELS, n_paths=500, seed=7, keep=every)
    folds = origins(whole, cut, every, periods, found.quantiles)
    rows = []
    for label, without in (("with lightgbm", [*smooth, "lightgbm"]), ("without lightgbm", smooth)):
        both = [
            _judged(names, among, [whole.until(known) for known in cut.known], folds, found)
            for among in (without, [*without, "tft"])
        ]
        share = float(np.mean([weights[-1] for weights in both[1][1]]))
        rows.append(Row(f"{label}: weight of tft", 100 * share, "%"))
        for kind, what in enumerate(("single periods", "the sum of 14 periods")):
            before, after = (np.stack([lost[kind] for lost in told[0]]) for told in both)
            ratio, *interval = paired((after, np.ones_like(after)), (before, np.ones_like(before)))
            rows.append(Row(f"{label}: quantile loss of {what}, with tft / without", ratio, "x", tuple(interval)))
    rows.append(Row("seconds to fit tft at an origin", found.seconds["tft"][0] / len(cut.known), "s"))
    return rows


SUBJECT = Subject(
    "tft_gate", "the network in the ensemble, on folds after those that its weight was learnt from", measure,
    needs_data=True,
)  # fmt: skip
