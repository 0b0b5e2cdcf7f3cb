"""The Temporal Fusion Transformer: windows a second of training, against the library's own data set and loader.

The same network, loss and kind of windows; each in a process of its own, at the batch size and number of threads (and
of loading processes) that it is fastest with. The library gets a frame with every variable made already; stockcast
makes them. What Lightning's Trainer costs is measured against a plain loop on the same steps.
"""

import itertools
import json
import subprocess
import sys
import time
import warnings
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np

from benchmarks.made import held_mb, panel, tiled
from benchmarks.subject import Row, Setting, Subject, own_peak_mb

DAYS = 700
SERIES, MANY, FRAMED = 300, 30_000, 1_000
WINDOWS = 20_480
BATCHES, THREADS, LOADERS = (64, 128, 256, 512, 1_024), (1, 2), (0, 2)
PROBED = 1_536  # windows of a trial of one batch size


def shop(n: int, days: int, file: Path | None):
    """Give a panel with prices and promotions that are known ahead, and categories."""
    from stockcast.panel import Attributes, KnownFuture

    made = panel(tiled(n, days, file))
    draw = np.random.default_rng(2)
    price = np.repeat(draw.choice([0.8, 0.9, 1.0, 1.1], (n, -(-days // 14))), 14, axis=1)[:, :days]
    promotion = (draw.random((n, days), dtype=np.float32) < 0.05).astype(float)
    always = np.full(n, days)
    known = KnownFuture(made.time, price, promotion, days, {}, {"price": always, "promotion": always})
    category = np.char.mod("c%02d", draw.integers(0, 20, n))
    return replace(made, known=known, attributes=Attributes(made.series, {"category": category}))


def prepared(past):
    """Give what training takes, from a panel: arrays on the device, and the pool to draw from."""
    from stockcast.models.pooled import in_order
    from stockcast.models.tft import arrays
    from stockcast.models.tft.batcher import Pool
    from stockcast.models.tft.windows import Windows

    recipe, made = arrays.learn(past, in_order(past, np.arange(len(past.series))), None)
    windows = Windows(made, recipe, "cpu")
    return windows, Pool.of(made.first, past.time.n - recipe.encoder - 2 * recipe.horizon, "cpu"), made


def frame(windows, made):
    """Give the variables of all series and periods as the frame that the library's data set wants."""
    import pandas as pd

    from stockcast.models.tft.recipe import FIXED

    recipe = windows.recipe
    n, time_n = made.series.shape[:2]
    number = {name: made.series[:, :, len(FIXED) + at] for at, name in enumerate(recipe.columns)}
    number |= {name: made.calendar[made.place, :, at] for at, name in enumerate(recipe.calendar)}
    number["demand"], number["told"] = made.series[:, :, 0], made.series[:, :, 1]
    number["level"] = np.repeat(np.log1p(made.series[:, :, 0].mean(axis=1))[:, None], time_n, axis=1)
    number["distance"] = np.broadcast_to(np.arange(time_n, dtype=np.float32) / time_n, (n, time_n))
    code = {name: made.coded[made.place, :, at] for at, name in enumerate(recipe.varying)}
    code |= {name: np.repeat(made.static[:, at, None], time_n, axis=1) for at, name in enumerate(recipe.static)}
    held = {name: np.nan_to_num(values).ravel() for name, values in number.items()}
    held |= {name: pd.Categorical(values.ravel().astype(str)) for name, values in code.items()}
    series = pd.Categorical(np.repeat(np.arange(n), time_n).astype(str))
    return pd.DataFrame(held | {"series": series, "t": np.tile(np.arange(time_n), n), "w": np.ones(n * time_n)})


def data_set(table, recipe):
    """Give the library's data set: each window scaled by the trailing mean of its encoder, as stockcast does."""
    import pandas as pd
    from pytorch_forecasting import TimeSeriesDataSet
    from pytorch_forecasting.data import EncoderNormalizer, NaNLabelEncoder

    class TrailingMean(EncoderNormalizer):
        def _set_parameters(self, y_center, y_scale):
            self.scale_ = y_scale.mean() + 1e-6
            self.center_ = 0.0 * self.scale_

    sizes = recipe.sizes
    coded = {name: NaNLabelEncoder().fit(pd.Series([str(at) for at in range(n)])) for name, n in sizes.items()}
    ahead = [name for name in recipe.decoded]
    return TimeSeriesDataSet(
        table, time_idx="t", target="demand", group_ids=["series"], weight="w", max_encoder_length=recipe.encoder,
        min_encoder_length=recipe.encoder, max_prediction_length=recipe.horizon, min_prediction_length=recipe.horizon,
        static_categoricals=list(recipe.static), static_reals=["level"],
        time_varying_known_categoricals=list(recipe.varying), time_varying_known_reals=ahead,
        time_varying_unknown_reals=[name for name in recipe.reals if name not in {"level", *ahead}],
        target_normalizer=TrailingMean(), categorical_encoders=coded,
        scalers=dict.fromkeys(name for name in recipe.reals if name != "demand"),
    )  # fmt: skip


def network_for(recipe, reals: list[str] | None = None, codes: list[str] | None = None):
    from stockcast.models.tft import network

    net = network.make(recipe, network.Size(), 7)
    if reals is not None:  # in the order of the library's data set
        net.hparams["x_reals"] = reals
        net.input_embeddings.x_categoricals = codes
    return net


def steps(net, give: Callable[[], tuple], count: int) -> tuple[float, float]:
    """Take steps in a plain loop as the library computes them; give the seconds, and those of getting the windows."""
    import torch

    optimizer = torch.optim.Adam(net.parameters(), lr=1e-3, fused=True)
    begin, data = time.perf_counter(), 0.0
    net.train()
    for _ in range(count):
        at = time.perf_counter()
        x, y = give()
        data += time.perf_counter() - at
        optimizer.zero_grad()
        net.loss(net(x)["prediction"], y).backward()
        torch.nn.utils.clip_grad_norm_(net.parameters(), 1.0)
        optimizer.step()
    return time.perf_counter() - begin, data


def own_steps(net, windows, pool, batch: int, count: int) -> tuple[float, float]:
    """Take steps as a training does; give the seconds, and those of getting the windows, which is timed beside it."""
    from stockcast.core.random import Stream
    from stockcast.models.tft.batcher import seed_of
    from stockcast.models.tft.course import Course
    from stockcast.models.tft.fused import Way
    from stockcast.models.tft.learner import Learner

    stream = Stream(7, "bench")
    way, told = Way.of(net.train(), windows.gather(*pool.draw(2, stream, 0))[0])
    assert not told, told
    learner = Learner.of(net, windows, way, Course(count, batch, 1e-3, count, 1))
    begin = time.perf_counter()
    for step in range(count):
        learner.step(pool.draw(batch, stream, step), seed_of(stream, step), 1e-3, 1)
    seconds, begin = time.perf_counter() - begin, time.perf_counter()
    for step in range(5):
        windows.gather(*pool.draw(batch, stream, step))
    return seconds, (time.perf_counter() - begin) / 5 * count


def giver(windows, pool, batch: int) -> Callable[[], tuple]:
    from stockcast.core.random import Stream

    at = itertools.count()
    return lambda: windows.gather(*pool.draw(batch, Stream(7, "bench"), next(at)))


def ours(n: int, days: int, file: Path, count: int, batch: int, threads: int, loaders: int) -> dict[str, float]:
    """Prepare and train from arrays; the network in columns."""
    import torch

    torch.set_num_threads(threads)
    past = shop(n, days, file)
    prepared(past.take(np.arange(4)))  # what is loaded at the first use is not measured, here or there
    begin = time.perf_counter()
    windows, pool, _ = prepared(past)
    prep = time.perf_counter() - begin
    seconds, data = own_steps(network_for(windows.recipe), windows, pool, batch, -(-count // batch))
    return {"prep": prep, "loop": seconds, "data": data, "windows": -(-count // batch) * batch}


def theirs(n: int, days: int, file: Path, count: int, batch: int, threads: int, loaders: int) -> dict[str, float]:
    """Prepare and train through the library's data set and loader."""
    import torch

    torch.set_num_threads(threads)
    windows, _, made = prepared(shop(n, days, file))
    table = frame(windows, made)
    data_set(table.iloc[: 2 * days], windows.recipe)
    begin = time.perf_counter()
    data = data_set(table, windows.recipe)
    loader = data.to_dataloader(
        train=True, batch_size=batch, num_workers=loaders, persistent_workers=False, multiprocessing_context=None
    )
    prep = time.perf_counter() - begin
    net = network_for(windows.recipe, data.reals, data.flat_categoricals)
    count = min(count, len(loader) * batch)
    turn = iter(loader)
    seconds, waited = steps(net, lambda: next(turn), -(-count // batch))
    return {"prep": prep, "loop": seconds, "data": waited, "windows": -(-count // batch) * batch}


def path_ours(n: int, days: int, file: Path, count: int, batch: int, *_: int) -> dict[str, float]:
    """Draw and gather windows, and nothing else."""
    windows, pool, _ = prepared(shop(n, days, file))
    give = giver(windows, pool, batch)
    give()
    return _timed(give, count, batch)


def path_theirs(n: int, days: int, file: Path, count: int, batch: int, *_: int) -> dict[str, float]:
    """Load windows through the library, and nothing else."""
    windows, _, made = prepared(shop(n, days, file))
    loader = data_set(frame(windows, made), windows.recipe).to_dataloader(train=True, batch_size=batch, num_workers=0)
    turn = iter(loader)
    next(turn)
    return _timed(lambda: next(turn), min(count, (len(loader) - 1) * batch), batch)


def _timed(give: Callable[[], tuple], count: int, batch: int) -> dict[str, float]:
    import torch

    torch.set_num_threads(1)
    number, begin = -(-count // batch), time.process_time()
    for _ in range(number):
        give()
    return {"rate": number * batch / (time.process_time() - begin)}


def prepare(n: int, days: int, file: Path, *_: int) -> dict[str, float]:
    """Prepare alone, with the memory that it takes."""
    past = shop(n, days, file)
    prepared(past.take(np.arange(4)))
    held, begin, cpu = held_mb(), time.perf_counter(), time.process_time()
    prepared(past)
    used = time.process_time() - cpu
    return {"prep": time.perf_counter() - begin, "cpu": used, "peak": own_peak_mb(), "held": held}


def library(n: int, days: int, file: Path, *_: int) -> dict[str, float]:
    """Prepare the library's data set alone, with the memory that it takes."""
    windows, _, made = prepared(shop(n, days, file))
    cpu = time.process_time()
    table = frame(windows, made)
    framing = time.process_time() - cpu
    data_set(table.iloc[: 2 * days], windows.recipe)
    held, begin, cpu = held_mb(), time.perf_counter(), time.process_time()
    data_set(table, windows.recipe)
    used = time.process_time() - cpu
    return {"prep": time.perf_counter() - begin, "cpu": used, "frame": framing, "peak": own_peak_mb(), "held": held}


def trainer(n: int, days: int, file: Path, count: int, batch: int, threads: int, loaders: int) -> dict[str, float]:
    """Take the same steps in a plain loop and under Lightning's Trainer, in turns."""
    import logging

    import torch
    from lightning.pytorch import Trainer
    from torch.utils.data import DataLoader, IterableDataset

    torch.set_num_threads(threads)
    windows, pool, _ = prepared(shop(n, days, file))
    number = -(-count // batch)

    logging.getLogger("lightning.pytorch").setLevel(logging.ERROR)

    class Drawn(IterableDataset):
        def __iter__(self):
            give = giver(windows, pool, batch)
            return (give() for _ in range(number))

    found: dict[str, list[float]] = {"loop": [], "trainer": [], "start": []}
    for _ in range(3):
        found["loop"].append(steps(network_for(windows.recipe), giver(windows, pool, batch), number)[0])
        for what, most in (("trainer", number), ("start", 1)):
            begin = time.perf_counter()
            Trainer(
                max_steps=most, accelerator="cpu", logger=False, enable_checkpointing=False, enable_progress_bar=False,
                enable_model_summary=False, gradient_clip_val=1.0,
            ).fit(network_for(windows.recipe), DataLoader(Drawn(), batch_size=None))  # fmt: skip
            found[what].append(time.perf_counter() - begin)
    loop, driven, start = (np.array(found[what]) for what in ("loop", "trainer", "start"))
    ratio = (driven - start) / (loop * (number - 1) / number)
    return {"ratio": float(np.median(ratio)), "start": float(np.median(start - loop / number))}


KINDS = {
    "path_ours": path_ours,
    "path_theirs": path_theirs,
    "ours": ours, "theirs": theirs, "prepare": prepare, "library": library, "trainer": trainer,
}  # fmt: skip


def _child(setting: Setting, what: str, *given: int) -> dict[str, float]:
    if setting.smoke:  # what is loaded is loaded once
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return KINDS[what](given[0], given[1], setting.data / "none.parquet", *given[2:])
    argv = [sys.executable, "-m", "benchmarks.tft", what, str(setting.data / "m5_280_series.parquet")]
    run = subprocess.run([*argv, *map(str, given)], check=True, stdout=subprocess.PIPE, text=True)
    told: dict[str, float] = json.loads(run.stdout.splitlines()[-1])
    return told


def _rate(told: dict[str, float], *, whole: bool) -> float:
    return told["windows"] / (told["loop"] + (told["prep"] if whole else 0.0))


def measure(setting: Setting) -> list[Row]:
    n, days, count = (12, 180, 64) if setting.smoke else (SERIES, DAYS, WINDOWS)
    batches, threads, loaders = ((16,), (1,), (0,)) if setting.smoke else (BATCHES, THREADS, LOADERS)
    probed = min(PROBED, count)
    of = {"ours": (0,), "theirs": loaders}
    best: dict[str, tuple[int, int, int]] = {}
    for what, several in of.items():
        combinations = list(itertools.product(batches, threads, several))
        tried = dict.fromkeys(combinations, 0.0)
        for batch, thread, load in combinations if len(combinations) > 1 else ():
            told = _child(setting, what, n, days, max(probed, 3 * batch), batch, thread, load)
            tried[batch, thread, load] = _rate(told, whole=False)
            print(f"  {what} batch {batch}, {thread} threads, {load} loaders: {tried[batch, thread, load]:.0f}/s")
        best[what] = max(tried, key=lambda one: tried[one])
    rows, found = [], {what: [_child(setting, what, n, days, count, *best[what])] for what in of}
    for _ in range(setting.runs - 1):
        for what in of:
            found[what].append(_child(setting, what, n, days, count, *best[what]))
    same = [_child(setting, "theirs", n, days, count, *best["ours"][:2], best["theirs"][2]) for _ in range(1)]
    for what, told in found.items():
        name = {"ours": "stockcast", "theirs": "library"}[what]
        batch, thread, load = best[what]
        rows += [
            Row(f"{name}: best batch", batch, ""),
            Row(f"{name}: best threads", thread, ""),
            Row(f"{name}: best loading processes", load, ""),
            Row.median(f"{name}: windows a second, preparation in", [_rate(one, whole=True) for one in told], "/s"),
            Row.median(f"{name}: windows a second, steps alone", [_rate(one, whole=False) for one in told], "/s"),
            Row.median(f"{name}: preparation", [one["prep"] for one in told], "s"),
            Row.median(f"{name}: share of a step for its windows", [one["data"] / one["loop"] for one in told], "x"),
        ]
    pairs = list(zip(found["ours"], found["theirs"], strict=True))
    rows += [
        Row.median(
            "times as fast, preparation in", [_rate(a, whole=True) / _rate(b, whole=True) for a, b in pairs], "x"
        ),
        Row.median(
            "times as fast, steps alone", [_rate(a, whole=False) / _rate(b, whole=False) for a, b in pairs], "x"
        ),
        Row(
            "times as fast, same batch, preparation in",
            _rate(pairs[0][0], whole=True) / _rate(same[0], whole=True),
            "x",
        ),
        Row.median("preparation: times as fast", [b["prep"] / a["prep"] for a, b in pairs], "x"),
    ]
    larger = (12, 180) if setting.smoke else (MANY, DAYS)
    alone = _child(setting, "prepare", *larger, 0, 0, 0, 0)
    rows += [
        Row(f"prepare {larger[0]} series: stockcast", alone["prep"], "s"),
        Row(f"prepare {larger[0]} series: stockcast, CPU time", alone["cpu"], "s"),
        Row(f"prepare {larger[0]} series: stockcast, peak memory", alone["peak"], "MB"),
        Row(f"prepare {larger[0]} series: of that the panel", alone["held"], "MB"),
    ]
    framed = (12, 180) if setting.smoke else (FRAMED, DAYS)
    a, b = (_child(setting, what, *framed, 0, 0, 0, 0) for what in ("prepare", "library"))
    rows += [
        Row(f"prepare {framed[0]} series: stockcast", a["prep"], "s"),
        Row(f"prepare {framed[0]} series: library, of a frame", b["prep"], "s"),
        Row(f"prepare {framed[0]} series: library, peak memory", b["peak"], "MB"),
        Row(f"prepare {framed[0]} series: times as fast, CPU time", b["cpu"] / a["cpu"], "x"),
        Row(f"prepare {framed[0]} series: with the frame made first", (b["cpu"] + b["frame"]) / a["cpu"], "x"),
    ]
    batch, thread, _ = best["ours"]
    path = [_child(setting, what, n, days, count, batch)["rate"] for what in ("path_ours", "path_theirs")]
    rows += [
        Row("windows alone, a second of CPU time: stockcast", path[0], "/s"),
        Row("windows alone, a second of CPU time: library", path[1], "/s"),
    ]
    small = min(batch, 128)  # where the cost of a step weighs most
    driven = _child(setting, "trainer", n, days, 48 if setting.smoke else 20 * small, small, thread, 0)
    rows += [
        Row("Lightning's Trainer over a plain loop", driven["ratio"], "x"),
        Row("Lightning's Trainer: start of a training", driven["start"], "s"),
    ]
    return rows


SUBJECT = Subject("tft", "training of the Temporal Fusion Transformer, against the library's own loader", measure)

if __name__ == "__main__":
    warnings.filterwarnings("ignore")
    kind, source, *numbers = sys.argv[1:]
    print(json.dumps(KINDS[kind](int(numbers[0]), int(numbers[1]), Path(source), *map(int, numbers[2:]))))
