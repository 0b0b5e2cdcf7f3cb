"""Windows of series, gathered on the device by index into what the network reads."""

from typing import final

import numpy as np
import torch
from jaxtyping import Float, Int

from stockcast.models.tft.arrays import Arrays
from stockcast.models.tft.recipe import FIXED, Recipe

Input = dict[str, torch.Tensor]


@final
class Windows:
    """The arrays on the device, put there once, and the windows that are read from them.

    A window is a series and the period that it begins in: the encoder reads ``recipe.encoder`` periods from there on,
    and the decoder the ``recipe.horizon`` periods after them. Consecutive periods of a series lie side by side, so that
    a window is one piece of memory.

    Parameters
    ----------
    arrays, recipe
        What there is, and what it means.
    device
        Where it is put.
    """

    def __init__(self, arrays: Arrays, recipe: Recipe, device: str) -> None:
        def put(array: np.ndarray) -> torch.Tensor:
            given = array.view()
            given.flags.writeable = True  # only read; torch warns of arrays that it must not write to
            return torch.from_numpy(np.ascontiguousarray(given)).to(device)

        self.recipe = recipe
        self.device = device
        self.periods = arrays.periods
        self.first = arrays.first
        self._series, self._calendar, self._coded = put(arrays.series), put(arrays.calendar), put(arrays.coded)
        self._static, self._place, self._reach = put(arrays.static), put(arrays.place), put(arrays.reach)
        encoder, horizon = recipe.encoder, recipe.horizon
        # columns that some series do not know as far ahead as a window goes
        known = np.array(recipe.ahead, dtype=bool)
        far = arrays.reach.min(axis=0, initial=arrays.periods) < horizon
        self._partly = np.flatnonzero(known & far).tolist()
        self._hidden = np.flatnonzero(~known).tolist()
        self._year = bool(recipe.columns) and recipe.columns[0] == "year_ago"
        self._before = torch.arange(-encoder, 0, device=device, dtype=torch.float32) / encoder
        self._after = torch.arange(horizon, device=device, dtype=torch.float32) / encoder

    def __len__(self) -> int:
        """Give the number of series."""
        return len(self._series)

    def gather(
        self, series: Int[torch.Tensor, " window"], start: Int[torch.Tensor, " window"], shift: int = 0
    ) -> tuple[Input, tuple[Float[torch.Tensor, "window horizon"], Float[torch.Tensor, "window horizon"]]]:
        r"""Read windows, and what came in them with its weight.

        The scale s is the mean of what is told in the encoder, and further back where that tells too little
        (:func:`stockcast.models.tft.arrays.scales`). A number in units x becomes :math:`\log(1 + x / s)`, one that is
        not known the scale itself. The weight is 1 / s where the period tells of demand and 0 elsewhere, so that losses
        count in terms of the scale.

        Parameters
        ----------
        shift
            Periods by which the decoder lies further ahead: what it reads of plans is still as known at the origin.

        Returns
        -------
        x
            As :class:`pytorch_forecasting.TimeSeriesDataSet` gives it; ``target_scale`` is (0, scale), and the scale is
            0 where nothing was ever sold.
        y
            Demand in units, and the weights.
        """
        encoder, horizon = self.recipe.encoder, self.recipe.horizon
        begin = series * self.periods + start
        past = _pieces(self._series, begin, encoder)
        later = _pieces(self._series, begin + encoder + shift, horizon)
        demand = past[..., 0]
        scale = past[:, -1, 2]
        sold = scale > 0
        by = torch.where(sold, scale, 1.0)[:, None]
        level = ((by.log() - self.recipe.level[0]) / self.recipe.level[1])[:, :, None]
        place = self._place[series] * self.periods + start
        static = self._static[series][:, None]
        encoder_cont = self._numbers(past, by, level, _pieces(self._calendar, place, encoder), self._before)
        ahead = self._ahead(later, series, start, shift)
        decoder_cont = self._numbers(
            ahead, by, level, _pieces(self._calendar, place + encoder + shift, horizon), self._after
        )
        decoder_cont[..., :2] = 0.0  # demand and what tells of it: no part of what is read of periods to come
        codes = (
            _pieces(self._coded, place, encoder), _pieces(self._coded, place + encoder + shift, horizon)
        )  # fmt: skip
        cats = [torch.cat([static.expand(-1, one.shape[1], -1), one], dim=-1) for one in codes]
        x = {
            "encoder_cat": cats[0],
            "encoder_cont": encoder_cont,
            "encoder_target": demand,
            "encoder_lengths": torch.full_like(series, encoder),
            "decoder_cat": cats[1],
            "decoder_cont": decoder_cont,
            "decoder_target": later[..., 0],
            "decoder_lengths": torch.full_like(series, horizon),
            "decoder_time_idx": (start + encoder + shift)[:, None] + torch.arange(horizon, device=self.device),
            "groups": series[:, None],
            "target_scale": torch.stack([torch.zeros_like(scale), torch.where(sold, scale, 0.0)], dim=1),
        }
        return x, (later[..., 0], torch.where(sold[:, None], later[..., 1] / by, 0.0))

    def _ahead(self, later: torch.Tensor, series: torch.Tensor, start: torch.Tensor, shift: int) -> torch.Tensor:
        """Hide what is not known of periods to come, and carry on what is known for fewer of them."""
        for at in self._hidden:
            later[..., len(FIXED) + at] = 0.0
        if self._partly:
            origin = series * self.periods + start + self.recipe.encoder - 1
            step = torch.arange(1, self.recipe.horizon + 1, device=self.device) + shift
            flat = self._series.view(-1, self._series.shape[2])
            for at in self._partly:
                seen = torch.minimum(step[None], self._reach[series, at][:, None])
                later[..., len(FIXED) + at] = flat[origin[:, None] + seen, len(FIXED) + at]
        return later

    def _numbers(
        self, part: torch.Tensor, by: torch.Tensor, level: torch.Tensor, calendar: torch.Tensor, distance: torch.Tensor
    ) -> torch.Tensor:
        """Put the numbers side by side, in the order of the recipe."""
        n, time = part.shape[:2]
        told = part[..., 1]
        parts = [torch.where(told > 0, part[..., 0] / by, 1.0).log1p_()[..., None], told[..., None]]
        columns = part[..., len(FIXED) :]
        if self._year:
            before = columns[..., 0] / by
            parts.append(torch.where(before.isnan(), 1.0, before).log1p_()[..., None])
            columns = columns[..., 1:]
        wide = (n, time, 1)
        return torch.cat([*parts, columns, calendar, distance[None, :, None].expand(wide), level.expand(wide)], dim=-1)


def _pieces(
    bank: Float[torch.Tensor, "row time column"] | Int[torch.Tensor, "row time column"],
    begin: Int[torch.Tensor, " window"],
    length: int,
) -> torch.Tensor:
    """Copy pieces of consecutive periods out of a bank, each one piece of memory."""
    rows, time, columns = bank.shape
    count = rows * time - length + 1
    pieces = bank.as_strided((count, length * columns), (columns, 1))
    return pieces.index_select(0, begin).view(len(begin), length, columns)
