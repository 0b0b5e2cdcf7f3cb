"""Learning: steps over drawn windows, looks at a held-out origin, and going on after what can go wrong.

What a step does hangs on the seed and its number alone: windows and dropout are drawn anew for each. So a training that
was killed goes on from its checkpoint to the same weights, and a plain loop is all it takes.
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, final

import torch

from stockcast.core.deadline import STRUCK
from stockcast.core.errors import DataError
from stockcast.core.random import Stream
from stockcast.models.tft import saved
from stockcast.models.tft.batcher import Pairs, Pool, joined, seed_of
from stockcast.models.tft.course import NEWEST, Course
from stockcast.models.tft.fused import PLAIN, Way
from stockcast.models.tft.learner import Learner
from stockcast.models.tft.network import loss_of, weights_of
from stockcast.models.tft.room import SMALLEST, clear, in_parts
from stockcast.models.tft.windows import Windows

STOPPED = f"{STRUCK}: learning ended after {{done}} of {{steps}} steps, with the best weights until then"
UNJUDGED = f"{STRUCK}: no network was learnt, {{done}} of {{steps}} steps were taken"
UNSEEN = f"{STRUCK}: the latest windows were not learnt from"
LOST = "no network was learnt: its loss at the held-out origin was not finite"
HALVED = "the device ran out of memory: each step of {batch} windows is made of parts of {part}"


@final
@dataclass(slots=True)
class Progress:
    """Where a training stands: everything that has to be known to go on."""

    step: int = 0
    best: float = float("inf")
    best_step: int = 0
    waits: int = 0
    parts: int = 1
    last: int = 0  # steps that were taken after the best one, on the latest windows too
    looks: list[tuple[int, float]] = field(default_factory=list)


@final
@dataclass(frozen=True, slots=True)
class Trained:
    """The best weights, and how it went.

    ``weights`` are None where the deadline came before any were judged, or no loss was finite: ``lost`` says which.
    They have seen nothing of the held-out windows, so that these tell how good they are. ``finished`` have learnt from
    them too, at the end; the same where there was no end.
    """

    weights: dict[str, torch.Tensor] | None
    finished: dict[str, torch.Tensor] | None
    progress: Progress
    notes: tuple[str, ...]
    lost: str = ""


@final
@dataclass(frozen=True, slots=True)
class Keeper:
    """Where a training leaves its state every so many steps; another training's state is not gone on with.

    Parameters
    ----------
    identity
        Of the data, the network, the course and the seed.
    """

    folder: Path
    identity: str
    every: int

    def write(self, progress: Progress, tensors: Mapping[str, torch.Tensor]) -> None:
        """Leave the state."""
        rest = {name: getattr(progress, name) for name in Progress.__dataclass_fields__}
        saved.write(self.folder, tensors, {"identity": self.identity, "progress": rest})

    def read(self) -> tuple[Progress, dict[str, torch.Tensor]] | None:
        """Give the state that was left, None where there is none of this training, or it is damaged."""
        try:
            tensors, rest = saved.read(self.folder)
        except DataError:
            return None
        if rest.get("identity") != self.identity:
            return None
        given: dict[str, Any] = rest["progress"]
        return Progress(**(given | {"looks": [tuple(one) for one in given["looks"]]})), tensors


@contextmanager
def computing(device: str) -> Iterator[None]:
    """Compute on one thread of the CPU, for bytes that do not hang on how many there are; random states are restored.

    More threads made a step no faster: its operations are many and small. Folds are what processes share.
    """
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        with torch.random.fork_rng(devices=[torch.cuda.current_device()] if device == "cuda" else []):
            yield
    finally:
        torch.set_num_threads(before)


def judge(network: torch.nn.Module, windows: Windows, pairs: Pairs, way: Way = PLAIN) -> float:
    """Give the mean loss of some windows."""
    was = network.training
    network.eval()

    def loss(part: Pairs) -> float:
        return float(loss_of(network, *windows.gather(*part), way)) * len(part[0])

    with torch.no_grad():
        total = sum(in_parts(pairs, loss))
    network.train(was)
    return total / max(1, len(pairs[0]))


def train(
    network: torch.nn.Module,
    windows: Windows,
    pool: Pool,
    held_out: Pairs,
    course: Course,
    stream: Stream,
    *,
    keeper: Keeper | None = None,
    stop: Callable[[], bool] = lambda: False,
    begun: bool = False,
    newest: tuple[Pool, Pool] | None = None,
) -> Trained:
    """Learn the weights of a network.

    Parameters
    ----------
    pool
        The windows to draw from; their targets end before those that are held out.
    held_out
        Windows whose mean loss says which weights are the best, and when it ends.
    keeper
        Where the state is left, and gone on from.
    stop
        Asked before every step; the deadline.
    begun
        Whether the network has learnt before: its weights are then judged first, and kept where no step betters them.
    newest
        All windows, those held out among them, and the newest of these: what the last steps learn from.

    Raises
    ------
    torch.OutOfMemoryError
        If the device has no room for a few windows.
    """
    device = windows.device
    progress, best, notes = Progress(), None, list[str]()
    finished = None
    with computing(device):
        way, told = Way.of(network, windows.gather(*pool.pair(torch.arange(min(2, pool.count), device=device)))[0])
        notes += told
        learner = Learner.of(network, windows, way, course)
        left = keeper.read() if keeper else None
        if left is not None:
            progress, best = left[0], learner.restore(left[1])
        elif begun:
            best = _look(learner, held_out, progress, best)
        network.train()
        cut = False
        while progress.step < course.steps and progress.waits < course.patience:
            cut = stop()
            if cut:
                break
            pairs = pool.draw(course.batch, stream.child("windows"), progress.step)
            seed = seed_of(stream.child("dropout"), progress.step)
            _step(learner, pairs, seed, course.rate_at(progress.step), progress)
            progress.step += 1
            if progress.step % course.every == 0 or progress.step == course.steps:
                best = _look(learner, held_out, progress, best)
            if keeper and progress.step % keeper.every == 0:
                keeper.write(progress, learner.state(best))
        if newest is not None and best is not None and not cut:
            finished, unseen = _finish(learner, newest, course, stream.child("last"), progress, best, keeper, stop)
            notes += unseen
    stopped = UNJUDGED if best is None else STOPPED
    if cut:
        notes.append(stopped.format(done=progress.step, steps=course.steps))
    elif best is None:
        notes.append(LOST)
    lost = notes[-1] if best is None else ""
    if progress.parts > 1:
        part = -(-course.batch // progress.parts)
        notes.append(HALVED.format(batch=course.batch, part=part))
    return Trained(best, finished or best, progress, tuple(notes), lost)


def _finish(
    learner: Learner, newest: tuple[Pool, Pool], course: Course, stream: Stream, progress: Progress,
    best: dict[str, torch.Tensor], keeper: Keeper | None, stop: Callable[[], bool],
) -> tuple[dict[str, torch.Tensor] | None, list[str]]:  # fmt: skip
    """Take the last steps, from the best weights on; give None where the deadline cut them, or a loss is not finite.

    Nothing is left to judge them by: their number and rate are small, and fixed.
    """
    steps, fresh = course.last(progress.best_step), round(NEWEST * course.batch)
    if progress.last == 0:
        learner.begin_again(best, course)
    while progress.last < steps:
        if stop():
            return None, [UNSEEN]
        whole = newest[0].draw(course.batch - fresh, stream.child("windows"), progress.last)
        pairs = joined(newest[1].draw(fresh, stream.child("newest"), progress.last), whole)
        rate = course.last_rate_at(progress.last, steps)
        _step(learner, pairs, seed_of(stream.child("dropout"), progress.last), rate, progress)
        progress.last += 1
        if keeper and (progress.step + progress.last) % keeper.every == 0:
            keeper.write(progress, learner.state(best))
    done = {name: value.clone() for name, value in weights_of(learner.network).items()}
    return (done if all(bool(torch.isfinite(value).all()) for value in done.values()) else None), []


def _look(
    learner: Learner, held_out: Pairs, progress: Progress, best: dict[str, torch.Tensor] | None
) -> dict[str, torch.Tensor] | None:
    """Judge the weights; give those that are the best until now."""
    loss = judge(learner.network, learner.windows, held_out, learner.way)
    progress.looks.append((progress.step, loss))
    progress.waits += 1
    if loss > progress.best or loss != loss:
        return best
    progress.best, progress.best_step, progress.waits = loss, progress.step, 0
    return {name: value.clone() for name, value in weights_of(learner.network).items()}


def _step(learner: Learner, pairs: Pairs, seed: int, rate: float, progress: Progress) -> None:
    """Take one step; where the device has no room for its windows, in twice as many parts."""
    while True:
        try:
            learner.step(pairs, seed, rate, progress.parts)
            return
        except torch.OutOfMemoryError:
            if -(-len(pairs[0]) // progress.parts) <= SMALLEST:
                raise
            progress.parts *= 2
            clear(learner.windows.device)
