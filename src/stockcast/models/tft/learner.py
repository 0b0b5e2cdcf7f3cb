"""A network while it learns: its weights as one tensor where it is computed in columns, and the steps that it takes."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import final

import torch

from stockcast.models.tft.batcher import Pairs, some
from stockcast.models.tft.course import Course
from stockcast.models.tft.dropout import Dropout
from stockcast.models.tft.fused import Given, Way, fused
from stockcast.models.tft.layout import Plan
from stockcast.models.tft.network import give, loss_of, weights_of
from stockcast.models.tft.sheet import Sheet
from stockcast.models.tft.windows import Windows

CLIP = 1.0  # norm of a gradient beyond which it is shortened


@final
@dataclass(slots=True)
class Learner:
    """What a step changes, and how the network is computed.

    Parameters
    ----------
    columns
        The weights in one piece, and what else there is to know, where it is computed in columns; None where it is not.
    """

    network: torch.nn.Module
    windows: Windows
    way: Way
    columns: tuple[Sheet, Plan] | None
    optimizer: torch.optim.Adam

    @classmethod
    def of(cls, network: torch.nn.Module, windows: Windows, way: Way, course: Course) -> "Learner":
        """Take a network as it is."""
        # a GPU's recurrent layers want their weights where they are
        columns = (Sheet(network), Plan.of(network)) if way.forward is fused else None
        return cls(network, windows, way, columns, adam(network, columns, course))

    def step(self, pairs: Pairs, seed: int, rate: float, parts: int) -> None:
        """Take one step in so many parts.

        Raises
        ------
        torch.OutOfMemoryError
            If the device has no room for a part.
        """
        torch.manual_seed(seed)
        self.optimizer.param_groups[0]["lr"] = rate
        self._clear()
        batch = len(pairs[0])
        size = -(-batch // parts)
        for begin in range(0, batch, size):
            part = some(pairs, begin, size)
            self._add(part, len(part[0]) / batch)
        learnt = self.network.parameters() if self.columns is None else [self.columns[0].values]
        torch.nn.utils.clip_grad_norm_(learnt, CLIP)
        self.optimizer.step()

    def _clear(self) -> None:
        if self.columns is None:
            self.optimizer.zero_grad()
        else:
            self.columns[0].clear()

    def _add(self, part: Pairs, share: float) -> None:
        """Add the gradient of some windows of a step, which are a share of it."""
        x, y = self.windows.gather(*part)
        if self.columns is None:
            (share * loss_of(self.network, x, y, self.way)).backward()  # type: ignore[no-untyped-call]
            return
        sheet, plan = self.columns
        leaf, weights = sheet.drawn()
        given = Given(plan, weights, Dropout(active=self.network.training))
        (grown,) = torch.autograd.grad(share * loss_of(self.network, x, y, self.way, given), leaf)
        sheet.add(grown)

    def begin_again(self, weights: Mapping[str, torch.Tensor], course: Course) -> None:
        """Go on from other weights, with an optimizer that knows of no step."""
        give(self.network, weights)
        self.optimizer = adam(self.network, self.columns, course)

    def state(self, best: Mapping[str, torch.Tensor] | None) -> dict[str, torch.Tensor]:
        """Give all tensors by name."""
        out = {f"now/{name}": value for name, value in weights_of(self.network).items()}
        out |= {f"best/{name}": value for name, value in (best or {}).items()}
        for name, parameter in self.network.named_parameters():
            held = parameter if self.columns is None else self.columns[0].values
            for what, value in self.optimizer.state.get(held, {}).items():
                cut = self.columns is not None and what != "step"
                # of its own for each: the format knows of no shared memory
                out[f"adam/{what}/{name}"] = (
                    self.columns[0].piece(value, name) if self.columns and cut else value.clone()
                )
        return out

    def restore(self, tensors: Mapping[str, torch.Tensor]) -> dict[str, torch.Tensor] | None:
        """Put such tensors back; give the best weights so far."""
        device = self.windows.device
        parts: dict[str, dict[str, torch.Tensor]] = {"now": {}, "best": {}, "adam": {}}
        for name, value in tensors.items():
            of, _, rest = name.partition("/")
            parts[of][rest] = value.to(device)
        give(self.network, parts["now"])
        parameters = dict(self.network.named_parameters())
        for whole, value in parts["adam"].items():
            what, _, of = whole.partition("/")
            if self.columns is None:
                self.optimizer.state[parameters[of]][what] = value
                continue
            sheet = self.columns[0]
            state = self.optimizer.state[sheet.values]
            if what == "step":
                state[what] = value
            else:
                sheet.piece(state.setdefault(what, torch.zeros_like(sheet.values)), of).copy_(value)
        return parts["best"] or None


def adam(network: torch.nn.Module, columns: tuple[Sheet, Plan] | None, course: Course) -> torch.optim.Adam:
    """Make the optimizer."""
    learnt = network.parameters() if columns is None else [columns[0].values]
    return torch.optim.Adam(learnt, lr=course.rate, fused=True)
