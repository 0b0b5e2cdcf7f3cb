"""Rankings on the terminal: the leaderboard of a backtest, which models were chosen where, and the features."""

import numpy as np

from stockcast.evaluation import SELECTED, Comparison, leaderboard
from stockcast.features.rank import Ranked

PLAIN, SHARE, MOVE = "{:.3f}", "{:.1%}", "{:+.1%}"
COLUMNS = {
    "rmsse": ("RMSSE", PLAIN),
    "wape": ("WAPE", SHARE),
    "bias": ("bias", MOVE),
    "scaled_quantile_loss": ("scaled QL", PLAIN),
    "scaled_quantile_loss_sum": ("of the sum", PLAIN),
    "coverage_0.95": ("coverage 0.95", SHARE),
    "fva_scaled_quantile_loss": ("FVA", MOVE),
}
SHOWN = 30  # features on the terminal; features.csv has all
NAMED = 4  # segments that are named for a model


def table_of(found: Comparison) -> tuple[str, tuple[str, ...], list[tuple[str, ...]]]:
    """Give the leaderboard as title, header and rows; means over the origins that ``selected`` is judged at."""
    header = ("model", *(title for title, _ in COLUMNS.values()), "seconds")
    rows = []
    for line in leaderboard(found.scores):
        shown = (f.format(line.values[name]) if name in line.values else "" for name, (_, f) in COLUMNS.items())
        spent = found.timings.get(line.model)
        rows.append((line.model, *shown, "" if spent is None else f"{spent.fit_s + spent.predict_s:.1f}"))
    origins = [choice.origin for choice in found.choices] or list(found.origins)
    span = origins[0] if len(origins) == 1 else f"{len(origins)} origins, {origins[0]} to {origins[-1]}"
    return f"all series, the best first ({span})", header, rows


def features_of(ranked: Ranked) -> tuple[str, tuple[str, ...], list[tuple[str, ...]]]:
    """Give the first features as title, header and rows."""
    header = ("feature", "family", "known ahead", "SHAP", "gain", "|r|", "MI", "L1", "what")
    columns = [ranked.measures[name] for name in ("shap", "gain", "correlation", "mutual_information", "l1")]
    formats = ("{:.4f}", SHARE, "{:.2f}", "{:.2f}")
    rows: list[tuple[str, ...]] = []
    for at in range(min(SHOWN, len(ranked.names))):
        shown = [f.format(column[at]) for f, column in zip(formats, columns, strict=False)]
        kept = "yes" if columns[-1][at] > 0 else ""
        named = ranked.names[at], ranked.family[at], ranked.known_ahead[at]
        rows.append((*named, *shown, kept, ranked.what[at]))
    title = f"the {len(rows)} most important of {len(ranked.names)}" if len(ranked.names) > len(rows) else "features"
    return title, header, rows


def chosen_where(found: Comparison) -> str:
    """Say in one sentence which models were chosen where, at the last origin; nothing where none was.

    Examples
    --------
    >>> from stockcast.evaluation.comparison import Choice
    >>> last = Choice("2024-03-04", np.array(["A-smooth", "A-smooth", "C-lumpy"]), np.array(["ets", "ets", "tsb"]))
    >>> chosen_where(Comparison(choices=(last,)))
    'selected at 2024-03-04: ets for 2 series (A-smooth), tsb for 1 (C-lumpy)'
    """
    if not found.choices:
        return ""
    last = found.choices[-1]
    parts: list[str] = []
    models, counts = np.unique(last.model, return_counts=True)
    for count, model in sorted(zip((-counts).tolist(), models.tolist(), strict=True)):
        where = sorted(set(last.segment[last.model == model].tolist()))
        more = [f"{len(where) - NAMED} more"] if len(where) > NAMED else []
        parts.append(f"{model} for {-count}{'' if parts else ' series'} ({', '.join(where[:NAMED] + more)})")
    return f"{SELECTED} at {last.origin}: {', '.join(parts)}"
