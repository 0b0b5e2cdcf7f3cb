"""What the network ``tft`` looked at, as its run keeps it: read back for one series, and drawn for all."""

import csv
import io
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, final

from stockcast.report.charts import share_bars
from stockcast.report.disk import reaching
from stockcast.report.markup import soft
from stockcast.report.why_network import in_words, nearly_even

OF_ALL, OF_EACH = "tft_importance.csv", "tft_series.csv"
KINDS = {"static": "Of the item", "encoder": "Of the past", "decoder": "Known ahead"}
SHOWN = 8  # variables of a kind in the picture


@final
@dataclass(frozen=True, slots=True)
class Looked:
    """Shares of variables by ``static``, ``encoder`` and ``decoder``, and of attention by periods back.

    Parameters
    ----------
    whose
        Whose they are: of the ``series`` asked for, means of ``all`` series where none is told by itself, or means of
        the ``others`` where the network did not forecast it.
    """

    shares: Mapping[str, Mapping[str, float]]
    attention: Mapping[int, float]
    whose: Literal["series", "all", "others"] = "all"

    @classmethod
    def of(cls, cells: Sequence[tuple[str, str, float]], whose: Literal["series", "all", "others"] = "all") -> "Looked":
        """Sort (kind, name, share) into their kinds."""
        shares: dict[str, dict[str, float]] = {kind: {} for kind in KINDS}
        attention = {}
        for kind, name, share in cells:
            if kind == "attention":
                attention[int(name)] = share
            elif kind in shares:
                shares[kind][name] = share
        return cls(shares, attention, whose)


def network_of(folder: Path, *, sku: str, location: str, forecast: bool = True) -> Looked | None:
    """Give what the network of a run looked at for one series; means where it has no row, None without any.

    Parameters
    ----------
    forecast
        Whether the network forecast the series; if not, they are means of the others, whatever it has read of it.

    Raises
    ------
    ResourceError
        If the operating system refuses.
    """
    for row in _rows(folder / "models" / OF_EACH) if forecast else ():
        if row["sku"] == sku and row["location"] == location:
            parts = [(name.partition(":"), float(value)) for name, value in row.items() if ":" in name]
            return Looked.of([(kind, name, share) for (kind, _, name), share in parts], "series")
    whole = list(_rows(folder / "models" / OF_ALL))
    others = not forecast or (folder / "models" / OF_EACH).is_file()  # it would have a row there
    return _of_all(whole, "others" if others else "all") if whole else None


def _rows(path: Path) -> Iterator[dict[str, str]]:
    if path.is_file():
        with reaching(path, "read"), path.open(encoding="utf-8", newline="") as file:
            yield from csv.DictReader(file)


def _of_all(rows: Sequence[Mapping[str, str]], whose: Literal["all", "others"] = "all") -> Looked:
    return Looked.of([(row["kind"], row["name"], float(row["share"])) for row in rows], whose)


def network_figures(text: str) -> str:
    """Draw what a network looked at over all series, from the text of ``tft_importance.csv``."""
    found = _of_all(list(csv.DictReader(io.StringIO(text))))
    parts = []
    for kind, title in KINDS.items():
        ranked = list(in_words(found.shares[kind]).items())[:SHOWN]
        if ranked:
            chart = share_bars([name for name, _ in ranked], [share for _, share in ranked], label=f"tft: {title}")
            parts.append(f'<figure class="wide">{chart}<figcaption>{title}</figcaption></figure>')
    far = sorted(found.attention.items(), key=lambda one: (-one[1], one[0]))[:SHOWN]
    if far:
        names = [f"{back} period{'s' * (back != 1)} back" for back, _ in far]
        even = 1.0 / len(found.attention)
        chart = share_bars(names, [share for _, share in far], label="tft: attention", mark=even)
        how = ", nearly even" if nearly_even(found.attention) else ""
        title = f"Attention to the past{how}; the line is an even share ({even:.1%})"
        parts.append(f'<figure class="wide">{chart}<figcaption>{title}</figcaption></figure>')
    said = soft("What the network tft drew on, as shares of each kind, means over its series: how much of a variable "
                "went in, not in which direction it moved the forecast.")  # fmt: skip
    return said + "".join(parts) if parts else ""
