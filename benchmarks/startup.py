"""How long `stockcast --help` takes, against an interpreter that imports Typer and nothing else."""

import sys

from benchmarks.subject import Row, Setting, Subject, stockcast, timed


def measure(setting: Setting) -> list[Row]:
    bare = [sys.executable, "-c", "import typer, rich.console"]
    ours, theirs = [], []
    for _ in range(setting.runs + 1):  # the first pair warms the disk cache
        ours.append(timed(stockcast("--help"))[0])
        theirs.append(timed(bare)[0])
    ratio = [a / b for a, b in zip(ours[1:], theirs[1:], strict=True)]
    return [
        Row.median("stockcast --help", ours[1:], "s"),
        Row.median("python -c 'import typer, rich.console'", theirs[1:], "s"),
        Row.median("ratio", ratio, "x"),
    ]


SUBJECT = Subject("startup", "answering --help", measure)
