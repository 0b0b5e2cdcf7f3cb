"""What the network looked at, in sentences: only of what it forecast, and nearly even attention is told as such."""

from collections.abc import Mapping

from stockcast.models.ladder import STAND_INS

EVEN = 1.5  # times an even share below which no period stands out
FIRST = 3  # variables and periods that are named
KINDS = {"static": "of the item", "encoder": "of the past", "decoder": "of what is known ahead"}
WORDS = {
    "demand": "demand",
    "told": "whether it was in stock",
    "level": "how much it sells",
    "year_ago": "sales a year before",
    "price_to_mean": "price against its mean",
    "promotion": "promotion",
    "weekday": "weekday",
    "month": "month",
    "day_of_month": "day of the month",
    "event": "event",
    "to_event": "time to the next event",
    "since_event": "time since an event",
    "open": "whether the place is open",
    "distance": "how far from tonight",
    "year_sine": "time of the year",
    "year_cosine": "time of the year",
}


def variable(name: str) -> str:
    """Give the name of a variable of the network as a planner knows it.

    Examples
    --------
    >>> variable("code_category"), variable("covariate_temp.max"), variable("told"), variable("year_sine")
    ('category', 'temp.max', 'whether it was in stock', 'time of the year')
    """
    own = WORDS.get(name)
    return own or name.removeprefix("code_").removeprefix("covariate_").replace("_", " ")


def in_words(shares: Mapping[str, float]) -> dict[str, float]:
    """Give shares by what a planner calls the variables, the largest first; two of one name are added up.

    Examples
    --------
    >>> in_words({"demand": 0.5, "year_sine": 0.25, "year_cosine": 0.5})
    {'time of the year': 0.75, 'demand': 0.5}
    """
    out: dict[str, float] = {}
    for name, share in shares.items():
        out[variable(name)] = out.get(variable(name), 0.0) + share
    return dict(sorted(out.items(), key=lambda one: (-one[1], one[0])))


def nearly_even(attention: Mapping[int, float]) -> bool:
    """Tell whether no period stands out.

    Examples
    --------
    >>> nearly_even({1: 0.26, 2: 0.25, 3: 0.25, 4: 0.24}), nearly_even({1: 0.7, 2: 0.1, 3: 0.1, 4: 0.1})
    (True, False)
    """
    return max(attention.values()) < EVEN / len(attention)


def stood_in(fallback: str, model: str) -> bool:
    """Tell from the column ``fallback`` whether another forecast stood in for a model wholly.

    Examples
    --------
    >>> stood_in("tft→seasonal_naive: 3 periods of history", "tft"), stood_in("tft→ending: 60 days without", "tft")
    (True, False)
    """
    return any(f"{model}→{rung}:" in fallback for rung in STAND_INS)


def network_sentences(
    shares: Mapping[str, Mapping[str, float]], attention: Mapping[int, float], step: str, *, of_all: bool = False
) -> list[str]:
    """Say what the network looked at: the variables with the largest shares, and the periods it attended to.

    Parameters
    ----------
    shares
        Shares of variables by ``static``, ``encoder`` and ``decoder``.
    attention
        Shares by the number of periods before the forecast.
    of_all
        Whether they are means over all series of the network, of which none is told by itself.
    """
    told = []
    for kind, what in KINDS.items():
        first = list(in_words(shares.get(kind, {})).items())[:FIRST]
        if first:
            told.append(f"{what} {', '.join(f'{name} {share:.0%}' for name, share in first)}")
    over = ", on average over all its series," if of_all else ""
    out = [f"The network tft{over} drew on, {'; '.join(told)}."] if told else []
    if attention:
        out.append(_attention(attention, step))
    return out


def _attention(attention: Mapping[int, float], step: str) -> str:
    n, even = len(attention), 1.0 / len(attention)
    if nearly_even(attention):
        least, most = min(attention.values()), max(attention.values())
        return (
            f"It attended to the last {n} {step}s nearly evenly ({least:.1%} to {most:.1%} each, an even share is "
            f"{even:.1%})."
        )
    far = sorted(attention.items(), key=lambda one: (-one[1], one[0]))[:FIRST]
    back = ", ".join(f"{periods} {step}s back ({share:.1%})" if periods != 1 else f"the last {step} ({share:.1%})"
                     for periods, share in far)  # fmt: skip
    return f"It attended most to {back}; an even share is {even:.1%}."
