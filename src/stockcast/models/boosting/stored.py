"""Trees kept in a file: trusted only once another process has read them and lived.

LightGBM's reader is made for its own texts. A truncated or damaged one ends the process that reads it, or keeps it busy
for ever; so it is a process of its own, with a limit on time and memory, that tries first.
"""

import hashlib
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np

from stockcast.core.errors import DataError
from stockcast.models.boosting.trees import Trees

LARGEST = 64 << 20  # bytes of a text
SECONDS = 120.0  # that reading one may take
MEMORY, TIMES = 3 << 30, 100  # that it may take: so much, and so many times the text
PARSE = "from stockcast.models.boosting.stored import parse; parse()"
ODD = 3  # exit code of the other process where the text can be read, but is no model that can be used


def load(path: Path, sha256: str) -> Trees:
    """Read trees from a file that a run kept, such as ``models/lightgbm.txt``.

    Parameters
    ----------
    sha256
        The hash of the file: ``outputs`` of the run's manifest has it.

    Raises
    ------
    DataError
        If the file cannot be read, is another than the hash says, or is no model that LightGBM reads without harm
        (SC-M006).
    """
    try:
        content = path.read_bytes() if path.stat().st_size <= LARGEST else b""
    except OSError as error:
        raise _refused(path, f"cannot be read: {error.strerror or error}") from error
    if not content:
        raise _refused(path, f"empty, or larger than {LARGEST >> 20} MB")
    if hashlib.sha256(content).hexdigest() != sha256:
        raise _refused(path, "changed after it was written: its hash is another")
    _try(path, content)
    return Trees.of(content.decode())


def _try(path: Path, content: bytes) -> None:
    """Let another process read a text; raise unless it does so and lives."""
    calm = {name: "1" for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")}
    try:
        run = subprocess.run(
            [sys.executable, "-P", "-c", PARSE],
            input=content,
            capture_output=True,
            timeout=SECONDS,
            env=os.environ | calm,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise _refused(path, f"not read within {SECONDS:g} seconds") from None
    if run.returncode == 0:
        return
    if run.returncode == ODD:
        raise _refused(path, run.stderr.decode(errors="replace").strip().splitlines()[-1][:200])
    how = f"signal {-run.returncode}" if run.returncode < 0 else f"exit code {run.returncode}"
    raise _refused(path, f"damaged: the process that read it ended with {how}")


def _refused(path: Path, why: str) -> DataError:
    return DataError(f"{path}: {why}", code="SC-M006", help="make it again with `stockcast forecast`")


def parse() -> None:
    """Read a text from standard input with a limit on memory, and go through all of its trees (the other process)."""
    content = sys.stdin.buffer.read()
    _limit(len(content))
    import lightgbm

    try:
        booster = lightgbm.Booster(model_str=content.decode())
        _require_usable(booster.dump_model(), booster.num_feature())
        booster.predict(np.full((1, booster.num_feature()), np.nan))
    except (lightgbm.basic.LightGBMError, ValueError, LookupError) as error:
        sys.stderr.write(f"not a model that can be used: {' '.join(str(error).split())}\n")
        sys.exit(ODD)


def _limit(size: int) -> None:
    """Keep this process from taking all memory, and from leaving a picture of it on the disk when it ends."""
    if sys.platform == "win32":
        return
    import resource

    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    if sys.platform.startswith("linux"):  # elsewhere the limit is not kept, or counts what is shared
        resource.setrlimit(resource.RLIMIT_AS, (MEMORY + TIMES * size, MEMORY + TIMES * size))


def _require_usable(model: dict[str, Any], features: int) -> None:
    """Raise unless every split asks for a feature that there is, and every leaf gives a finite value."""
    if not model["tree_info"]:
        raise ValueError("it has no trees")
    for tree in model["tree_info"]:
        todo = [tree["tree_structure"]]
        while todo:
            node = todo.pop()
            if "split_feature" not in node:
                if not np.isfinite(node["leaf_value"]):
                    raise ValueError(f"a leaf of tree {tree['tree_index']} is {node['leaf_value']}")
                continue
            if not 0 <= node["split_feature"] < features:
                raise ValueError(f"tree {tree['tree_index']} asks for feature {node['split_feature']} of {features}")
            todo += [node["left_child"], node["right_child"]]
