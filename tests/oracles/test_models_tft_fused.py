"""The network in few and large operations against the library's own forward: quantiles, loss, every gradient, dropout."""

import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

sys.path.insert(0, str(Path(__file__).parents[1] / "unit" / "models"))
from made_deep import SMALL, shop
from made_panels import panel

from stockcast.core.random import Stream
from stockcast.models.pooled import in_order
from stockcast.models.tft import Tft, fused, layout, network
from stockcast.models.tft import arrays as arrays_of
from stockcast.models.tft.batcher import Pool
from stockcast.models.tft.dropout import Dropout
from stockcast.models.tft.fused import PLAIN, Way
from stockcast.models.tft.network import Size
from stockcast.models.tft.recurrence import recur
from stockcast.models.tft.sheet import Sheet
from stockcast.models.tft.windows import Windows

SEASON = np.random.default_rng(3).poisson(4.0 + 3.0 * np.sin(np.arange(200) / 3), (5, 200)).astype(float)
PANELS = {
    "days": lambda: shop(9, 560),
    "weeks": lambda: shop(9, 150, step="week"),
    "nothing but demand": lambda: panel(SEASON),
}
SIZES = {
    "usual": Size(dropout=0.0),
    "small": Size(8, 2, 4, 0.0),
    "numbers as wide as layers": Size(8, 2, 8, 0.0),
    "one head": Size(6, 1, 3, 0.0),
}
FUSED = Way(fused.fused)


def drawn(past, size, count=16):
    """Give a network away from where it begins, and windows."""
    rows = in_order(past, np.arange(len(past.series)))
    recipe, made = arrays_of.learn(past, rows, None)
    windows = Windows(made, recipe, "cpu")
    pool = Pool.of(made.first, past.time.n - recipe.encoder - recipe.horizon, "cpu")
    net = network.make(recipe, size, 7)
    source = torch.Generator().manual_seed(5)
    with torch.no_grad():
        for value in net.parameters():
            value += 0.2 * torch.randn(value.shape, generator=source)
    return net, windows.gather(*pool.draw(count, Stream(7, "windows"), 0))


def silent(past):
    """Give a network, and windows of series that never sold."""
    net, (x, _) = drawn(past, SIZES["small"], 2)
    return net, x | {"target_scale": torch.zeros_like(x["target_scale"])}


def gradients(net, x, y, way):
    net.zero_grad()
    loss = network.loss_of(net, x, y, way)
    loss.backward()
    return loss.item(), {name: value.grad for name, value in net.named_parameters()}


@pytest.mark.parametrize("kind", PANELS)
@pytest.mark.parametrize("size", SIZES)
def test_loss_and_gradients_are_those_of_the_librarys_forward(kind, size):
    net, (x, y) = drawn(PANELS[kind](), SIZES[size])
    assert Way.of(net, x) == (FUSED, ())
    mine, theirs = (network.loss_of(net, x, y, way).item() for way in (FUSED, PLAIN))
    assert mine == pytest.approx(theirs, rel=1e-5)
    # in float64 no gradient is lost in what is rounded off
    net.double()
    x = {name: value.double() if value.is_floating_point() else value for name, value in x.items()}
    y = (y[0].double(), y[1].double())
    quantiles = [way.forward(net, x) for way in (FUSED, PLAIN)]
    torch.testing.assert_close(quantiles[0], quantiles[1], rtol=1e-8, atol=1e-8)
    (loss, mine), (wanted, theirs) = (gradients(net, x, y, replace(way, precision=None)) for way in (FUSED, PLAIN))
    assert loss == pytest.approx(wanted, rel=1e-5)
    assert {name for name, value in mine.items() if value is None} == {
        name for name, value in theirs.items() if value is None
    }
    largest = max(float(value.abs().max()) for value in theirs.values() if value is not None)
    for name, value in theirs.items():
        if value is not None:
            room = max(1e-5 * float(value.abs().max()), 1e-9 * largest)
            torch.testing.assert_close(
                mine[name], value, rtol=0.0, atol=room, msg=lambda text, of=name: f"{of}: {text}"
            )


def test_the_recurrent_layer_is_torchs():
    torch.manual_seed(2)
    layer = torch.nn.LSTM(3, 4, batch_first=True).double()
    x, hidden, cell = (
        torch.randn(shape, dtype=torch.float64, requires_grad=True) for shape in ((5, 7, 3), (5, 4), (5, 4))
    )
    into = ("weight_ih", "weight_hh", "bias_ih", "bias_hh")
    weights = {
        f"one.{name}": layout.turned(getattr(layer, f"{of}_l0"))
        for name, of in zip(("into", "over", "bias", "bias_over"), into, strict=True)
    }
    mine = recur(weights, "one", x.permute(2, 1, 0), hidden.t(), cell.t())
    mine = (mine[0].permute(2, 1, 0), mine[1].t(), mine[2].t())
    out, (last, kept) = layer(x, (hidden[None], cell[None]))
    wanted = (out, last[0], kept[0])
    by = [torch.randn_like(one) for one in wanted]
    given = [x, hidden, cell, *layer.parameters()]
    found, theirs = (torch.autograd.grad(several, given, by) for several in (mine, wanted))
    for one, other in zip((*mine, *found), (*wanted, *theirs), strict=True):
        torch.testing.assert_close(one, other, rtol=1e-10, atol=1e-12)


