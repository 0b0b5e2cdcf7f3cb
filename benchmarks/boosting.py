"""Boosting and the chosen best against statsforecast and mlforecast with LightGBM: accuracy, calibration, bias.

On 280 M5 series, 4 rolling folds of 28 days, and on every eighth FreshRetail series, 3 folds of 7 days. The peers get
the same history, features of the same kind, and the covariates of the days to come (of M5 the prices too, which
stockcast is not told ahead). All are scored by the same functions; ratios come with 95 % intervals over series and
folds.
"""

import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from benchmarks import made, peer
from benchmarks.scoring import COVERED, LEVELS, Losses, folded, losses, paired, quantiles_of, scales, transform
from benchmarks.subject import Row, Setting, Subject

PATHS, TREES = 500, 600
SIMPLE = ("AutoETS", "DynamicOptimizedTheta", "CrostonSBA", "TSB", "SeasonalNaive", "WindowAverage")
BOOSTED = ("MLForecast", "LightGBMQuantile")


@dataclass(frozen=True)
class Task:
    """A panel, its folds, and what is counted on it."""

    name: str
    panel: object  # a stockcast.panel.Panel
    origins: np.ndarray
    horizon: int
    sums: tuple[int, ...]
    windows: tuple[int, ...]
    blocks: tuple[int, ...]
    least: int = 56


def m5(setting: Setting) -> Task:
    panel = made.m5_panel(setting.data / "m5_280_series.parquet")
    origins = panel.time.n - 28 * np.arange(1, min(setting.folds, 4) + 1)
    return Task("m5", panel, origins, 28, (7, 14), (7, 14, 28, 56, 112), (7, 14, 21, 28))


def fresh(setting: Setting) -> Task:
    panel = made.fresh_panel(setting.data / "freshretail_303_stores.parquet")
    origins = panel.time.n - 7 * np.arange(1, min(setting.folds, 3) + 1)
    return Task("fresh", panel, origins, 7, (7,), (3, 7, 14, 28), (7,))


def peer_arrays(task: Task, *, in_stock_only: bool) -> dict[str, np.ndarray]:
    """Give what the peers are told; without days short of stock, these are filled with what sold on full ones."""
    panel = task.panel
    n, time_n = panel.sales.shape
    begun = np.maximum.accumulate(panel.observed, axis=1)
    sales, used = panel.sales, panel.observed
    if in_stock_only:
        used = panel.fully_in_stock
        sales = filled(sales, used)
    known = {f"known/{name}": values for name, values in panel.known.covariates.items()}
    if not np.isnan(panel.known.price).all():
        known |= {f"known/{name}": values for name, values in _prices(panel.known.price).items()}
    calendar = panel.known.calendar
    if calendar is not None:
        event = np.where(calendar.occurs.any(axis=1), calendar.occurs.argmax(axis=1) + 1, 0)
        known["known/event"] = event[calendar.place(panel.series.location)][:, :time_n]
    dates = panel.time.dates()
    day = (dates - dates.astype("datetime64[M]")).astype(int) + 1
    month = dates.astype("datetime64[M]").astype(int) % 12
    known |= {"known/mday": np.tile(day, (n, 1)), "known/month": np.tile(month, (n, 1))}
    texts = {"sku": panel.series.sku, "location": panel.series.location, **panel.attributes.columns}
    static = {f"static/{name}": np.unique(column, return_inverse=True)[1] for name, column in texts.items()}
    return known | static | {
        "values": np.where(begun, sales, np.nan), "used": used, "origins": task.origins,
        "horizon": np.array(task.horizon), "levels": np.array(LEVELS), "sums": np.array(task.sums),
        "season": np.array(7), "paths": np.array(PATHS), "start": np.array(str(dates[0])),
        "blocks": np.array(task.blocks), "windows": np.array(task.windows), "trees": np.array(TREES),
        "least": np.array(task.least),
    }  # fmt: skip


def filled(sales: np.ndarray, full: np.ndarray) -> np.ndarray:
    """Give on days short of stock the mean of the series' last 14 fully stocked days, no less than what was sold."""
    out = sales.copy()
    for row, told in enumerate(full):
        past: list[float] = []
        for at in range(sales.shape[1]):
            if told[at]:
                past = [*past[-13:], float(sales[row, at])]
            elif past:
                out[row, at] = max(float(sales[row, at]), sum(past) / len(past))
    return out


