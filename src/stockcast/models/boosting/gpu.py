"""Whether LightGBM computes on a GPU here: tried once on a tiny set, in a process of its own, and told.

A driver that crashes or hangs ends that process, not the run, and what it prints does not reach standard output.
"""

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, TypeVar, final

import numpy as np

from stockcast.core.device import chosen

Fitted = TypeVar("Fitted")
KINDS = ("cuda", "gpu")  # LightGBM's words for its CUDA build, and for OpenCL
SECONDS = 120.0  # a first use may compile for a while
PROBE = "from stockcast.models.boosting.gpu import probe; probe()"
OTHER, FAILED = 4, 3  # exit codes of a trial: it computes, but not the same bytes each time; it does not
_broke: list[str] = []  # why a fit of this process failed on the GPU that the trial had found


@final
@dataclass(frozen=True, slots=True)
class Offer:
    """What the build and the machine offer.

    Parameters
    ----------
    kind
        One of ``KINDS``; '' where none computes.
    same
        Whether two fits gave the same bytes.
    why
        What LightGBM says where none computes.
    """

    kind: str
    same: bool
    why: str


@cache
def offered() -> Offer:
    """Try each kind, once in this process."""
    why = []
    for kind in KINDS:
        try:
            run = subprocess.run(
                [sys.executable, "-P", "-c", PROBE, kind], capture_output=True, timeout=SECONDS, check=False
            )
        except subprocess.TimeoutExpired:
            why.append(f"{kind}: no answer within {SECONDS:g} seconds")
            continue
        if run.returncode in (0, OTHER):
            return Offer(kind, run.returncode == 0, "")
        said = [line for line in run.stderr.decode(errors="replace").splitlines() if line.strip()]
        ended = f"the trial ended with {run.returncode}"
        why.append(f"{kind}: {said[-1][:120].rstrip('.') if run.returncode == FAILED and said else ended}")
    return Offer("", False, "; ".join(why))


def probe() -> None:
    """Train twice on a tiny set on a kind of device (the other process)."""
    import lightgbm

    draw = np.random.default_rng(0)
    x = draw.normal(size=(20_000, 8)).astype(np.float32)
    y = draw.poisson(np.exp(0.5 * x[:, 0]))
    given = {"objective": "tweedie", "device_type": sys.argv[1], "num_leaves": 31, "max_bin": 100, "verbosity": -1}
    try:
        texts = {
            lightgbm.train(given, lightgbm.Dataset(x, y, params=given), 10).model_to_string() for _ in range(2)
        }  # fmt: skip
    except lightgbm.basic.LightGBMError as error:
        sys.stderr.write(f"\n{str(error).splitlines()[0]}\n")
        sys.exit(FAILED)
    sys.exit(0 if len(texts) == 1 else OTHER)


def there() -> bool:
    """Tell whether this machine shows an NVIDIA device: what ``--device auto`` looks for before it tries anything."""
    hidden = os.environ.get("CUDA_VISIBLE_DEVICES") in ("", "-1")
    return not hidden and next(Path("/dev").glob("nvidia[0-9]*"), None) is not None


def _kind() -> str:
    """Give the kind of device that this process computes on; '' for the CPU."""
    if _broke or chosen() == "cpu" or (chosen() == "auto" and not there()):
        return ""
    offer = offered()
    return offer.kind if offer.same or chosen() == "cuda" else ""


def on_device(given: dict[str, Any]) -> dict[str, Any]:
    """Give LightGBM's parameters for the device in use; those of the CPU stay as they are.

    Under ``auto`` a GPU is used only where two fits gave the same bytes: a run must be the same each time.
    """
    kind = _kind()
    if not kind:
        return given
    without = ("deterministic", "force_row_wise")  # of the CPU only
    return {name: value for name, value in given.items() if name not in without} | {"device_type": kind}


def note() -> str:
    """Say in a sentence where LightGBM computes, if it might have been elsewhere; '' if not."""
    if chosen() == "cpu" or (chosen() == "auto" and not there()):
        return ""
    offer = offered()
    if not offer.kind:
        return f"lightgbm computed on the CPU ({offer.why})"
    if _broke:
        return f"lightgbm computed on the CPU ({offer.kind}: {_broke[0]})"
    if not _kind():
        return f"lightgbm computed on the CPU ({offer.kind} gives other bytes each time; --device cuda takes it)"
    return f"lightgbm computed on the GPU ({offer.kind}{'' if offer.same else ', not the same bytes each time'})"


def trained(given: dict[str, Any], train: Callable[[dict[str, Any]], Fitted]) -> Fitted:
    """Train with these parameters on the device in use; where a GPU fails, on the CPU, and from then on.

    Raises
    ------
    RuntimeError
        If LightGBM fails on the CPU, in its words.
    """
    import lightgbm

    if _kind():
        try:
            with _aside():
                return train(on_device(given))
        except lightgbm.basic.LightGBMError as error:
            _broke.append(str(error).splitlines()[0][:120].rstrip("."))
    try:
        return train(given)
    except lightgbm.basic.LightGBMError as error:
        raise RuntimeError(f"LightGBM: {error}") from error


@contextmanager
def _aside() -> Iterator[None]:
    """Keep what a driver prints off standard output, which may be one JSON object."""
    sys.stdout.flush()
    kept = os.dup(1)
    os.dup2(2, 1)
    try:
        yield
    finally:
        sys.stdout.flush()
        os.dup2(kept, 1)
        os.close(kept)
