"""``tradeoff.csv`` and its picture: what more service costs in stock."""

from pathlib import Path

import numpy as np

from stockcast.policies import Tradeoff
from stockcast.report.charts import WIDE, nice_ticks
from stockcast.report.disk import write_file
from stockcast.report.files import write_table
from stockcast.report.style import chart_style
from stockcast.report.tables import Columns
from stockcast.report.text import number, plain, short_number

HEIGHT, LEFT, RIGHT, TOP, BOTTOM = 470, 70.0, 40.0, 56.0, 60.0
APART = 15.0  # pixels between the lines of two labels


def write_tradeoff(folder: Path, found: Tradeoff) -> None:
    """Write ``tradeoff.csv``, its Parquet file and ``tradeoff.svg``.

    Raises
    ------
    ResourceError
        If the operating system refuses.
    """
    write_table(folder, "tradeoff", tradeoff_table(found))
    write_file(folder / "tradeoff.svg", tradeoff_chart(found).encode())


def tradeoff_table(found: Tradeoff) -> Columns:
    """Give ``tradeoff.csv``: one row a point, by rising service."""
    return {
        "setting": np.array(found.setting, dtype=np.str_),
        "factor": found.factor,
        "cycle_service": found.cycle_service,
        "fill_rate": found.fill_rate,
        "stock_units": found.stock_units,
        "stock_value": found.stock_value,
        "order_lines": found.order_lines,
        "order_quantity": found.order_units,
        "order_value": found.order_value,
        "holding_cost": found.holding_cost,
        "expected_cost_saving": found.cost_saving,
        "chosen": found.chosen,
        "dominated": found.dominated,
    }


def tradeoff_chart(found: Tradeoff) -> str:
    """Draw fill rate and cycle service over the value of the mean stock, with the plan's point marked."""
    money = bool(found.stock_value.any())
    stock = found.stock_value if money else found.stock_units
    least, most = float(stock.min()), float(stock.max())
    margin = 0.04 * max(most - least, 1e-9 * most, 1e-9)
    begin, span = max(least - margin, 0.0), most - max(least - margin, 0.0) + margin
    x = LEFT + (WIDE - LEFT - RIGHT) * (stock - begin) / span
    missing = 1.0 - float(min(found.fill_rate.min(), found.cycle_service.min()))
    shares = 1.0 - np.array(nice_ticks(max(missing, 0.01), 5))
    low = float(shares[-1])

    def height(share: np.ndarray | float) -> np.ndarray:
        return np.asarray(HEIGHT - BOTTOM - (HEIGHT - BOTTOM - TOP) * (np.asarray(share) - low) / (1.0 - low))

    title = "service against stock"
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDE} {HEIGHT}" width="{WIDE}" height="{HEIGHT}" '
        f'role="img" aria-label="{title}">',
        f"<title>{title}</title><style>{chart_style()}.second{{fill:#e08a1e}}</style>",
        f'<rect width="{WIDE}" height="{HEIGHT}" fill="#fff"/>',
        f'<text class="name" x="{LEFT}" y="22">{_key()}</text>',
    ]
    for part in shares.tolist():
        rule = float(height(part))
        parts.append(f'<line class="grid" x1="{LEFT}" x2="{WIDE - RIGHT}" y1="{rule:.1f}" y2="{rule:.1f}"/>')
        parts.append(
            f'<text class="tick" x="{LEFT - 8}" y="{rule + 4:.1f}" text-anchor="end">{100 * part:.3g} %</text>'
        )
    step = nice_ticks(span, 6)[1]
    for tick in (step * np.arange(np.ceil(begin / step), np.floor((begin + span) / step) + 1)).tolist():
        at = LEFT + (WIDE - LEFT - RIGHT) * (tick - begin) / span
        parts.append(f'<text class="tick" x="{at:.1f}" y="{HEIGHT - BOTTOM + 20:.1f}" text-anchor="middle">'
                     f"{short_number(tick)}</text>")  # fmt: skip
    what = "mean stock between the next two receipts, at unit cost" if money else "mean stock, units"
    parts.append(f'<text class="tick" x="{LEFT}" y="{HEIGHT - 12}">{what}</text>')
    order = np.argsort(stock, kind="stable")
    for share, line, dot in ((found.cycle_service, "without", "second"), (found.fill_rate, "stock", "bar")):
        y = height(share)
        points = " ".join(f"{a:.1f},{b:.1f}" for a, b in zip(x[order].tolist(), y[order].tolist(), strict=True))
        parts.append(f'<polyline class="{line}" points="{points}"/>')
        parts += [
            f'<circle class="{dot}" cx="{a:.1f}" cy="{b:.1f}" r="3.5"/>'
            for a, b in zip(x.tolist(), y.tolist(), strict=True)
        ]
    parts += _labels(found, x, height(found.cycle_service))
    for at in np.flatnonzero(found.chosen).tolist():
        upper, lower = float(height(found.fill_rate[at])), float(height(found.cycle_service[at]))
        parts.append(
            f'<line class="now" x1="{x[at]:.1f}" x2="{x[at]:.1f}" y1="{TOP - 8:.1f}" y2="{HEIGHT - BOTTOM:.1f}"/>'
        )
        parts += [
            f'<circle cx="{x[at]:.1f}" cy="{y:.1f}" r="7" fill="none" stroke="#16202c" stroke-width="1.5"/>'
            for y in (upper, lower)
        ]
        side = "start" if x[at] < WIDE / 2 else "end"
        parts.append(
            f'<text class="value" x="{x[at] + (6 if side == "start" else -6):.1f}" y="{TOP - 12:.1f}" '
            f'text-anchor="{side}">the plan: fill rate {found.fill_rate[at]:.1%}, no stockout '
            f"{found.cycle_service[at]:.1%}, stock {number(float(np.round(stock[at])))}</text>"
        )
    return "".join([*parts, "</svg>\n"])


def _key() -> str:
    return (
        '<tspan fill="#1f6fd6">● fill rate: share of demand served at once</tspan>'
        '<tspan dx="18" fill="#e08a1e">● cycle service: share of lines without a stockout</tspan>'
    )


def _labels(found: Tradeoff, x: np.ndarray, y: np.ndarray) -> list[str]:
    """Name the points below the lower curve; one that would lie on another's name is left out, never the plan's."""
    short = [name.rpartition(" ")[2] for name in found.setting]
    kind = found.setting[0].rpartition(" ")[0] if found.setting else ""
    kept: list[int] = []
    first = np.flatnonzero(found.chosen).tolist()
    for at in [*first, *(one for one in range(len(x)) if one not in first)]:
        if all(abs(x[at] - x[one]) > 34 or abs(y[at] - y[one]) > APART for one in kept):
            kept.append(at)
    sign = "×" if kind.endswith("×") else ""
    named = [
        f'<text class="tick" x="{x[at] + 6:.1f}" y="{y[at] + 17:.1f}">{plain(sign + short[at])}</text>' for at in kept
    ]
    what = f"beside the points: {kind.removesuffix(' ×').replace('_', ' ')}{', times as planned' if sign else ''}"
    return [*named, f'<text class="tick" x="{WIDE - RIGHT}" y="{HEIGHT - 12}" text-anchor="end">{plain(what)}</text>']
