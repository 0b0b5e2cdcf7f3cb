"""One smoothing recursion over time, with candidates × series as the batch: the kernel of every form."""

from dataclasses import dataclass
from typing import final

import numpy as np
import torch
from jaxtyping import Bool, Float

from stockcast.models.smoothing.device import padded, put

WEEK, WEEKS = 7, 52  # the slow season: a place a week, 364 days round
NONE, TINY = slice(0, 0), 1e-3

# α, β, γ, φ, and ω where there is a slow season; one column each series, or one for all
Parameters = Float[np.ndarray, "parameter candidate column"]


@final
@dataclass(frozen=True, slots=True)
class States:
    """What a run of the recursion leaves behind.

    Parameters
    ----------
    season, slow
        The column of period t at t mod m, and of week w at w mod 52; the candidates without one are left out.
    loss, scale
        Σ w ε² and Σ w ln|μ|, the weight w halving into the past; ``scale`` is 0 with errors that are not relative.
    errors
        ε of the first candidate, if asked for.
    """

    level: Float[np.ndarray, "candidate series"]
    trend: Float[np.ndarray, "candidate series"]
    season: Float[np.ndarray, "season seasonal series"]
    slow: Float[np.ndarray, "slow yearly series"]
    loss: Float[np.ndarray, "candidate series"]
    scale: Float[np.ndarray, "candidate series"]
    errors: Float[np.ndarray, "series time"] | None


