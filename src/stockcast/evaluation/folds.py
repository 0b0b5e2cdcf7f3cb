"""Rolling origins: where the past is cut to see how a model would have done."""

from dataclasses import dataclass
from typing import final

from stockcast.core.axes import Step

LEAST: dict[Step, int] = {"day": 28, "week": 13}  # periods that a model is given at least


@final
@dataclass(frozen=True, slots=True)
class Folds:
    """The folds of a history: ``known`` periods are given, the ``window`` after them is forecast; oldest first."""

    known: tuple[int, ...]
    window: int


def rolling(periods: int, horizon: int, folds: int, step: Step) -> Folds:
    """Cut the last ``folds`` windows off that do not overlap; fewer where the history is short.

    A window is as long as the horizon, but at most a quarter of the history; what lies before it is at least as long
    as the window, and 28 days or 13 weeks.

    Examples
    --------
    >>> rolling(1913, 28, 4, "day")
    Folds(known=(1801, 1829, 1857, 1885), window=28)
    >>> rolling(53, 8, 4, "week")
    Folds(known=(21, 29, 37, 45), window=8)
    >>> rolling(20, 28, 4, "day")
    Folds(known=(), window=5)
    """
    window = max(1, min(horizon, periods // 4))
    known = [periods - at * window for at in range(folds, 0, -1)]
    return Folds(tuple(n for n in known if n >= max(LEAST[step], window)), window)


def shortfalls(cut: Folds, folds: int, horizon: int, refit_every: int = 1) -> list[str]:
    """Say in sentences what was not judged: a history too short for folds or horizon, a model fitted less often.

    Examples
    --------
    >>> shortfalls(Folds((30, 37), 7), 4, 28)  # doctest: +NORMALIZE_WHITESPACE
    ['2 of 4 backtest folds: the history is too short for more',
     'backtest of 7 of 28 periods ahead: the history is too short for more']
    >>> shortfalls(Folds((60, 75, 90), 15), 3, 15, refit_every=2)
    ['models were fitted at 2 of 3 origins and kept in between (forecast.backtest.refit_every: 2)']
    """
    out = []
    if len(cut.known) < folds:
        out.append(f"{len(cut.known)} of {folds} backtest folds: the history is too short for more")
    if cut.window < horizon:
        out.append(f"backtest of {cut.window} of {horizon} periods ahead: the history is too short for more")
    fits = -(-len(cut.known) // refit_every)
    if fits < len(cut.known):
        kept = f"kept in between (forecast.backtest.refit_every: {refit_every})"
        out.append(f"models were fitted at {fits} of {len(cut.known)} origins and {kept}")
    return out
