"""Why this forecast: sentences for a planner from the forecast of one series, its history and the backtest."""

from collections.abc import Mapping, Sequence
from datetime import date
from statistics import fmean
from typing import Any

from stockcast.policies.figures import units_text

Row = Mapping[str, Any]
NAIVE = "seasonal_naive"
LOSS = "scaled_quantile_loss"
SHOWN = (LOSS, f"{LOSS}_sum", "wape", "bias")
WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
RECENT_DAYS = 28
OFTEN = 1.0  # units a day from which weekdays are told
VARIES = 0.15  # of the mean: weekdays nearer to it than this are told as even


def members_of(model: str) -> dict[str, float]:
    """Read the models of a forecast and their weights off the ``model`` column.

    Examples
    --------
    >>> members_of("ets 0.7 + theta 0.3"), members_of("tsb")
    ({'ets': 0.7, 'theta': 0.3}, {'tsb': 1.0})
    """
    found = {}
    for part in model.split(" + "):
        name, _, weight = part.partition(" ")
        found[name] = float(weight) if weight else 1.0
    return found


def backtest_of(rows: Sequence[Row], segment: str, members: Sequence[str]) -> dict[str, Any]:
    """Give the scores of a series' segment, averaged over the origins: of its models, and of the seasonal naive.

    A segment without scores of its own models takes those of all series together.
    """
    for name in (segment, "all"):
        mine = [row for row in rows if row["segment"] == name]
        wanted = [*members, *([] if NAIVE in members else [NAIVE])]
        scores: dict[str, dict[str, float]] = {}
        for model in wanted:
            of = [row for row in mine if row["model"] == model]
            told = {metric: [row["value"] for row in of if row["metric"] == metric] for metric in SHOWN}
            if any(told.values()):
                scores[model] = {metric: fmean(values) for metric, values in told.items() if values}
        if any(model in scores for model in members):
            origins = {str(row["origin"]) for row in mine if row["model"] in members}
            return {"segment": name, "origins": len(origins), "scores": scores}
    return {}


def season_of(forecast: Sequence[Row], step: str) -> dict[str, Any]:
    """Give the means of the next four weeks: of a period, and of each weekday over it."""
    span = RECENT_DAYS if step == "day" else RECENT_DAYS // 7
    near = forecast[:span]
    mean = fmean(row["mean"] for row in near)
    found: dict[str, Any] = {"mean": mean, "periods": len(near)}
    if step == "day" and len(near) >= 14 and mean > 0:
        by_day: dict[int, list[float]] = {}
        for row in near:
            by_day.setdefault(_date(row["date"]).weekday(), []).append(row["mean"])
        found["weekdays"] = {WEEKDAYS[day]: fmean(values) / mean for day, values in sorted(by_day.items())}
    return found


def _date(value: date | str) -> date:
    return value if isinstance(value, date) else date.fromisoformat(value)


def sentences(
    model: str, fallback: str, history: Row | None, season: Mapping[str, Any], backtest: Mapping[str, Any], step: str
) -> list[str]:
    """Say why this forecast.

    Parameters
    ----------
    season, backtest
        As :func:`season_of` and :func:`backtest_of` give them.
    """
    members = members_of(model)
    stood_in = [f"What stood in: {fallback}."] if fallback else []
    told = [*stood_in, _who(members, history, bool(fallback))]
    if backtest:
        told.append(_judged(members, backtest))
    told.append(_level(history, season, step))
    if season.get("weekdays") and season["mean"] >= OFTEN:
        told.append(_weekdays(season["weekdays"]))
    told += _stock(history, step)
    return told


def _who(members: Mapping[str, float], history: Row | None, replaced: bool) -> str:
    first = "It stood in, wholly or in part, for" if replaced else "The forecast is"
    if len(members) == 1:
        text = f"{first} that of the model {next(iter(members))}"
    else:
        weighed = ", ".join(f"{name} ({weight:.0%})" for name, weight in members.items())
        text = f"{first} the weighted average of {weighed}"
    if history is not None:
        if history["segment"]:
            text += f", chosen for the segment {history['segment']}"
        if history["first_date"] is not None:
            text += f", from {history['periods']:,} recorded periods since {history['first_date']}"
    return f"{text}."


def _judged(members: Mapping[str, float], backtest: Mapping[str, Any]) -> str:
    scores = backtest["scores"]
    own = [(name, scores[name][LOSS]) for name in members if LOSS in scores.get(name, {})]
    if not own:
        return "The backtest could not tell its models apart."
    where = "all series together" if backtest["segment"] == "all" else "its segment"
    origins = backtest["origins"]
    what = ", ".join(f"{name} {value:.3f}" for name, value in own)
    text = (
        f"At {origins} earlier origin{'s' * (origins != 1)}, over {where}, the error (scaled quantile loss) was {what}"
    )
    naive = scores.get(NAIVE, {}).get(LOSS)
    best = min(value for _, value in own)
    if naive and NAIVE not in members and f"{best:.3f}" == f"{naive:.3f}":
        text += ", and no other of the seasonal naive"
    elif naive and NAIVE not in members:
        text += f", against {naive:.3f} of the seasonal naive ({_saved(1 - best / naive)})"
    return f"{text}."


def _saved(share: float) -> str:
    return f"{share:.0%} less" if share >= 0 else f"{-share:.0%} more"


def _level(history: Row | None, season: Mapping[str, Any], step: str) -> str:
    text = f"It expects {rate_text(season['mean'])} a {step} over the next {season['periods']} {step}s"
    if history is None or history["recent_sales"] is None:
        return f"{text}."
    text += f"; {rate_text(history['recent_sales'])} a {step} were sold in the last four weeks"
    before = [
        f"{rate_text(history[name])} {what}"
        for name, what in (("before_sales", "in the four before"), ("year_ago_sales", "in the same weeks a year ago"))
        if history[name] is not None
    ]
    return f"{text}{', ' if before else ''}{', '.join(before)}."


def rate_text(value: float) -> str:
    """Write a number of units a period; small ones with two digits.

    Examples
    --------
    >>> rate_text(23.4), rate_text(6.13), rate_text(0.0163), rate_text(0.0)
    ('23', '6.1', '0.016', '0')
    """
    return units_text(value) if value >= 1 else f"{value:.2g}"


def _weekdays(days: Mapping[str, float]) -> str:
    strong, weak = max(days, key=lambda day: days[day]), min(days, key=lambda day: days[day])
    if days[strong] - 1 < VARIES and 1 - days[weak] < VARIES:
        return "All weekdays are much alike."
    return f"The strongest day is {strong} ({days[strong]:.2f} times the mean), the weakest {weak} ({days[weak]:.2f})."


def _stock(history: Row | None, step: str) -> list[str]:
    if history is None or not history["short_year"]:
        return []
    year, recent = history["short_year"], history["short_recent"]
    late = f", {recent} of them in the last four weeks" if recent else ""
    text = f"Stock was out or short in {year} {step}{'s' * (year != 1)} of the last year{late}: "
    if history["sales_stand_in"] == "yes":
        return [f"{text}too little else is known, so those sales stand in for demand and the forecast may be low."]
    return [f"{text}those sales are a lower bound of demand and are no evidence of the level."]
