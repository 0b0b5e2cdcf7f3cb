"""The page's charts of demand and stock: all series together, and the costliest lines one by one."""

import re

import numpy as np
from jaxtyping import Float

from stockcast.demand import SampledForecast
from stockcast.inventory import InventoryState
from stockcast.panel import Panel
from stockcast.report.charts import CARD, demand_chart, stock_chart
from stockcast.report.content import ReportData
from stockcast.report.markup import section, soft
from stockcast.report.tables import Columns
from stockcast.report.text import number, plain

SHOWN_SERIES = 6
BAND_SERIES = 2000  # up to so many series are drawn again for the band of the total


def _band(forecast: Columns, shape: tuple[int, int]) -> tuple[str, np.ndarray, np.ndarray] | None:
    """Give the name and the two edges (series, period) of the band to draw: 80 % if its quantiles are there."""
    levels = sorted(float(name[1:]) for name in forecast if re.fullmatch(r"q0?\.\d+", name))
    if len(levels) < 2:
        return None
    low, high = (0.1, 0.9) if {0.1, 0.9} <= set(levels) else (levels[0], levels[-1])
    edges = [forecast[f"q{level:g}"].reshape(shape) for level in (low, high)]
    return f"{high - low:.0%} of the paths", edges[0], edges[1]


def _past(panel: Panel, horizon: int) -> int:
    return min(panel.time.n, max(3 * horizon, 60))


def _key(band: str | None, *, short: bool = False) -> str:
    parts = ['<i class="k-sales"></i>recorded sales', '<i class="k-forecast"></i>forecast, mean']
    if band:
        parts.append(f'<i class="k-band"></i>{band}')
    if short:
        parts.append('<i class="k-short"></i>not fully in stock')
    return f'<p class="key">{" ".join(parts)}</p>'


def total_demand(data: ReportData) -> str:
    """Give the section of all series together."""
    series, horizon = len(data.panel.series), data.demand.horizon
    if not series:
        return ""
    past = _past(data.panel, horizon)
    dates = np.concatenate([data.panel.time.dates()[-past:], data.demand.time.dates()])
    mean = data.forecast["mean"].reshape(series, horizon).sum(axis=0)
    low, high = _total_band(data.demand) if series <= BAND_SERIES else (None, None)
    said = "80 % of the paths" if low is not None else None
    caption = (
        "Units of all series together. The series are drawn independently of each other: where they share their "
        "errors, the true band is wider."
        if said
        else "Units of all series together."
    )
    chart = demand_chart(
        dates, data.panel.sales[:, -past:].sum(axis=0), mean, low, high, label="total sales and forecast", height=260
    )
    return section("Demand", _key(said), f'<figure class="wide">{chart}<figcaption>{caption}</figcaption></figure>')


def _total_band(demand: SampledForecast) -> tuple[Float[np.ndarray, " future"], Float[np.ndarray, " future"]]:
    total = np.zeros((demand.n_paths, demand.horizon))
    for rows in demand.chunks():
        total += demand.paths(rows).sum(axis=0)
    low, high = np.quantile(total, [0.1, 0.9], axis=0, method="inverted_cdf")
    return low, high


def costliest_lines(data: ReportData) -> str:
    """Give a card for each of the costliest lines (or the best-selling series where there is no plan)."""
    n, horizon = len(data.panel.series), data.demand.horizon
    mean = data.forecast["mean"].reshape(n, horizon)
    if data.plan is not None and (data.plan["order_quantity"] > 0).any():
        value, title = np.nan_to_num(data.plan["line_value"]), "The costliest lines"
        chosen = np.flatnonzero(data.plan["order_quantity"] > 0)
    else:
        value, title, chosen = mean.sum(axis=1), "The series with the largest forecast", np.arange(n)
    chosen = chosen[np.argsort(-value[chosen], kind="stable")][:SHOWN_SERIES]
    if not len(chosen):
        return ""
    band = _band(data.forecast, (n, horizon))
    cards = "".join(_card(data, at, mean[at], band) for at in chosen.tolist())
    shown = _key(band[0] if band else None, short=True)
    if data.plan is not None and data.state is not None:
        shown += (
            '<p class="key"><i class="k-stock"></i>expected stock with this order '
            '<i class="k-without"></i>without it, at mean demand</p>'
        )
    return section(title, shown, f'<div class="cards">{cards}</div>')


def _card(data: ReportData, at: int, mean: np.ndarray, band: tuple[str, np.ndarray, np.ndarray] | None) -> str:
    panel, horizon = data.panel, data.demand.horizon
    past = _past(panel, horizon)
    name = f"<bdi>{plain(panel.series.sku[at])}</bdi> · <bdi>{plain(panel.series.location[at])}</bdi>"
    future = data.demand.time.dates()
    chart = demand_chart(
        np.concatenate([panel.time.dates()[-past:], future]),
        panel.sales[at, -past:],
        mean,
        band[1][at] if band else None,
        band[2][at] if band else None,
        short=panel.observed[at, -past:] & (panel.in_stock[at, -past:] < 1),
        label="sales and forecast of one series",
        width=CARD,
        height=190,
    )
    parts = [f"<h3>{name}</h3>"]
    if data.plan is not None:
        plan = data.plan
        parts.append(
            soft(
                f"Order {number(float(plan['order_quantity'][at]))} units, "
                f"worth {number(float(plan['line_value'][at]))}: "
                f"<bdi>{plain(plan['reason'][at])}</bdi>"
            )
        )
    parts.append(chart)
    if data.plan is not None and data.state is not None:
        order, lead = float(data.plan["order_quantity"][at]), int(data.plan["lead_time"][at])
        stocks = [expected_stock(data.state, at, mean, quantity, lead) for quantity in (order, 0.0)]
        protected = lead + int(np.nan_to_num(data.plan["review_period"][at])) + 1
        lasts = np.flatnonzero((stocks[0] > 0) | (stocks[1] > 0))
        until = max(protected, int(lasts[-1]) + 2 if len(lasts) else 0)  # an empty shelf is shown no further
        parts.append(stock_chart(future[:until], stocks[0][:until], stocks[1][:until]))
    return f'<div class="card">{"".join(parts)}</div>'


def expected_stock(
    state: InventoryState, row: int, mean: Float[np.ndarray, " future"], order: float, lead_time: int
) -> Float[np.ndarray, " future"]:
    """Give the stock of one series at the end of each future period if demand were its mean; what is short is lost."""
    stock, out = float(state.on_hand[row] - state.backorders[row]), np.empty(len(mean))
    arrivals = state.pipeline.shape[1] - 1  # the last column holds what comes later than the others can say
    for t in range(len(mean)):
        stock += float(state.pipeline[row, t]) if t < arrivals else 0.0
        stock += order if t == lead_time else 0.0
        stock -= min(float(mean[t]), max(stock, 0.0))
        out[t] = max(stock, 0.0)
    return out
