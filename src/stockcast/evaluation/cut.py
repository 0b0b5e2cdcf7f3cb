"""What the deadline cut short while models were judged: it is not judged, its model is not chosen, and it is told."""

from collections.abc import Collection, Sequence

import numpy as np
from jaxtyping import Bool

from stockcast.core.deadline import STRUCK

NOT_CALIBRATED = "the width of the forecasts is not calibrated"


def struck_in(texts: Collection[str]) -> bool:
    """Tell whether one of some notes or reasons says that the deadline struck.

    Examples
    --------
    >>> struck_in(["tft: the deadline struck: learning ended after 3 of 9 steps"]), struck_in(["3 periods of history"])
    (True, False)
    """
    return any(STRUCK in text for text in texts)


def in_time(
    names: Sequence[str], competes: Bool[np.ndarray, "model series"], cut: Collection[tuple[str, int]]
) -> Bool[np.ndarray, "model series"]:
    """Take the models that were cut short at an origin out of those that compete.

    The others were judged at more origins, so that means cannot be compared; and a model that the deadline stopped at
    an earlier origin has no time to learn for the forecast either.

    Parameters
    ----------
    cut
        (model, known periods) of the origins at which a fit was cut short.

    Examples
    --------
    >>> in_time(["ets", "tft"], np.ones((2, 1), dtype=bool), {("tft", 90)}).tolist()
    [[True], [False]]
    """
    late = {name for name, _ in cut}
    return np.asarray(competes & np.array([name not in late for name in names], dtype=bool)[:, None])


def not_judged(names: Sequence[str], known: Sequence[int], cut: Collection[tuple[str, int]]) -> list[str]:
    """Say which models were not judged at which origins, for their learning there was cut short.

    Examples
    --------
    >>> not_judged(["ets", "tft"], (60, 75, 90), {("tft", 75), ("tft", 90)})
    ['the deadline struck: tft was cut short at 2 of 3 origins, is not judged there and was not chosen']
    """
    out = []
    for name in names:
        count = sum((name, at) in cut for at in known)
        if count:
            of = f"{count} of {len(known)} origins" if len(known) > 1 else "the only origin"
            out.append(f"{STRUCK}: {name} was cut short at {of}, is not judged there and was not chosen")
    return out


def widths_rest_on(kept: int, asked: int) -> list[str]:
    """Say how many of the origins tell how wide forecasts have to be, where the deadline left some out.

    Examples
    --------
    >>> widths_rest_on(1, 4)
    ['the deadline struck: the width of the forecasts is calibrated by 1 of 4 origins']
    >>> widths_rest_on(0, 4)
    ['the deadline struck: the width of the forecasts is not calibrated, for models were cut short at each origin']
    """
    if kept == asked:
        return []
    if not kept:
        return [f"{STRUCK}: {NOT_CALIBRATED}, for models were cut short at each origin"]
    return [f"{STRUCK}: the width of the forecasts is calibrated by {kept} of {asked} origins"]
