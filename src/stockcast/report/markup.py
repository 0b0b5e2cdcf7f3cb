"""Pieces of HTML: a table, a section, a line of small print."""

from collections.abc import Iterable, Mapping, Sequence

from stockcast.report.text import number, plain

Cell = str | float | int


def table(header: Sequence[str], rows: Iterable[Sequence[Cell]], *, best: Mapping[int, int] | None = None) -> str:
    """Give a table; numbers stand right, ``best`` names the row to stress in a column."""
    body, numeric = [], [False] * len(header)
    for at, row in enumerate(rows):
        cells = []
        for column, value in enumerate(row):
            if column == 0 and value in ("error", "warning", "info"):
                cells.append(f'<td class="{value}">{value}</td>')
                continue
            if isinstance(value, str) and header[column] == "code":
                cells.append(f'<td class="code">{plain(value)}</td>')
                continue
            if isinstance(value, str):
                cells.append(f"<td><bdi>{plain(value)}</bdi></td>")
                continue
            numeric[column] = True
            kind = "n best" if best and best.get(column) == at else "n"
            cells.append(f'<td class="{kind}">{number(float(value))}</td>')
        body.append(f"<tr>{''.join(cells)}</tr>")
    kinds = [' class="n"' if is_number else "" for is_number in numeric]
    head = "".join(f"<th{kind}>{plain(name)}</th>" for name, kind in zip(header, kinds, strict=True))
    return f'<div class="scroll"><table><thead><tr>{head}</tr></thead><tbody>{"".join(body)}</tbody></table></div>'


def section(title: str, *parts: str) -> str:
    """Give a section of the page."""
    return f"<section><h2>{title}</h2>{''.join(parts)}</section>"


def soft(text: str) -> str:
    """Give a line of small print; its text must be inert already."""
    return f'<p class="soft">{text}</p>'