def _prices(price: np.ndarray) -> dict[str, np.ndarray]:
    """Give the price, filled both ways, against its mean so far and against a week before."""
    at = np.where(np.isnan(price), 0, np.arange(price.shape[1]))
    first = np.isnan(price).argmin(axis=1)
    last = np.maximum(np.maximum.accumulate(at, axis=1), first[:, None])
    whole = np.take_along_axis(price, last, axis=1)
    mean = np.cumsum(whole, axis=1) / np.arange(1, whole.shape[1] + 1)
    before = np.concatenate([whole[:, :7], whole[:, :-7]], axis=1)
    return {"price": whole, "price_to_mean": whole / mean, "price_to_week": whole / before}


def peers(setting: Setting, task: Task) -> dict[str, dict[int, dict[str, np.ndarray]]]:
    """Give the forecasts of all peers by name and origin; where stock was short also of full days only."""
    found: dict[str, np.ndarray] = {}
    short = bool((task.panel.in_stock < 1).any())
    for in_stock_only in (False, True)[: 1 + short]:
        given = peer_arrays(task, in_stock_only=in_stock_only)
        tail = ", in stock" if in_stock_only else ""
        for script, models in (("statistical.py", SIMPLE), ("boosted.py", BOOSTED)):
            kept = f"{task.name}_{script.removesuffix('.py')}" + ("_in_stock" if in_stock_only else "")
            told = peer.run(setting, script, given, models, kept)
            found |= {f"{key.partition('/')[0]}{tail}/{key.partition('/')[2]}": value for key, value in told.items()}
    out: dict[str, dict[int, dict[str, np.ndarray]]] = {}
    for key, value in found.items():
        name, origin, what = key.split("/")
        out.setdefault(name, {}).setdefault(int(origin), {})[what] = value
    return out


def _variants(told: Mapping[str, np.ndarray], sums: tuple[int, ...]) -> dict[str, tuple[np.ndarray | None, dict]]:
    """Give each way in which a peer tells its quantiles and those of sums."""
    out: dict[str, tuple[np.ndarray | None, dict]] = {}
    for what, quantiles, of_sum in (
        ("", "quantiles", "normal_sum"), ("", "quantiles", "sum"),
        ("bootstrapped", "bootstrap_quantiles", "bootstrap_sum"), ("conformal ratios", "ratio_quantiles", "ratio_sum"),
    ):  # fmt: skip
        if quantiles in told:
            totals = {periods: told[f"{of_sum}_{periods}"] for periods in sums if f"{of_sum}_{periods}" in told}
            if totals or what not in out:
                out[what] = (told[quantiles], totals)
    return out or {"": (None, {})}


def score_peers(task: Task, found: dict[str, dict[int, dict[str, np.ndarray]]]) -> dict[str, Losses]:
    scored: dict[str, list] = {}
    for name, by_origin in found.items():
        for origin in task.origins:
            told = by_origin[int(origin)]
            actual, scale, counted = _came(task, int(origin))
            for what, (quantiles, totals) in _variants(told, task.sums).items():
                lost = losses(told["mean"], actual, scale, counted=counted, quantiles=quantiles, sums=totals)
                if what:  # the point forecast is that of the peer's first way
                    lost = {measure: one for measure, one in lost.items() if measure.startswith("quantile")}
                scored.setdefault(f"{name}, {what}" if what else name, []).append(lost)
    return {name: folded(folds) for name, folds in scored.items()}


def _came(task: Task, origin: int) -> tuple[np.ndarray, tuple[np.ndarray, np.ndarray], np.ndarray]:
    """Give what came after an origin, the scale of the history before it, and the days that were in stock."""
    panel, ahead = task.panel, slice(origin, origin + task.horizon)
    begun = np.maximum.accumulate(panel.observed[:, :origin], axis=1)
    with np.errstate(invalid="ignore", divide="ignore"):
        scale = scales(panel.sales[:, :origin], begun)
    return panel.sales[:, ahead], scale, panel.fully_in_stock[:, ahead]


