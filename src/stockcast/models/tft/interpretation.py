"""What the network looked at: shares of its variables, and of the past periods that it attended to."""

import csv
import io
from collections.abc import Iterable
from dataclasses import dataclass
from typing import final

import numpy as np
import torch
from jaxtyping import Float

from stockcast.core.arrays import freeze
from stockcast.core.axes import SeriesAxis
from stockcast.models.pooled import in_order
from stockcast.models.tft import arrays as arrays_of
from stockcast.models.tft.batcher import Pairs
from stockcast.models.tft.fitted import FittedTft
from stockcast.models.tft.network import key
from stockcast.models.tft.reading import at_origin, put, usable
from stockcast.models.tft.room import in_parts
from stockcast.models.tft.training import computing
from stockcast.panel import Panel


@final
@dataclass(frozen=True, slots=True)
class Interpretation:
    """Shares by series, each row adding up to 1; NaN of a series that the network does not forecast.

    Parameters
    ----------
    static_names, static
        Variables of a series (category, location, its level), and their shares.
    encoder_names, encoder
        Variables of the periods that were read, and their shares, averaged over the periods.
    decoder_names, decoder
        Variables known of the periods to come, and their shares.
    attention
        Shares of the periods that were read, the last one the origin, in what is forecast of the first period ahead.
    """

    series: SeriesAxis
    static_names: tuple[str, ...]
    static: Float[np.ndarray, "series static"]
    encoder_names: tuple[str, ...]
    encoder: Float[np.ndarray, "series encoder"]
    decoder_names: tuple[str, ...]
    decoder: Float[np.ndarray, "series decoder"]
    attention: Float[np.ndarray, "series period"]

    def __post_init__(self) -> None:
        """Freeze the arrays."""
        freeze(self, static=self.static, encoder=self.encoder, decoder=self.decoder, attention=self.attention)


def interpret(fitted: FittedTft, panel: Panel) -> Interpretation | None:
    """Tell what the forecast of each series rests on, by the library's ``interpret_output``; None without a network.

    Variable selection weights say how much of a variable went in, not in which direction it moved the forecast.
    Attention below 1e-5 counts as none.

    Raises
    ------
    AlignmentError
        If the panel has other series than the model was fitted on.
    """
    fitted.series.require(panel.series, "fitted model and panel")
    if fitted.learnt is None:
        return None
    recipe, n = fitted.learnt.recipe, len(panel.series)
    rows = in_order(panel, np.flatnonzero(usable(panel, recipe.encoder)[0]))
    windows = put(arrays_of.make(panel, rows, recipe, recipe.horizon), recipe)[0]
    network = fitted.learnt.network().to(windows.device).eval()
    start = panel.time.n - recipe.encoder
    pairs = at_origin(np.zeros(len(rows), dtype=np.int64), start, len(rows), windows.device)
    names = {key(name): name for name in (*recipe.static, *recipe.varying, *recipe.reals)}
    of = {
        what: tuple(names[name] for name in getattr(network, f"{what}_variables"))
        for what in ("static", "encoder", "decoder")
    }
    out = {what: np.full((n, len(of[what])), np.nan) for what in of}
    out["attention"] = np.full((n, recipe.encoder), np.nan)
    with torch.no_grad(), computing(windows.device):

        def look(part: Pairs) -> dict[str, np.ndarray]:
            x, _ = windows.gather(*part)
            told = network.interpret_output(network(x), reduction="none")  # type: ignore[operator]
            at = {what: what if what == "attention" else f"{what}_variables" for what in out}
            return {what: told[name].double().cpu().numpy() for what, name in at.items()}

        parts = in_parts(pairs, look)
    for what in out if parts else ():
        shares = np.concatenate([part[what] for part in parts])
        out[what][rows] = shares / shares.sum(axis=1, keepdims=True)
    return Interpretation(
        panel.series, of["static"], out["static"], of["encoder"], out["encoder"], of["decoder"], out["decoder"],
        out["attention"],
    )  # fmt: skip


def files(told: Interpretation) -> dict[str, str]:
    """Give what is kept of it in a run: ``tft_importance.csv`` with means over the series, ``tft_series.csv`` of each.

    A share is told in four digits; ``attention`` is named by the periods back, 1 being the origin. A series that the
    network does not forecast has no row.
    """
    kinds = [
        ("static", told.static_names, told.static),
        ("encoder", told.encoder_names, told.encoder),
        ("decoder", told.decoder_names, told.decoder),
        ("attention", tuple(str(back) for back in range(told.attention.shape[1], 0, -1)), told.attention),
    ]
    able = np.flatnonzero(~np.isnan(told.attention).any(axis=1))
    whole = [
        (kind, name, f"{share:.4f}")
        for kind, names, shares in kinds
        for name, share in zip(names, shares[able].mean(axis=0).tolist() if len(able) else (), strict=False)
    ]
    head = ("sku", "location", *(f"{kind}:{name}" for kind, names, _ in kinds for name in names))
    every = np.concatenate([shares for *_, shares in kinds], axis=1)
    each = (
        (told.series.sku[row], told.series.location[row], *(f"{share:.4f}" for share in every[row].tolist()))
        for row in able.tolist()
    )
    return {
        "tft_importance.csv": _csv(("kind", "name", "share"), whole),
        "tft_series.csv": _csv(head, each),
    }


def _csv(header: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(header)
    writer.writerows(rows)
    return out.getvalue()