def test_weights_laid_out_on_a_sheet_are_the_networks_and_so_are_their_gradients():
    net, (x, y) = drawn(PANELS["days"](), SIZES["usual"], 6)
    before = {name: value.detach().clone() for name, value in net.named_parameters()}
    wanted = gradients(net, x, y, FUSED)[1]
    sheet = Sheet(net)
    for name, value in net.named_parameters():
        assert torch.equal(value, before[name]), name
    leaf, weights = sheet.drawn()
    assert {name: value.shape for name, value in weights.items()} == {
        name: value.shape for name, value in layout.laid_out(net).items()
    }
    given = fused.Given(layout.Plan.of(net), weights, Dropout(active=False))
    (grown,) = torch.autograd.grad(network.loss_of(net, x, y, FUSED, given), leaf)
    sheet.add(grown)
    for name, value in net.named_parameters():
        theirs = torch.zeros_like(value) if wanted[name] is None else wanted[name]
        torch.testing.assert_close(value.grad, theirs, rtol=1e-5, atol=1e-8, msg=lambda text, of=name: f"{of}: {text}")
    sheet.clear()
    assert float(sheet.values.grad.abs().max()) == 0.0


def test_as_many_values_are_left_out_as_asked_for_and_each_alone():
    torch.manual_seed(3)
    dropout = Dropout(active=True)
    mask = dropout.mask(0.1, (100, 2_001), torch.float32)
    left_out = (mask == 0).double()
    assert float(left_out.mean()) == pytest.approx(0.1, abs=0.003)
    assert float(mask.double().mean()) == pytest.approx(1.0, abs=0.003)
    assert len(mask.unique()) == 2
    ties = torch.corrcoef(left_out[:, :2_000].reshape(-1, 4).t())  # four are drawn at once
    assert float((ties - torch.eye(4)).abs().max()) < 0.02
    assert not torch.equal(mask, dropout.mask(0.1, (100, 2_001), torch.float32))
    assert dropout.mask(0.0, (3,), torch.float32) is None
    assert Dropout(active=False).mask(0.5, (3,), torch.float32) is None


def test_dropout_moves_what_is_given_as_the_librarys_does():
    net, (x, y) = drawn(PANELS["days"](), Size(dropout=0.3))
    one = {name: value[:1].expand(6_000, *value.shape[1:]) for name, value in x.items()}
    net.train()
    with torch.no_grad():
        mine, theirs = (way.quantiles(net, one).double() for way in (FUSED, PLAIN))
        torch.manual_seed(1)
        again = [FUSED.quantiles(net, x) for _ in range(2)]
        torch.manual_seed(1)
        torch.testing.assert_close(FUSED.quantiles(net, x), again[0], rtol=0.0, atol=0.0)
    assert not torch.equal(again[0], again[1])
    spread = theirs.std(dim=0)
    assert (mine.mean(dim=0) - theirs.mean(dim=0)).abs().max() < (0.08 * spread).max()
    assert ((mine.std(dim=0) / spread) - 1.0).abs().max() < 0.08
    # within a window, periods hang together as much
    ties = [torch.corrcoef(given[:, ::9, 5].t()) for given in (mine, theirs)]
    assert (ties[0] - ties[1]).abs().max() < 0.08


@pytest.mark.parametrize("by", [1.0, 3.0, 5.0, 10.0, 100.0])
def test_large_weights_are_no_other_version_of_the_library(by, monkeypatch):
    net, (x, _) = drawn(PANELS["days"](), SIZES["usual"], 2)
    with torch.no_grad():
        for value in net.parameters():
            value *= by  # float32 rounds off up to a twentieth of the largest quantile, the library's way too
    assert Way.of(net, x) == (FUSED, ())
    exact, apart = fused.fused, []

    def rough(network, x):  # rounds off more
        found = exact(network, x)
        apart.append(found.dtype)
        return found + (0.2 * found.abs().max() if found.dtype == torch.float32 else 0.0)

    monkeypatch.setattr(fused, "fused", rough)
    way, (note,) = Way.of(net, x)
    assert apart == [torch.float32, torch.float64]
    assert way == PLAIN
    assert "would round off 2e-01 of the largest quantile" in note
    assert "version" not in note
    with torch.no_grad():
        next(net.parameters()).fill_(torch.nan)
        net.output_layer.bias.fill_(torch.nan)
    assert Way.of(net, x) == (PLAIN, (fused.SLOWER.format(why=fused.ENDLESS),))


def test_another_version_of_the_library_is_computed_its_own_way_and_it_is_told(monkeypatch):
    past = shop(9, 260)
    quick = Tft(budget=SMALL).fit(past, seed=7)
    assert quick.notes() == ()
    monkeypatch.setattr(fused, "attend", lambda weights, plan, x, encoder, dropout: x[:, encoder:].flatten(1))
    slow = Tft(budget=SMALL).fit(past, seed=7)
    assert slow.notes() == (f"tft: {fused.SLOWER.format(why=fused.OTHER)}",)
    losses = [[loss for _, loss in fitted.learnt.progress.looks] for fitted in (quick, slow)]
    np.testing.assert_allclose(losses[0][0], losses[1][0], rtol=0.2)

    assert Way.of(*silent(past))[0] == PLAIN  # of windows that never sold too

    def lacks(*given, **more):
        raise AttributeError("no attribute 'q_layers'")

    monkeypatch.setattr(fused, "attend", lacks)
    assert "AttributeError: no attribute 'q_layers'" in Tft(budget=SMALL).fit(past, seed=7).notes()[0]
