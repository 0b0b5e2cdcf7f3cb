"""Charts as SVG text: plain functions of arrays, the same text for the same arrays, no script and no outside font.

Colours are classes of the page's style sheet, so that a chart follows the reader's light or dark setting.
"""

from collections.abc import Callable, Sequence

import numpy as np
from jaxtyping import Bool, Float

from stockcast.report.text import number, plain, short_number

WIDE, CARD = 1000, 460  # about the pixels that a chart gets on the page, so that its text is as large as the page's
MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


def nice_ticks(top: float, n: int = 4) -> list[float]:
    """Give about ``n`` round values from 0 to at least ``top``.

    Examples
    --------
    >>> nice_ticks(37.0)
    [0.0, 10.0, 20.0, 30.0, 40.0]
    >>> nice_ticks(0.0)
    [0.0, 1.0]
    """
    if not top > 0:
        return [0.0, 1.0]
    rough = top / n
    power = 10.0 ** np.floor(np.log10(rough))
    step = next(float(power * factor) for factor in (1, 2, 2.5, 5, 10) if power * factor >= rough * (1 - 1e-9))
    return [step * at for at in range(int(np.ceil(top / step - 1e-9)) + 1)]


def _points(x: np.ndarray, y: np.ndarray) -> str:
    return " ".join(f"{a:.1f},{b:.1f}" for a, b in zip(x.tolist(), y.tolist(), strict=True))


def _frame(width: int, height: int, label: str, body: Sequence[str]) -> str:
    head = f'<svg viewBox="0 0 {width} {height}" role="img" aria-label="{plain(label)}">'
    return "".join([head, *body, "</svg>"])


def _grid(ticks: Sequence[float], y: Sequence[float], left: float, width: int) -> list[str]:
    out = []
    for value, at in zip(ticks, y, strict=True):
        kind = "base" if value == 0 else "grid"
        out.append(f'<line class="{kind}" x1="{left}" x2="{width - 8}" y1="{at:.1f}" y2="{at:.1f}"/>')
        out.append(f'<text class="tick" x="{left - 6}" y="{at + 4:.1f}" text-anchor="end">{short_number(value)}</text>')
    return out


