"""A network while it learns: its weights as one tensor, and steps whose parts may run beside one another."""

from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from dataclasses import dataclass
from typing import final

import torch

from stockcast.core.parallel import threads_here
from stockcast.models.tft.batcher import Pairs, some
from stockcast.models.tft.course import Course
from stockcast.models.tft.dropout import Dropout
from stockcast.models.tft.fused import Given, Way, fused
from stockcast.models.tft.layout import Plan
from stockcast.models.tft.network import give, loss_of, weights_of
from stockcast.models.tft.sheet import Sheet
from stockcast.models.tft.windows import Windows

CLIP = 1.0  # norm of a gradient beyond which it is shortened
BESIDE = 64  # windows that a part must have to be worth a thread of its own


@final
@dataclass(slots=True)
class Learner:
    """What a step changes, and how the network is computed.

    Parameters
    ----------
    plan
        Where it is computed in columns; None where it is not.
    threads
        How many parts of a step are computed at once. How a step is cut hangs on its size alone, so that they change no
        byte.
    """

    network: torch.nn.Module
    windows: Windows
    way: Way
    sheet: Sheet
    plan: Plan | None
    optimizer: torch.optim.Adam
    threads: int

    @classmethod
    def of(cls, network: torch.nn.Module, windows: Windows, way: Way, course: Course) -> "Learner":
        """Take the weights of a network into one tensor."""
        sheet, plan = Sheet(network), None
        if way.forward is fused:
            plan = Plan.of(network)
            sheet.lay_out(network)
        return cls(network, windows, way, sheet, plan, adam(sheet, course), threads_here())

    def step(self, pairs: Pairs, seed: int, rate: float, parts: int) -> None:
        """Take one step in so many parts at least.

        Raises
        ------
        torch.OutOfMemoryError
            If the device has no room for a part.
        """
        torch.manual_seed(seed)
        self.optimizer.param_groups[0]["lr"] = rate
        self.sheet.clear()
        batch = len(pairs[0])
        size = -(-batch // parts)
        if self.plan is not None and size >= 2 * BESIDE:
            size = -(-size // 2)
        cut = [some(pairs, begin, size) for begin in range(0, batch, size)]
        if self.plan is None:
            for part in cut:
                loss = loss_of(self.network, *self.windows.gather(*part), self.way)
                (len(part[0]) / batch * loss).backward()  # type: ignore[no-untyped-call]
        else:
            # drawn from before any of them begins, in their order
            several = [(part, len(part[0]) / batch, Dropout(active=self.network.training)) for part in cut]
            for grown in _each(self._gradient, several, self.threads):
                self.sheet.add(grown)
        torch.nn.utils.clip_grad_norm_([self.sheet.values], CLIP)
        self.optimizer.step()

    def _gradient(self, given: tuple[Pairs, float, Dropout]) -> torch.Tensor:
        """Give the gradient of some windows of a step, as the weights are laid out."""
        part, share, dropout = given
        if self.plan is None:
            raise RuntimeError("the weights are not laid out")
        leaf, weights = self.sheet.drawn()
        x, y = self.windows.gather(*part)
        loss = loss_of(self.network, x, y, self.way, Given(self.plan, weights, dropout))
        (grown,) = torch.autograd.grad(share * loss, leaf)
        return grown

    def begin_again(self, weights: Mapping[str, torch.Tensor], course: Course) -> None:
        """Go on from other weights, with an optimizer that knows of no step."""
        give(self.network, weights)
        self.optimizer = adam(self.sheet, course)

    def state(self, best: Mapping[str, torch.Tensor] | None) -> dict[str, torch.Tensor]:
        """Give all tensors by name."""
        out = {f"now/{name}": value for name, value in weights_of(self.network).items()}
        out |= {f"best/{name}": value for name, value in (best or {}).items()}
        for what, value in self.optimizer.state.get(self.sheet.values, {}).items():
            if what == "step":
                out["adam/step"] = torch.as_tensor(value)
            else:
                out |= {f"adam/{what}/{name}": piece for name, piece in self.sheet.pieces(value)}
        return out

    def restore(self, tensors: Mapping[str, torch.Tensor]) -> dict[str, torch.Tensor] | None:
        """Put such tensors back; give the best weights so far."""
        device = self.sheet.values.device
        parts: dict[str, dict[str, torch.Tensor]] = {"now": {}, "best": {}, "adam": {}}
        for name, value in tensors.items():
            of, _, rest = name.partition("/")
            parts[of][rest] = value.to(device)
        give(self.network, parts["now"])
        if "step" in parts["adam"]:
            state = self.optimizer.state[self.sheet.values]
            state["step"] = parts["adam"]["step"]
            for what in ("exp_avg", "exp_avg_sq"):
                state[what] = torch.zeros_like(self.sheet.values)
                for name, piece in self.sheet.pieces(state[what]):
                    piece.copy_(parts["adam"][f"{what}/{name}"])
        return parts["best"] or None


def adam(sheet: Sheet, course: Course) -> torch.optim.Adam:
    """Make the optimizer."""
    return torch.optim.Adam([sheet.values], lr=course.rate, fused=True)


def _each(
    function: Callable[[tuple[Pairs, float, Dropout]], torch.Tensor],
    several: list[tuple[Pairs, float, Dropout]],
    threads: int,
) -> Iterable[torch.Tensor]:
    """Give what a function gives for each, in their order; in threads where there are several of both."""
    if threads == 1 or len(several) == 1:
        return [function(one) for one in several]
    with ThreadPoolExecutor(min(threads, len(several)), initializer=torch.set_num_threads, initargs=(1,)) as pool:
        running = [pool.submit(copy_context().run, function, one) for one in several]
        return [one.result() for one in running]