def recursion(
    values: Float[np.ndarray, "series time"],
    used: Bool[np.ndarray, "series time"],
    level: Float[np.ndarray, " series"],
    season: Float[np.ndarray, "series season"],
    parameters: Parameters,
    *,
    trended: bool | slice,
    seasonal: bool | slice,
    yearly: bool | slice = False,
    ratio: bool = False,
    relative: bool = False,
    day: int = 0,
    decay: float = 1.0,
    keep_errors: bool = False,
    device: str = "cpu",
    dtype: torch.dtype = torch.float64,
) -> States:
    """Run the smoothing over time for every candidate of every series (Hyndman et al. 2008, ch. 2–3)::

        μ = l + φ b + s[t mod m] + u[week]      (ratio: (l + φ b) s[t mod m])       e = y − μ
        l ← l + φ b + α e                       (ratio: α e / s)
        b ← φ b + β e                           (ratio: β e / s)
        s ← s + γ e                             (ratio: γ e / (l + φ b))            u ← u + ω e

    Multiplicative errors (``relative``: ε = e / μ) have the same recursion, for α μ ε = α e; only their likelihood
    differs. Where a period tells nothing of demand, e is 0: the state is carried on and the season advances. Every
    operation is elementwise on whole vectors, so that a result does not depend on its place in the batch.

    Parameters
    ----------
    level, season
        The state before the first period; trend and slow season begin at 0.
    parameters
        May have one column for all series.
    trended, seasonal, yearly
        The candidates that have a trend, a season, a slow season: all, none, or a slice of them.
    day
        Days from the first day of some week of place 0 to the first period.
    decay
        The weight of the squared errors so far, after one more period: ``loss ← decay · loss + ε²``.
    """  # noqa: D400 (the equation belongs to the sentence)
    n, time, width = len(values), values.shape[1], parameters.shape[1]
    y, w = (put(padded(array.T), device, dtype) for array in (values, used))
    rows = [put(padded(row) if row.shape[1] == n else row, device, dtype) for row in parameters]
    alpha, beta, gamma, phi, *omega = (row.expand(width, y.shape[1]) for row in rows)
    l = put(padded(level), device, dtype).expand(width, -1).clone()  # noqa: E741 (the book's letter)
    start = put(padded(season.T, float(ratio)), device, dtype)[:, None, :]
    trend_of, season_of, slow_of = (_slice(given, width) for given in (trended, seasonal, yearly))
    b, e = torch.zeros_like(l), torch.empty_like(l)
    s = start.expand(-1, season_of.stop - season_of.start, -1).clone()
    u = torch.zeros((WEEKS, slow_of.stop - slow_of.start, y.shape[1]), dtype=dtype, device=device)
    terms = _Terms(
        l, b, e, torch.empty_like(l), l[trend_of], b[trend_of], e[trend_of], e[season_of], e[slow_of], alpha,
        beta if ratio else beta[trend_of], gamma[season_of], phi[trend_of], omega[0][slow_of] if omega else None,
    )  # fmt: skip
    loss, scale = torch.zeros_like(l), torch.zeros_like(l)
    errors = torch.empty_like(y) if keep_errors else None
    every: list[bool] = np.asarray(used.all(axis=0)).tolist()
    weight = np.power(decay, np.arange(time - 1, -1, -1.0)).tolist()
    places, weeks, mean = s.unbind(), u.unbind(), torch.empty_like(l)
    multiplies = ratio and len(places[0]) > 0
    for t, (now, counts) in enumerate(zip(y.unbind(), w.unbind(), strict=True)):
        if multiplies:
            _ratio_step(terms, now, counts, places[t % len(places)], mean)
        else:
            week = weeks[(t + day) // WEEK % WEEKS]
            _sum_step(
                terms, now, None if every[t] else counts, places[t % len(places)], week, mean if relative else None
            )
        if relative:
            mean.clamp_(min=TINY)
            e.div_(mean)
            scale.addcmul_(mean.log_(), counts, value=weight[t])
        loss.addcmul_(e, e, value=weight[t])
        if errors is not None:
            errors[t] = e[0]

    def told(tensor: torch.Tensor) -> np.ndarray:
        return np.ascontiguousarray(tensor[..., :n].cpu().numpy())

    kept = None if errors is None else np.ascontiguousarray(told(errors).T)
    return States(told(l), told(b), told(s), told(u), told(loss), told(scale), kept)


@final
@dataclass(frozen=True, slots=True)
class _Terms:
    """The tensors of a run: state, error, scratch; the parts of them that a trend or season is of; parameters."""

    level: torch.Tensor
    trend: torch.Tensor
    e: torch.Tensor
    scratch: torch.Tensor
    l_trend: torch.Tensor
    b_trend: torch.Tensor
    e_trend: torch.Tensor
    e_season: torch.Tensor
    e_slow: torch.Tensor
    alpha: torch.Tensor
    beta: torch.Tensor
    gamma: torch.Tensor
    phi: torch.Tensor
    omega: torch.Tensor | None


def _sum_step(
    of: _Terms,
    now: torch.Tensor,
    counts: torch.Tensor | None,
    place: torch.Tensor,
    week: torch.Tensor,
    mean: torch.Tensor | None,
) -> None:
    """Do one period of the forms whose terms are added; what no candidate has costs nothing."""
    has_trend, has_season, has_slow = len(of.phi) > 0, len(place) > 0, len(week) > 0
    if has_trend:
        of.b_trend.mul_(of.phi)
        of.l_trend.add_(of.b_trend)
    torch.sub(now, of.level, out=of.e)
    if has_season:
        of.e_season.sub_(place)
    if has_slow:
        of.e_slow.sub_(week)
    if mean is not None:
        torch.sub(now, of.e, out=mean)
    if counts is not None:
        of.e.mul_(counts)
    of.level.addcmul_(of.e, of.alpha)
    if has_trend:
        of.b_trend.addcmul_(of.e_trend, of.beta)
    if has_season:
        place.addcmul_(of.e_season, of.gamma)
    if has_slow and of.omega is not None:
        week.addcmul_(of.e_slow, of.omega)


def _ratio_step(of: _Terms, now: torch.Tensor, counts: torch.Tensor, place: torch.Tensor, mean: torch.Tensor) -> None:
    """Do one period of the forms whose season multiplies; all candidates have one."""
    has_trend = len(of.phi) > 0
    if has_trend:
        of.b_trend.mul_(of.phi)
        of.l_trend.add_(of.b_trend)
    torch.mul(of.level, place, out=mean)
    torch.sub(now, mean, out=of.e)
    of.e.mul_(counts)
    torch.div(of.e, of.level.clamp(min=TINY), out=of.scratch)
    of.scratch.mul_(of.gamma)
    share = of.e / place
    of.level.addcmul_(share, of.alpha).clamp_(min=TINY)
    if has_trend:
        of.trend.addcmul_(share, of.beta)
    place.add_(of.scratch).clamp_(min=TINY)


def _slice(given: bool | slice, width: int) -> slice:
    if isinstance(given, slice):
        return given
    return slice(0, width) if given else NONE
