"""Measure the subjects and print their figures: `python -m benchmarks [--smoke] [NAME …]`."""

import argparse
import json
import os
import platform
import sys
import tempfile
from pathlib import Path

from benchmarks import (
    ahead,
    batched,
    boosting,
    censored,
    echelon,
    features,
    gate,
    naive,
    optimizer,
    stages,
    startup,
    statistical,
    tft,
    transfers,
)
from benchmarks.subject import Setting, Subject

SUBJECTS: tuple[Subject, ...] = (
    startup.SUBJECT,
    naive.SUBJECT,
    *batched.SUBJECTS,
    *stages.SUBJECTS,
    censored.SUBJECT,
    statistical.SUBJECT,
    boosting.SUBJECT,
    features.SUBJECT,
    *optimizer.SUBJECTS,
    *ahead.SUBJECTS,
    *transfers.SUBJECTS,
    *echelon.SUBJECTS,
    tft.SUBJECT,
    gate.SUBJECT,
)


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("names", nargs="*", help=f"any of {', '.join(s.name for s in SUBJECTS)}; all without one")
    parser.add_argument("--smoke", action="store_true", help="one small run of each subject that needs no data")
    parser.add_argument("--runs", type=int, default=3, help="counted runs of each command")
    parser.add_argument("--folds", type=int, default=12, help="rolling origins of a comparison with peers")
    parser.add_argument("--peers", type=Path, help="the peers' forecasts: read if there, else written")
    parser.add_argument("--models", nargs="+", default=["lightgbm", "auto"], help="compared with boosted peers")
    parser.add_argument("--series", type=int, help="another size, for optimizer, optimizer_million, optimizer_plain")
    parser.add_argument("--json", type=Path, help="write the figures here too")
    default = Path(__file__).parents[2] / "shared" / "data"
    parser.add_argument("--data", type=Path, default=Path(os.environ.get("STOCKCAST_TEST_DATA", default)))
    chosen = parser.parse_args(argv)
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    figures = {}
    with tempfile.TemporaryDirectory() as work:
        setting = Setting(
            chosen.data.resolve(), Path(work), chosen.smoke, 1 if chosen.smoke else chosen.runs, chosen.folds,
            chosen.peers and chosen.peers.resolve(), tuple(chosen.models), chosen.series,
        )  # fmt: skip
        print(f"Python {platform.python_version()}, {os.cpu_count()} cores, {platform.machine()}")
        for subject in SUBJECTS:
            if chosen.names and subject.name not in chosen.names:
                continue
            if subject.needs_data and (chosen.smoke or not setting.data.is_dir()):
                print(f"\n{subject.name}: left out, {'smoke' if chosen.smoke else f'no data in {setting.data}'}")
                continue
            if subject.needs_peers and subject.name not in chosen.names:
                print(f"\n{subject.name}: left out, it needs the peers' environment: make bench-peers")
                continue
            print(f"\n{subject.name}: {subject.what}")
            rows = subject.measure(setting)
            for row in rows:
                print(f"  {row.what:54s} {row.value:10.3f} {row.unit:3s} {', '.join(f'{v:.3f}' for v in row.spread)}")
            figures[subject.name] = [vars(row) for row in rows]
    if chosen.json:
        chosen.json.write_text(json.dumps(figures, indent=1))
    return 0


if __name__ == "__main__":
    sys.exit(main())
