"""The network: Chronos from a local folder, without the hub, pickle or foreign code; quantiles of contexts."""

import os
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from typing import Any, final

import numpy as np
import torch
from jaxtyping import Float

from stockcast.core.errors import UsageError
from stockcast.models.catalogue import Pretrained
from stockcast.models.pretrained.folder import require
from stockcast.models.smoothing.device import batch, device

OFFLINE = ("HF_HUB_OFFLINE", "TRANSFORMERS_OFFLINE", "HF_HUB_DISABLE_TELEMETRY", "DO_NOT_TRACK")
BATCH = {"cpu": 64, "cuda": 512}  # contexts at once; always as many, so that no forecast hangs on who is beside it


@final
class Network:
    """A pretrained network that gives quantiles.

    Parameters
    ----------
    pipeline
        Chronos-Bolt or Chronos-2, as the library loads it.
    """

    def __init__(self, pipeline: Any) -> None:
        self._pipeline = pipeline
        self.levels = np.array([float(level) for level in pipeline.quantiles])
        self.context = int(pipeline.model_context_length)

    def quantiles(
        self, context: Float[np.ndarray, "window period"], horizon: int
    ) -> Float[np.ndarray, "window horizon level"]:
        """Forecast contexts, NaN where a period tells nothing, in ascending order of the levels."""
        out = np.empty((len(context), horizon, len(self.levels)))
        with batch() as on, _quiet():
            size = BATCH[on]
            for begin in range(0, len(context), size):
                some = context[begin : begin + size, -self.context :].astype(np.float32)
                full = np.ones((size, some.shape[1]), dtype=np.float32)
                full[: len(some)] = some
                out[begin : begin + size] = self._predict(torch.from_numpy(full), horizon)[: len(some)]
        return np.sort(out, axis=2)

    def _predict(self, context: torch.Tensor, horizon: int) -> np.ndarray:
        """Give quantiles by window, period and level; the kinds of network differ in the shapes that they take."""
        import chronos

        if isinstance(self._pipeline, chronos.Chronos2Pipeline):
            told = self._pipeline.predict(context[:, None], prediction_length=horizon, batch_size=len(context))
            given = torch.cat(list(told))
        else:
            given = self._pipeline.predict(context, prediction_length=horizon)
        return np.asarray(given.transpose(1, 2).double().cpu().numpy())


def load(given: Pretrained) -> Network:
    """Load the network of a folder onto the device of the run; once for a process.

    Raises
    ------
    UsageError
        As :func:`~stockcast.models.pretrained.folder.require`; or if the folder holds no network that gives quantiles
        (SC-M008).
    """
    return _load(given, device())


@lru_cache(maxsize=1)
def _load(given: Pretrained, on: str) -> Network:
    require(given)
    with _offline(), _quiet(), torch.random.fork_rng(devices=[]):
        import chronos
        from transformers.utils import logging

        bars = logging.is_progress_bar_enabled()
        logging.disable_progress_bar()
        try:
            pipeline = chronos.BaseChronosPipeline.from_pretrained(
                given.path, local_files_only=True, use_safetensors=True, trust_remote_code=False, dtype="float32"
            )
        except Exception as error:  # what a library raises of a file that is not as it expects, nobody promises
            raise _no_network(given, " ".join(str(error).split())[:200] or type(error).__name__) from error
        finally:
            if bars:
                logging.enable_progress_bar()
    if not isinstance(pipeline, chronos.ChronosBoltPipeline | chronos.Chronos2Pipeline):
        raise _no_network(given, "it draws samples; Chronos-Bolt and Chronos-2 give quantiles")
    pipeline.model.to(on).eval()
    return Network(pipeline)


def _no_network(given: Pretrained, why: str) -> UsageError:
    return UsageError(
        f"{given.path}: no network that can be used: {why}",
        code="SC-M008",
        help="give the folder of a Chronos-Bolt or Chronos-2 model",
    )


@contextmanager
def _offline() -> Iterator[None]:
    """Tell the libraries to stay off the network while they are loaded and load."""
    before = {name: os.environ.get(name) for name in OFFLINE}
    os.environ.update(dict.fromkeys(OFFLINE, "1"))
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value


@contextmanager
def _quiet() -> Iterator[None]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # advice on horizons beyond the network's own, and on what loading left out
        yield
