"""The peers run in an environment of their own, on arrays that are written for them; what they told can be kept."""

import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from benchmarks.subject import Setting

HERE = Path(__file__).parent / "peers"


def interpreter() -> Path:
    """Give the Python of the peers: ``STOCKCAST_PEERS_PYTHON`` names it, else the one of `make bench-peers`.

    Raises
    ------
    SystemExit
        If there is none.
    """
    python = Path(os.environ.get("STOCKCAST_PEERS_PYTHON", HERE / ".venv" / "bin" / "python"))
    if not python.exists():
        raise SystemExit("no environment for the peers: run `make bench-peers`")
    return python


def run(
    setting: Setting, script: str, given: Mapping[str, np.ndarray], models: Sequence[str], kept: str
) -> dict[str, np.ndarray]:
    """Run a script of `benchmarks/peers` in one thread; or read what an earlier run of the same task left.

    With ``--peers FILE.npz`` that one file is what was left; with ``--peers FOLDER`` it is the file ``kept`` in there.
    """
    left = setting.peers
    if left is not None and left.suffix != ".npz":
        left = left / f"{kept}.npz"
    if left is not None and left.is_file():
        with np.load(left) as file:
            return {name: file[name] for name in file.files}
    source, target = setting.work / f"{kept}_series.npz", left or setting.work / f"{kept}.npz"
    target.parent.mkdir(parents=True, exist_ok=True)
    np.savez(source, **given)
    one_thread = os.environ | {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
    argv = [str(interpreter()), str(HERE / script), str(source), str(target), *models]
    subprocess.run(argv, check=True, env=one_thread)
    print(f"{', '.join(models)}: done", file=sys.stderr, flush=True)
    with np.load(target) as file:
        return {name: file[name] for name in file.files}