def ours(task: Task, names: Sequence[str]) -> tuple[Losses, dict[str, np.ndarray], float]:
    """Forecast every fold as `stockcast forecast` does; give losses, transforms of what came, seconds a fold."""
    from stockcast import evaluation

    folds, pits = [], {}
    seconds = 0.0
    short = bool((task.panel.in_stock < 1).any())
    for origin in map(int, task.origins):
        known = task.panel.observed[:, :origin].sum(axis=1) >= task.least
        past = task.panel.take(np.flatnonzero(known)).until(origin)
        begin = time.perf_counter()
        told = evaluation.forecast(
            names, past, horizon=task.horizon, periods=np.full(len(past.series), max(task.sums)), folds=4,
            effort="normal", levels=LEVELS, n_paths=PATHS, seed=7,
        )  # fmt: skip
        seconds += time.perf_counter() - begin
        paths = told.demand.paths()
        actual, scale, counted = _came(task, origin)

        def whole(values: np.ndarray, known: np.ndarray = known) -> np.ndarray:
            out = np.full((len(known), *values.shape[1:]), np.nan)
            out[known] = values
            return out

        totals = {periods: paths[:, :, :periods].sum(axis=2) for periods in task.sums}
        folds.append(
            losses(
                whole(paths.mean(axis=1)), actual, scale, counted=counted, quantiles=whole(quantiles_of(paths)),
                sums={periods: whole(quantiles_of(total)) for periods, total in totals.items()},
            )
        )  # fmt: skip
        draw = np.random.default_rng(1)
        for what, drawn, came, full in (
            ("pit", paths, actual[known], counted[known]),
            *(
                (f"pit_{periods}", total, actual[known][:, :periods].sum(axis=1),
                 counted[known][:, :periods].all(axis=1))
                for periods, total in totals.items()
            ),
        ):  # fmt: skip
            pit = transform(drawn, came, draw)
            pits.setdefault(what, []).append(pit[full] if short else pit.ravel())
        print(f"{task.name}, {'+'.join(names)} at {origin}: done", file=sys.stderr, flush=True)
    return folded(folds), {what: np.concatenate(all_) for what, all_ in pits.items()}, seconds / len(folds)


def compare(task: Task, setting: Setting, names: Callable[[str], Sequence[str]]) -> list[Row]:
    found = peers(setting, task)
    theirs = score_peers(task, found)
    measures = ("rmsse", "wape", "quantile_loss", *(f"quantile_loss_{periods}" for periods in task.sums), "bias")
    if (task.panel.in_stock < 1).any():
        measures = ("wape", "wape_in_stock", "bias", "bias_in_stock")
    rows = [
        Row(f"{task.name}: {name}: {what}", lost.value(what), "")
        for name, lost in theirs.items()
        for what in measures
        if what in lost.held
    ]
    for name in BOOSTED:
        for what, unit in (("fit_s", "s"), ("peak_mb", "MB")):
            each = [float(told[what]) for told in found[name].values()]
            rows.append(Row.median(f"{task.name}: {name}: {what} a fold", each, unit))
    for asked in setting.models:
        lost, pits, seconds = ours(task, names(asked))
        label = f"{task.name}: stockcast {asked}"
        rows += [Row(f"{label}: {what}", lost.value(what), "") for what in measures]
        rows.append(Row(f"{label}: seconds a fold", seconds, "s"))
        for what in measures:
            if not what.startswith("bias"):
                rows += [_against(label, what, lost, theirs, group) for group in ("statistical", "boosted")]
        rows += [
            Row(f"{label}: coverage {what} {level:g}", float((pit <= level).mean()), "")
            for what, pit in pits.items()
            for level in COVERED
        ]
    return rows


def _against(label: str, what: str, lost: Losses, theirs: dict[str, Losses], group: str) -> Row:
    """Give the ratio to the best peer of a group in a measure, with its interval as spread."""
    of = {
        name: one for name, one in theirs.items()
        if what in one.held and name.startswith(BOOSTED) == (group == "boosted")
    }  # fmt: skip
    best = min(of, key=lambda name: of[name].value(what))
    ratio, *interval = paired(lost.held[what], of[best].held[what])
    return Row(f"{label}: {what} / best {group} ({best})", ratio, "x", tuple(interval))


def measure(setting: Setting) -> list[Row]:
    from stockcast.models.catalogue import candidates

    def names(asked: str) -> list[str]:
        return candidates(asked, "normal")

    return [row for task in (m5, fresh) for row in compare(task(setting), setting, names)]


SUBJECT = Subject(
    "boosting",
    "boosting and the chosen best against statsforecast and mlforecast + LightGBM, M5 and FreshRetail",
    measure,
    needs_data=True,
    needs_peers=True,
)
