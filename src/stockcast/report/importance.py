"""``features.csv`` and its picture: what the boosted model sees, the most important first."""

from pathlib import Path

import numpy as np

from stockcast.features.rank import Ranked
from stockcast.report.charts import WIDE
from stockcast.report.disk import write_file
from stockcast.report.files import write_table
from stockcast.report.style import chart_style
from stockcast.report.tables import Columns
from stockcast.report.text import plain

SHOWN = 25  # features in the picture
ROW, TOP = 24, 46
NAME, SHAP, GAIN, AHEAD = 220, (230, 540), (610, 800), 870  # where the columns of the picture lie


def write_importance(folder: Path, ranked: Ranked) -> None:
    """Write ``features.csv``, its Parquet file and ``features.svg``.

    Raises
    ------
    ResourceError
        If the operating system refuses.
    """
    write_table(folder, "features", features_table(ranked))
    write_file(folder / "features.svg", importance_chart(ranked).encode())


def features_table(ranked: Ranked) -> Columns:
    """Give ``features.csv``: one row a feature."""
    measures = ranked.measures
    return {
        "rank": np.arange(1, len(ranked.names) + 1),
        "feature": np.array(ranked.names, dtype=np.str_),
        "family": np.array(ranked.family, dtype=np.str_),
        "known_ahead": np.array(ranked.known_ahead, dtype=np.str_),
        **{name: measures[name] for name in ("gain", "shap", "correlation", "mutual_information")},
        "chosen_by_l1": measures["l1"] > 0,
        "missing": ranked.missing,
        "what": np.array(ranked.what, dtype=np.str_),
    }


def importance_chart(ranked: Ranked) -> str:
    """Draw the first features, each with its SHAP value, its share of the gain, and how far ahead it is known."""
    shown = range(min(SHOWN, len(ranked.names)))
    height = TOP + ROW * max(len(shown), 1) + 8
    title = "features, the most important first"
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDE} {height}" width="{WIDE}" height="{height}" '
        f'role="img" aria-label="{title}">',
        f"<title>{title}</title><style>{chart_style()}</style>",
        f'<rect width="{WIDE}" height="{height}" fill="#fff"/>',
    ]
    heads = [(NAME, "end", "feature"), (SHAP[0], "start", "mean |SHAP|, of the logarithm of a forecast")]
    heads += [(GAIN[0], "start", "share of the gain"), (AHEAD, "start", "known ahead")]
    parts += [f'<text class="tick" x="{x}" y="24" text-anchor="{side}">{text}</text>' for x, side, text in heads]
    parts.append(f'<line class="grid" x1="8" x2="{WIDE - 8}" y1="{TOP - 10}" y2="{TOP - 10}"/>')
    columns = ((SHAP, "shap", "{:.4f}"), (GAIN, "gain", "{:.1%}"))
    for at in shown:
        y, name = TOP + ROW * at, ranked.names[at]
        short = name if len(name) <= 32 else f"{name[:31]}…"
        parts.append(f'<text class="name" x="{NAME}" y="{y + 12}" text-anchor="end">{plain(short)}</text>')
        for (left, right), measure, written in columns:
            values = ranked.measures[measure]
            length = max((right - left) * float(values[at]) / (float(values.max(initial=0.0)) or 1.0), 1.0)
            parts.append(f'<rect class="bar" x="{left}" y="{y}" width="{length:.1f}" height="16" rx="2"/>')
            text = written.format(float(values[at]))
            parts.append(f'<text class="value" x="{left + length + 6:.1f}" y="{y + 12}">{text}</text>')
        parts.append(f'<text class="tick" x="{AHEAD}" y="{y + 12}">{plain(ranked.known_ahead[at])}</text>')
    return "".join([*parts, "</svg>\n"])
