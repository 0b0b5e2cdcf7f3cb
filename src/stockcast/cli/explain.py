"""``explain``: why this forecast and why this quantity; or what the code of a message means."""

from typing import TYPE_CHECKING, Annotated

import typer

from stockcast.cli.options import ConfigFile, Debug, Format, open_config
from stockcast.cli.screen import Screen, current
from stockcast.cli.wording import aligned
from stockcast.core.errors import UsageError

if TYPE_CHECKING:
    from stockcast.runs.explain import Explained

WIDTH = 110


def explain(
    series: Annotated[
        str | None, typer.Argument(metavar="SKU[@LOCATION]", help="the series to explain", show_default=False)
    ] = None,
    code: Annotated[str | None, typer.Option("--code", metavar="SC-…", help="a code from a message")] = None,
    run: Annotated[
        str | None, typer.Option("--run", metavar="RUN", help="a run's id or folder; the newest when left out")
    ] = None,
    config: ConfigFile = None,
    output_format: Format = "text",
    debug: Debug = False,
) -> None:
    """Tell why this forecast and why this quantity, or what the code of a message means, and what to do."""
    screen = current()
    if (series is None) == (code is None):
        raise UsageError(
            "explain takes SKU[@LOCATION], or --code", code="SC-C018",
            help="stockcast explain SKU@LOCATION, or stockcast explain --code SC-…",
        )  # fmt: skip
    if code is not None:
        _explain_code(screen, code)
        return
    loaded = open_config(screen, config)
    from stockcast.runs import explain as runs_explain

    found = runs_explain.run(loaded, str(series), run)
    if screen.json:
        screen.answer(run_id=found.run_id, explanation=found.facts)
    else:
        screen.write(_text(found))


def _explain_code(screen: Screen, code: str) -> None:
    from stockcast.core.codes import find_code

    entry = find_code(code)
    if screen.json:
        screen.answer(code={"name": entry.name, "title": entry.title, "cause": entry.cause, "remedy": entry.remedy})
    else:
        screen.write(f"{entry.name}: {entry.title}\n\n{entry.cause}\n\nwhat to do: {entry.remedy}")


def _text(found: "Explained") -> str:
    import textwrap

    parts = [found.title]
    if found.series:
        parts.append(aligned(("location", "what"), found.series))
    for title, said in (("why this quantity", found.quantity), ("why this forecast", found.forecast)):
        if said:
            parts.append(
                f"{title}\n{textwrap.fill(' '.join(said), WIDTH, initial_indent='  ', subsequent_indent='  ')}"
            )
        if title == "why this quantity" and found.waterfall:
            parts.append(f"how it adds up\n{_waterfall(found)}")
    if found.exceptions:
        parts.append("\n".join(["look at", *(f"  {code}  {message}" for code, message in found.exceptions)]))
    return "\n\n".join(parts)


def _waterfall(found: "Explained") -> str:
    rows = []
    for at, step in enumerate(found.waterfall):
        units = step["units"]
        last = at == len(found.waterfall) - 1
        sign = "=" if last else " " if at == 0 else "−" if units < 0 or step["step"] == "on_hand" else "+"
        rows.append((sign, step["what"], _digits(units if last else abs(units))))
    width = max(len(what) for _, what, _ in rows)
    decimals = max(len(text.partition(".")[2]) for *_, text in rows)
    whole = max(len(text.partition(".")[0]) for *_, text in rows)
    lines = []
    for sign, what, text in rows:
        before, point, after = text.partition(".")
        number = f"{before.rjust(whole)}{point or (' ' if decimals else '')}{after.ljust(decimals)}"
        lines.append(f"  {sign} {what.ljust(width)}  {number}".rstrip())
    return "\n".join(lines)


def _digits(units: float) -> str:
    return f"{units:.9f}".rstrip("0").rstrip(".")
