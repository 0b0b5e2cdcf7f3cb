"""Promotions and the user's covariates: as far ahead as they are planned, the last known value beyond."""

from collections.abc import Iterator

import numpy as np

from stockcast.core.axes import Step
from stockcast.features.block import Column, Made
from stockcast.features.trailing import carried, mean
from stockcast.panel import Panel

RECENT: dict[Step, int] = {"day": 28, "week": 4}


def promotions(panel: Panel, horizon: int) -> Iterator[Made]:
    """Give the promotion of each period, and the share of recent periods that were promoted."""
    promotion = panel.known.promotion
    level = carried(promotion, panel.time.n + horizon)
    column = Column("promotion", "target", False, "promotion, 0 or 1 or its depth", family="promotion")
    yield Made(column, level, panel.known.reach("promotion"))
    window = RECENT[panel.time.step]
    past = promotion[:, : panel.time.n]
    share = mean(np.where(np.isnan(past), np.nan, past > 0), window)
    what = f"share of the last {window} periods that were promoted"
    yield Made(Column("promotion_share", "origin", False, what, family="promotion"), share)


def covariates(panel: Panel, horizon: int, names: tuple[str, ...]) -> Iterator[Made]:
    r"""Give the level x of each covariate, and what it is above its recent mean: :math:`x_t - \bar x_{(t-28, t]}`."""
    window = RECENT[panel.time.step]
    for name in names:
        level = carried(panel.known.covariates[name], panel.time.n + horizon)
        reach = panel.known.reach(name)
        yield Made(Column(f"covariate_{name}", "target", False, f"{name}", family="covariates"), level, reach)
        what = f"{name} less its mean of {window} periods"
        column = Column(f"covariate_{name}_change", "target", False, what, family="covariates")
        yield Made(column, level - mean(level, window), reach)
