"""Codes of attributes, learnt once on a whole panel, so that they do not depend on which series are asked for."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import final

import numpy as np
from jaxtyping import Int

from stockcast.features.block import ALWAYS, Column, Made
from stockcast.panel import Panel
from stockcast.panel.attributes import SELLS_NOTHING

NOT_GROUPS = ("description", "launch_date", "end_date", "successor", "sku", SELLS_NOTHING)  # none tells what sells
FEW, MANY = 2, 200  # distinct values of an attribute that is coded


def column_of(panel: Panel, name: str) -> np.ndarray:
    """Give the texts of a column: sku, location or an attribute; '' where a value is not known."""
    if name in ("sku", "location"):
        return np.asarray(getattr(panel.series, name))
    return panel.attributes.column(name)


@final
@dataclass(frozen=True, slots=True)
class Codes:
    """The values of each attribute, sorted; a value's place is its code.

    Examples
    --------
    >>> Codes(("color",), (("blue", "red"),)).of("color", np.array(["red", "green", ""])).tolist()
    [1, -1, -1]
    """

    names: tuple[str, ...]
    values: tuple[tuple[str, ...], ...]

    @classmethod
    def fit(cls, panel: Panel) -> "Codes":
        """Learn the values of location, category and every further attribute with 2 to 200 of them."""
        further = [name for name in panel.attributes.columns if name not in ("category", "location", *NOT_GROUPS)]
        names, values = [], []
        for name in ("location", "category", *further):
            distinct = tuple(text for text in np.unique(column_of(panel, name)).tolist() if text)
            if len(distinct) >= FEW and (len(distinct) <= MANY or name in ("location", "category")):
                names.append(name)
                values.append(distinct)
        return cls(tuple(names), tuple(values))

    def of(self, name: str, texts: np.ndarray) -> Int[np.ndarray, " series"]:
        """Give the code of each text, −1 where it was not seen."""
        place = {text: at for at, text in enumerate(self.values[self.names.index(name)])}
        return np.array([place.get(text, -1) for text in texts.tolist()], dtype=np.int64)


def static(panel: Panel, codes: Codes, horizon: int) -> Iterator[Made]:
    """Give the code of each attribute; NaN where it is not known or was not seen."""
    for name, values in zip(codes.names, codes.values, strict=True):
        code = codes.of(name, column_of(panel, name)).astype(float)
        code[code < 0] = np.nan
        column = Column(f"code_{name}", "target", False, f"code of {name}", True, len(values), "static")
        yield Made(column, np.broadcast_to(code[:, None], (len(code), panel.time.n + horizon)), ALWAYS)
