"""Groups of series: what the others of an item, a category, a location, an attribute sell, without the series itself.

Only group × time arrays are held, added up chunk by chunk. A series counts until its first absurd value, so that it
changes no feature of another afterwards.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import final

import numpy as np
from jaxtyping import Bool, Float, Int

from stockcast.core.arrays import freeze
from stockcast.core.axes import Step
from stockcast.features.block import Column, Made
from stockcast.features.static import Codes, column_of
from stockcast.features.trailing import carried, means, ratio, sums
from stockcast.panel import Panel

CHUNK = 256  # series held at once
ABSURD = 2.0**53  # units or money: beyond it a double does not tell one from the next
JOIN = "\x1f"
PRICED = ("category", "location")
BLANK: dict[Step, int] = {"day": 28, "week": 4}  # latest periods that an encoding does not see
LEVELS: dict[Step, tuple[tuple[int, int], ...]] = {"day": ((7, 56), (28, 112)), "week": ((2, 8), (4, 26))}
PROFILE = 8  # seasons that a group's profile is read from
Demand = Callable[[Panel], tuple[np.ndarray, np.ndarray]]


def counted(
    values: Float[np.ndarray, "series time"], used: Bool[np.ndarray, "series time"]
) -> tuple[Float[np.ndarray, "series time"], Bool[np.ndarray, "series time"]]:
    """Give what a series adds to its groups, and where: used periods before its first absurd value."""
    absurd = used & ~(np.abs(values) < ABSURD)
    kept = used & ~np.logical_or.accumulate(absurd, axis=1)
    return np.where(kept, values, 0.0), kept


def texts(panel: Panel, columns: Sequence[str]) -> np.ndarray:
    """Give the name of each series' group, '' where one of the columns is not known."""
    parts = [column_of(panel, name) for name in columns]
    rows = zip(*(part.tolist() for part in parts), strict=True)
    return np.array([JOIN.join(row) if all(row) else "" for row in rows], dtype=np.str_)


@final
@dataclass(frozen=True, slots=True)
class Grouping:
    """The demand of the groups of some columns.

    Parameters
    ----------
    columns
        What series of a group share.
    keys
        Names of the groups, ascending.
    total, count
        Demand of the used series-periods, and their number.
    """

    columns: tuple[str, ...]
    keys: np.ndarray
    total: Float[np.ndarray, "group time"]
    count: Float[np.ndarray, "group time"]

    def __post_init__(self) -> None:
        """Freeze the arrays."""
        freeze(self, keys=self.keys, total=self.total, count=self.count)

    @property
    def name(self) -> str:
        """Give the columns' names, joined."""
        return "_".join(self.columns)

    def of(self, panel: Panel) -> Int[np.ndarray, " series"]:
        """Give the group of each series, −1 where it has none."""
        return locate(self.keys, texts(panel, self.columns))


def locate(keys: np.ndarray, names: np.ndarray) -> Int[np.ndarray, " series"]:
    """Give the place of each name among ascending keys, −1 where it is not there."""
    if not len(keys):
        return np.full(len(names), -1)
    at = np.minimum(np.searchsorted(keys, names), len(keys) - 1)
    return np.where(keys[at] == names, at, -1)


@final
@dataclass(frozen=True, slots=True)
class Groups:
    """All that is learnt from a whole panel: codes of attributes, demand and prices of groups.

    Parameters
    ----------
    codes
        Codes of attributes.
    demand
        One a grouping.
    price_keys, price, price_reach
        Mean price of each category in each location, and how many periods ahead it is known.
    """

    codes: Codes
    demand: tuple[Grouping, ...]
    price_columns: tuple[str, ...]
    price_keys: np.ndarray
    price: Float[np.ndarray, "priced known"]
    price_reach: Int[np.ndarray, " priced"]

    def __post_init__(self) -> None:
        """Freeze the arrays."""
        freeze(self, price_keys=self.price_keys, price=self.price, price_reach=self.price_reach)

    @classmethod
    def fit(cls, panel: Panel, demand: Demand, *, like: "Groups | None" = None) -> "Groups":
        """Learn from all series of a panel.

        Parameters
        ----------
        demand
            Gives the evidence of a part of the panel: demand, and where it tells anything. It must be the same that
            :func:`~stockcast.features.build` is given later, for a series' own is taken out of its groups.
        like
            Groups learnt earlier, whose codes and groupings (and so whose columns) are kept.
        """
        codes = like.codes if like else Codes.fit(panel)
        columns = [g.columns for g in like.demand] if like else _groupings(panel, codes)
        names = [texts(panel, some) for some in columns]
        keys = [np.unique(text[text != ""]) for text in names]
        of = [locate(key, name) for key, name in zip(keys, names, strict=True)]
        total = [np.zeros((len(key), panel.time.n)) for key in keys]
        count = [np.zeros((len(key), panel.time.n)) for key in keys]
        for rows in panel.chunks(CHUNK):
            values, kept = counted(*demand(panel.take(rows)))
            for at, row in enumerate(rows.tolist()):
                # one after the other, so that no bit of a sum depends on where a chunk ends
                for k in range(len(keys)):
                    group = of[k][row]
                    if group >= 0:
                        total[k][group] += values[at]
                        count[k][group] += kept[at]
        held = tuple(Grouping(*parts) for parts in zip(columns, keys, total, count, strict=True))
        priced = like.price_columns if like else (PRICED if "category" in codes.names else PRICED[1:])
        return cls(codes, held, priced, *_prices(panel, priced))

    def prices_of(self, panel: Panel) -> tuple[Float[np.ndarray, "series known"], Int[np.ndarray, " series"]]:
        """Give the mean price of each series' category in its location, and how far ahead it is known."""
        at = locate(self.price_keys, texts(panel, self.price_columns))
        none = np.full((1, self.price.shape[1]), np.nan)
        return np.concatenate([self.price, none])[at], np.append(self.price_reach, 0)[at]


