"""Which features are made, and the making of all of them for some series."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import final

import numpy as np
from jaxtyping import Bool, Float

from stockcast.core.axes import Step
from stockcast.core.errors import AlignmentError, UsageError, did_you_mean
from stockcast.features.availability import availability
from stockcast.features.block import Block, Made, assemble
from stockcast.features.calendar import dates, events
from stockcast.features.covariates import covariates, promotions
from stockcast.features.groups import Groups, of_groups
from stockcast.features.lags import lags
from stockcast.features.price import prices
from stockcast.features.season import same_place, year_ago
from stockcast.features.static import static
from stockcast.features.windows import moments, quantiles, weighted, zeros
from stockcast.panel import Panel

FAMILIES = (
    "lags", "windows", "season", "calendar", "price", "promotion", "covariates", "availability", "static", "groups",
)  # fmt: skip


@final
@dataclass(frozen=True, slots=True)
class Spec:
    """The families and windows of features, in periods.

    Parameters
    ----------
    families
        Some of ``FAMILIES``.
    lags
        Periods before the origin.
    windows, quantile_windows, half_lives
        Trailing windows of moments and of quantiles, and half-lives of weighted means.
    season, season_means
        The length of the season, and how many earlier seasons are averaged.
    year, year_windows
        The length of a year, and the windows around a year before the target.
    availability_windows
        Windows of the stockout share.
    covariates
        Names of covariates.

    Raises
    ------
    UsageError
        If there is no such family (SC-M030).
    """

    families: tuple[str, ...]
    lags: tuple[int, ...]
    windows: tuple[int, ...]
    quantile_windows: tuple[int, ...]
    half_lives: tuple[int, ...]
    season: int
    season_means: tuple[int, ...]
    year: int
    year_windows: tuple[int, ...]
    availability_windows: tuple[int, ...]
    covariates: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        """Check the names of the families."""
        for name in self.families:
            if name not in FAMILIES:
                raise UsageError(f"features: no family {name!r}{did_you_mean(name, FAMILIES)}", code="SC-M030")

    @classmethod
    def of(cls, panel: Panel) -> "Spec":
        """Give the default for a panel: windows by its step, and the families that it has anything for."""
        known = panel.known
        absent = {
            "price": bool(np.isnan(known.price).all()),
            "promotion": bool(np.isnan(known.promotion).all()),
            "covariates": not known.covariates,
        }
        families = tuple(name for name in FAMILIES if not absent.get(name, False))
        return replace(DEFAULTS[panel.time.step], families=families, covariates=tuple(known.covariates))

    def without(self, *families: str) -> "Spec":
        """Leave families out."""
        return replace(self, families=tuple(name for name in self.families if name not in families))


DEFAULTS: dict[Step, Spec] = {
    "day": Spec(
        families=FAMILIES,
        lags=(0, 1, 2, 3, 4, 5, 6, 13, 20, 27),
        windows=(7, 14, 28, 56, 112, 364),
        quantile_windows=(28, 56),
        half_lives=(3, 7, 28, 90),
        season=7,
        season_means=(1, 2, 4, 8, 13),
        year=364,
        year_windows=(1, 7, 28),
        availability_windows=(7, 28, 56),
    ),
    "week": Spec(
        families=FAMILIES,
        lags=(0, 1, 2, 3, 7, 12, 51),
        windows=(4, 8, 13, 26, 52),
        quantile_windows=(8, 26),
        half_lives=(1, 4, 13, 26),
        season=52,
        season_means=(1, 2),
        year=52,
        year_windows=(1, 3, 5),
        availability_windows=(2, 8, 26),
    ),
}


def build(
    panel: Panel,
    demand: Float[np.ndarray, "series time"],
    used: Bool[np.ndarray, "series time"],
    horizon: int,
    spec: Spec | None = None,
    groups: Groups | None = None,
) -> Block:
    """Make the features of some series; ask for a few hundred at a time, for a block holds all of their features.

    Parameters
    ----------
    panel
        The series, and their history.
    demand, used
        Evidence of demand, and where it tells anything; what stands elsewhere is not read.
    horizon
        Periods after the history that a target may lie in.
    spec
        What to make; give the one of the whole panel, so that every chunk has the same columns.
    groups
        Groups of the whole panel. Without them there are no static codes, no groups and no price of the category.

    Raises
    ------
    AlignmentError
        If the evidence has another shape than the panel.
    """
    spec = spec or Spec.of(panel)
    if demand.shape != panel.sales.shape or used.shape != panel.sales.shape:
        raise AlignmentError(f"evidence has shape {demand.shape} and {used.shape}, the panel {panel.sales.shape}")
    made = _made(panel, np.where(used, demand, 0.0), used, horizon, spec, groups)
    return assemble(made, len(panel.series), panel.time.n + horizon, spec.season)


def _made(
    panel: Panel, demand: np.ndarray, used: np.ndarray, horizon: int, spec: Spec, groups: Groups | None
) -> Iterator[Made]:
    """Make one column after the other."""
    if "lags" in spec.families:
        yield from lags(demand, used, spec.lags)
    if "windows" in spec.families:
        yield from moments(demand, used, spec.windows)
        yield from zeros(demand, used, spec.quantile_windows)
        yield from quantiles(demand, used, spec.quantile_windows)
        yield from weighted(demand, used, spec.half_lives)
    if "season" in spec.families:
        yield from same_place(demand, used, spec.season, spec.season_means)
        yield from year_ago(demand, used, spec.year, spec.year_windows, horizon)
    if "calendar" in spec.families:
        yield from dates(panel, horizon)
        if panel.known.calendar is not None:
            axis = panel.time.until(panel.time.n + horizon)
            yield from events(panel.known.calendar, panel.series.location, axis)
    if "price" in spec.families:
        yield from prices(panel, horizon, *(groups.prices_of(panel) if groups else ()))
    if "promotion" in spec.families:
        yield from promotions(panel, horizon)
    if "covariates" in spec.families:
        yield from covariates(panel, horizon, spec.covariates)
    if "availability" in spec.families:
        yield from availability(panel, used, spec.availability_windows)
    if groups and "static" in spec.families:
        yield from static(panel, groups.codes, horizon)
    if groups and "groups" in spec.families:
        yield from of_groups(panel, demand, used, groups, spec.season)