def _dates(dates: np.ndarray, x: np.ndarray, y: float, width: int) -> list[str]:
    """Label the first period of some months: as many as there is room for."""
    months = dates.astype("datetime64[M]")
    first = np.flatnonzero(np.diff(months).astype(np.int64) > 0) + 1
    if not len(first):
        first = np.array([0])
    every = max(1, -(-len(first) // (width // 80)))
    out = []
    for at in first[::every].tolist():
        month = int(months[at].astype(np.int64)) % 12
        text = MONTHS[month] if month else str(months[at].astype("datetime64[Y]"))
        anchor = "end" if x[at] > width - 40 else "start" if x[at] < 70 else "middle"
        out.append(f'<text class="tick" x="{x[at]:.1f}" y="{y:.1f}" text-anchor="{anchor}">{text}</text>')
    return out


def demand_chart(
    dates: np.ndarray,
    sales: Float[np.ndarray, " past"],
    mean: Float[np.ndarray, " future"],
    low: Float[np.ndarray, " future"] | None,
    high: Float[np.ndarray, " future"] | None,
    *,
    short: Bool[np.ndarray, " past"] | None = None,
    label: str = "sales and forecast",
    width: int = WIDE,
    height: int = 240,
) -> str:
    """Draw recorded sales, then the forecast's mean with a band.

    Parameters
    ----------
    dates
        First days of all periods, past and future.
    short
        Periods that were not fully in stock; they get a mark on the axis.
    """
    left, top, bottom = 46.0, 10.0, height - 24.0
    n, past = len(dates), len(sales)
    x = left + (width - 8 - left) * np.arange(n) / max(n - 1, 1)
    largest = [values.max(initial=0.0) for values in (sales, mean, high) if values is not None]
    ticks = nice_ticks(float(max(largest)))
    scale = (bottom - top) / ticks[-1]
    parts = _grid(ticks, [bottom - value * scale for value in ticks], left, width)
    if low is not None and high is not None:
        around = np.concatenate([x[past:], x[past:][::-1]])
        edge = bottom - scale * np.concatenate([high, low[::-1]])
        parts.append(f'<polygon class="band" points="{_points(around, edge)}"/>')
    if past:
        middle = (x[past - 1] + x[min(past, n - 1)]) / 2
        parts.append(f'<line class="now" x1="{middle:.1f}" x2="{middle:.1f}" y1="{top}" y2="{bottom}"/>')
        parts.append(f'<polyline class="sales" points="{_points(x[:past], bottom - scale * sales)}"/>')
    parts.append(f'<polyline class="forecast" points="{_points(x[past:], bottom - scale * mean)}"/>')
    if short is not None:
        for at in np.flatnonzero(short).tolist():
            parts.append(f'<rect class="short" x="{x[at] - 2:.1f}" y="{bottom - 3:.1f}" width="4" height="6"/>')
    parts += _dates(dates, x, height - 6.0, width)
    return _frame(width, height, label, parts)


def stock_chart(
    dates: np.ndarray,
    with_order: Float[np.ndarray, " future"],
    without: Float[np.ndarray, " future"],
    *,
    label: str = "expected stock",
    width: int = CARD,
    height: int = 120,
) -> str:
    """Draw the expected stock at the end of each future period, with this plan's order and without it."""
    left, top, bottom = 46.0, 10.0, height - 24.0
    n = len(dates)
    x = left + (width - 8 - left) * np.arange(n) / max(n - 1, 1)
    ticks = nice_ticks(float(max(with_order.max(initial=0.0), without.max(initial=0.0))), 3)
    scale = (bottom - top) / ticks[-1]
    parts = _grid(ticks, [bottom - value * scale for value in ticks], left, width)
    parts.append(f'<polyline class="without" points="{_points(x, bottom - scale * without)}"/>')
    parts.append(f'<polyline class="stock" points="{_points(x, bottom - scale * with_order)}"/>')
    for at, anchor in ((0, "start"), (n - 1, "end")):
        text = str(dates[at].astype("datetime64[D]"))
        parts.append(f'<text class="tick" x="{x[at]:.1f}" y="{height - 6}" text-anchor="{anchor}">{text}</text>')
    return _frame(width, height, label, parts)


def share_bars(labels: Sequence[str], values: Sequence[float], *, label: str, mark: float | None = None) -> str:
    """Draw one horizontal bar a row, its value at its end as a share; and a line across at ``mark``."""
    return bar_chart(labels, values, label=label, written="{:.1%}".format, mark=mark)


def bar_chart(
    labels: Sequence[str],
    values: Sequence[float],
    *,
    label: str,
    written: Callable[[float], str] = number,
    mark: float | None = None,
) -> str:
    """Draw one horizontal bar a row, its value at its end; and a line across all rows at the value ``mark``."""
    row, left = 26, 200
    top = max([*values, mark or 0.0, 0.0]) or 1.0
    parts = []
    for at, (name, value) in enumerate(zip(labels, values, strict=True)):
        y, length = at * row + 4, max((WIDE - left - 90) * max(value, 0.0) / top, 1.0)
        shown = name if len(name) <= 28 else f"{name[:27]}…"
        parts.append(f'<text class="name" x="{left - 8}" y="{y + 13}" text-anchor="end">{plain(shown)}</text>')
        parts.append(f'<rect class="bar" x="{left}" y="{y}" width="{length:.1f}" height="18" rx="2"/>')
        parts.append(f'<text class="value" x="{left + length + 6:.1f}" y="{y + 13}">{written(value)}</text>')
    if mark is not None:
        x = left + (WIDE - left - 90) * mark / top
        parts.append(f'<line class="now" x1="{x:.1f}" x2="{x:.1f}" y1="0" y2="{max(len(labels), 1) * row + 6}"/>')
    return _frame(WIDE, max(len(labels), 1) * row + 6, label, parts)