def _groupings(panel: Panel, codes: Codes) -> list[tuple[str, ...]]:
    """Give the columns to group by; each partition once, and none in which every series is alone."""
    further = [(name,) for name in codes.names if name not in PRICED]
    kept: list[tuple[str, ...]] = []
    seen: set[bytes] = set()
    for columns in [("sku",), ("category",), ("location",), PRICED, *further]:
        name = texts(panel, columns)
        _, first, group, size = np.unique(name, return_index=True, return_inverse=True, return_counts=True)
        mark = np.where(name == "", -1, first[group]).tobytes()
        if mark not in seen and (size[group] > 1)[name != ""].any():
            kept.append(columns)
        seen.add(mark)
    return kept


def _prices(panel: Panel, columns: tuple[str, ...]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Give the mean price of each group, over the members whose plans reach as far as the group's.

    A group is known as far ahead as at least a quarter of its members are: those of which less is known are left out,
    for their prices would come too late.
    """
    name = texts(panel, columns)
    keys = np.unique(name[name != ""])
    of = locate(keys, name)
    reach = panel.known.reach("price")
    far = np.zeros(len(keys), dtype=np.int64)
    for group in range(len(keys)):
        members = np.sort(reach[of == group])
        far[group] = members[len(members) - -(-len(members) // 4)]
    total, count = np.zeros((len(keys), panel.known.time.n)), np.zeros((len(keys), panel.known.time.n))
    inside = (of >= 0) & (reach >= far[np.maximum(of, 0)]) if len(keys) else np.zeros(len(of), dtype=bool)
    for rows in panel.chunks(CHUNK):
        if not inside[rows].any():
            continue
        price = carried(panel.known.price[rows[0] : rows[-1] + 1], panel.known.time.n)
        values, kept = counted(price, ~np.isnan(price))
        for at in np.flatnonzero(inside[rows]).tolist():
            total[of[rows[at]]] += values[at]
            count[of[rows[at]]] += kept[at]
    return keys, means(total, count), far


def of_groups(
    panel: Panel,
    demand: Float[np.ndarray, "series time"],
    used: Bool[np.ndarray, "series time"],
    learnt: Groups,
    season: int,
) -> Iterator[Made]:
    r"""Give what the groups of each series tell.

    With T and C the total and the count of a group's used series-periods, and y, u those of the series itself:

    .. math:: \frac{\sum_{v \le t-B} (T_v - y_v)}{\sum_{v \le t-B} (C_v - u_v)}, \qquad
              \frac{\bar T_{(t-w, t]}}{\bar T_{(t-W, t]}}, \qquad
              \frac{\sum_{j<8} T_{t-jm} / \sum_{j<8} C_{t-jm}}{\bar T_{(t-8m, t]}}

    the target encoding (the latest B periods blanked, the series itself taken out: a group of one has none), the level
    over a short window against a long one, and the profile of the season.
    """
    step = panel.time.step
    own, kept = counted(demand, used)
    own_total, own_count = np.cumsum(own, axis=1), np.cumsum(kept, axis=1, dtype=float)
    for grouping in learnt.demand:
        here, place = np.unique(grouping.of(panel), return_inverse=True)
        none = np.zeros((1, panel.time.n))
        total, count = (np.concatenate([a, none])[here] for a in (grouping.total, grouping.count))
        running, told = np.cumsum(total, axis=1), np.cumsum(count, axis=1)
        label, name = " and ".join(grouping.columns), grouping.name

        others = np.maximum(told[place] - own_count, 0.0)
        mean = np.maximum(means(np.where(others > 0, running[place] - own_total, 0.0), others), 0.0)
        blanked = np.full(mean.shape, np.nan)
        blanked[:, BLANK[step] :] = mean[:, : max(0, mean.shape[1] - BLANK[step])]
        what = f"mean demand of the others of its {label}, the last {BLANK[step]} periods blanked"
        yield Made(Column(f"group_{name}_mean", "origin", True, what, family="groups"), blanked)

        for short, long in LEVELS[step]:
            level = ratio(
                means(sums(running, short), sums(told, short)), _enough(means(sums(running, long), sums(told, long)))
            )
            what = f"demand of its {label}, last {short} periods over last {long}"
            yield Made(Column(f"group_{name}_level_{short}", "origin", False, what, family="groups"), level[place])

        if step == "day":
            share = ratio(
                means(_same_place(total, season), _same_place(count, season)),
                _enough(means(sums(running, PROFILE * season), sums(told, PROFILE * season))),
            )
            what = f"demand of its {label} in that place of the season over its mean, last {PROFILE} seasons"
            yield Made(Column(f"group_{name}_season", "season", False, what, family="groups"), share[place])


def _enough(mean: np.ndarray) -> np.ndarray:
    """Take what is left of a difference of running sums of nothing as 0."""
    return np.where(mean > 1e-9, mean, 0.0)


def _same_place(values: np.ndarray, season: int) -> np.ndarray:
    """Give the sum over the last ``PROFILE`` periods in the same place of the season."""
    out = values.copy()
    for back in range(1, PROFILE):
        by = back * season
        out[:, by:] += values[:, : max(0, values.shape[1] - by)]
    return out
