"""The command line: each body is parse, run, summary, exit code."""

from collections.abc import Sequence


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command and give its exit code; ``argv`` is the process's by default.

    0 a usable result exists · 1 a bug · 2 usage or config · 3 the input data broke its contract · 4 with ``--strict``:
    published but degraded · 5 another run holds the lock · 6 environment · 7 held back by a guardrail · 130/143
    interrupted.
    """
    import sys

    from stockcast.cli.entry import run

    return run(list(sys.argv[1:] if argv is None else argv))
