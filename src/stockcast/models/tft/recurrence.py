"""The recurrent layers of the network: a long short-term memory over windows of equal length, with its own gradient."""

from collections.abc import Sequence
from typing import Any

import torch
from jaxtyping import Float

from stockcast.models.tft.layout import Weights


def recur(
    weights: Weights,
    name: str,
    x: Float[torch.Tensor, "input time window"],
    hidden: Float[torch.Tensor, "hidden window"],
    cell: Float[torch.Tensor, "hidden window"],
) -> tuple[
    Float[torch.Tensor, "hidden time window"],
    Float[torch.Tensor, "hidden window"],
    Float[torch.Tensor, "hidden window"],
]:
    r"""Run one layer over all periods; give what it tells of each, and its last hidden and cell state.

    .. math::
        c_t = f_t c_{t-1} + i_t g_t, \quad h_t = o_t \tanh c_t, \quad
        (i, f, o)_t = \sigma(W x_t + U h_{t-1} + b), \quad g_t = \tanh(W_g x_t + U_g h_{t-1} + b_g)

    (Hochreiter & Schmidhuber 1997, as :class:`torch.nn.LSTM` has it.) A period takes seven operations, and five for the
    gradient, in memory that lies side by side; what the gradient multiplies by is made for all periods at once. The
    gates lie as :mod:`stockcast.models.tft.layout` has them: in, forget, out, cell.
    """
    into, over, bias, besides = (weights[f"{name}.{key}"] for key in ("into", "over", "bias", "bias_over"))
    out: tuple[torch.Tensor, torch.Tensor, torch.Tensor] = _Recurrence.apply(  # type: ignore[no-untyped-call]
        x, hidden, cell, into, over, bias + besides
    )
    return out


class _Recurrence(torch.autograd.Function):
    """Time first, then gate and width, windows last: each slice of a period is one piece of memory."""

    @staticmethod
    def forward(ctx: Any, *given: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        x, hidden, cell, into, over, bias = given
        _, time, windows = x.shape
        width = len(hidden)
        by_time = x.transpose(0, 1).contiguous()
        gates = torch.baddbmm(bias[:, None], into.expand(time, -1, -1), by_time)
        states, cells = (gates.new_empty(time + 1, width, windows) for _ in range(2))
        bent = gates.new_empty(time, width, windows)
        states[0], cells[0] = hidden, cell
        whole, sigmoids = gates.unbind(0), gates[:, : 3 * width].unbind(0)
        opened, forgot, told, new = (one.unbind(0) for one in gates.chunk(4, dim=1))
        h, c, b = states.unbind(0), cells.unbind(0), bent.unbind(0)
        for t in range(time):
            whole[t].addmm_(over, h[t])
            sigmoids[t].sigmoid_()
            new[t].tanh_()
            torch.mul(forgot[t], c[t], out=c[t + 1]).addcmul_(opened[t], new[t])
            torch.tanh(c[t + 1], out=b[t])
            torch.mul(told[t], b[t], out=h[t + 1])
        ctx.save_for_backward(by_time, gates, states, cells, bent, into, over)
        return states[1:].transpose(0, 1).contiguous(), h[time].clone(), c[time].clone()

    @staticmethod
    @torch.autograd.function.once_differentiable
    def backward(ctx: Any, *given: torch.Tensor) -> tuple[torch.Tensor, ...]:
        by_time, gates, states, cells, bent, into, over = ctx.saved_tensors
        time, width, _ = bent.shape
        opened, forgot, told, new = gates.chunk(4, dim=1)
        bend = told * (1.0 - bent * bent)
        of_cell = torch.cat(
            [new * opened * (1.0 - opened), cells[:-1] * forgot * (1.0 - forgot), opened * (1.0 - new * new)], dim=1
        )
        # the gate that tells lies between them, and is turned by the hidden state in place of the cell
        of_told = bent * told * (1.0 - told)
        grown = torch.empty_like(gates)
        by_state = given[0].transpose(0, 1).contiguous()
        by_state[-1] += given[1]
        by_cell = given[2].clone()
        back = over.t().contiguous()
        h, bends, forgets = by_state.unbind(0), bend.unbind(0), forgot.unbind(0)
        whole = grown.unbind(0)
        last, first = _parts(grown, width), _parts(of_cell, width)
        tells, by_told = grown[:, 2 * width : 3 * width].unbind(0), of_told.unbind(0)
        for t in range(time - 1, -1, -1):
            if t < time - 1:
                h[t].addmm_(back, whole[t + 1])
            by_cell.addcmul_(h[t], bends[t])
            torch.mul(first[0][t], by_cell, out=last[0][t])
            torch.mul(first[1][t], by_cell, out=last[1][t])
            torch.mul(by_told[t], h[t], out=tells[t])
            by_cell.mul_(forgets[t])
        x = torch.bmm(into.t().expand(time, -1, -1), grown)
        return (
            x.transpose(0, 1),
            torch.mm(back, whole[0]),
            by_cell,
            torch.bmm(grown, by_time.mT).sum(0),
            torch.bmm(grown, states[:-1].mT).sum(0),
            grown.sum((0, 2)),
        )


def _parts(gates: torch.Tensor, width: int) -> tuple[Sequence[torch.Tensor], Sequence[torch.Tensor]]:
    """Give the gates that the cell turns, by period: in and forget as one block, and the new cell, the last of them."""
    time, _, windows = gates.shape
    return gates[:, : 2 * width].view(time, 2, width, windows).unbind(0), gates[:, -width:].unbind(0)
