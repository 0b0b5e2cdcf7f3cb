"""The batcher against the library's own TimeSeriesDataSet and loader: the same windows, weights and loss."""

import sys
import warnings
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch

sys.path.insert(0, str(Path(__file__).parents[1] / "unit" / "models"))
from made_deep import shop

from stockcast.core.random import Stream
from stockcast.models.pooled import in_order
from stockcast.models.tft import arrays as arrays_of
from stockcast.models.tft import network
from stockcast.models.tft.batcher import Pool
from stockcast.models.tft.windows import Windows


def library_batch(x, y, recipe):
    """Give the windows through the library: a frame of them, its data set with its own scaling, and its loader."""
    from pytorch_forecasting import TimeSeriesDataSet
    from pytorch_forecasting.data import EncoderNormalizer, NaNLabelEncoder

    class TrailingMean(EncoderNormalizer):
        """The library scales by the standard deviation of the encoder; by its mean here."""

        def _set_parameters(self, y_center, y_scale):
            self.scale_ = y_scale.mean()  # of one encoder; first of the whole column, in pandas
            self.center_ = 0.0 * self.scale_

    n, length = len(x["encoder_cont"]), recipe.encoder + recipe.horizon
    cont = torch.cat([x["encoder_cont"], x["decoder_cont"]], dim=1).double().numpy()
    cat = torch.cat([x["encoder_cat"], x["decoder_cat"]], dim=1).numpy()
    target = torch.cat([x["encoder_target"], x["decoder_target"]], dim=1).double().numpy()
    weight = np.concatenate([np.ones((n, recipe.encoder)), y[1].double().numpy()], axis=1)
    frame = pd.DataFrame({
        "window": np.repeat([f"{at:05d}" for at in range(n)], length), "t": np.tile(np.arange(length), n),
        "y": target.ravel(), "w": weight.ravel(),
    })  # fmt: skip
    reals = [network.key(name) for name in recipe.reals]
    names = [network.key(name) for name in [*recipe.static, *recipe.varying]]
    for at, name in enumerate(reals):
        frame[name.replace("·", "_")] = cont[:, :, at].ravel()
    for at, name in enumerate(names):
        frame[name] = [f"{code:04d}" for code in cat[:, :, at].ravel()]
    reals = [name.replace("·", "_") for name in reals]
    coded = {}
    for name, size in zip(names, recipe.sizes.values(), strict=True):
        coded[name] = NaNLabelEncoder().fit(pd.Series([f"{code:04d}" for code in range(size)]))
    data = TimeSeriesDataSet(
        frame, time_idx="t", target="y", group_ids=["window"], weight="w", min_encoder_length=recipe.encoder,
        max_encoder_length=recipe.encoder, min_prediction_length=recipe.horizon, max_prediction_length=recipe.horizon,
        static_categoricals=names[: len(recipe.static)], static_reals=["level"],
        time_varying_known_categoricals=names[len(recipe.static) :],
        time_varying_known_reals=[name for name in reals if name != "level"],
        target_normalizer=TrailingMean(), categorical_encoders=coded, scalers=dict.fromkeys(reals),
    )  # fmt: skip
    theirs, came = next(iter(data.to_dataloader(train=False, batch_size=n, num_workers=0)))
    order = [data.reals.index(name) for name in reals]
    theirs |= {name: theirs[name][..., order] for name in ("encoder_cont", "decoder_cont")}
    order = [data.flat_categoricals.index(name) for name in names]
    theirs |= {name: theirs[name][..., order] for name in ("encoder_cat", "decoder_cat")}
    return theirs, came


@pytest.mark.parametrize("time", [260, 560])
def test_loss_is_that_of_the_librarys_data_set_and_loader(time):
    past = shop(9, time, out=0.01)
    rows = in_order(past, np.arange(9))
    recipe, made = arrays_of.learn(past, rows, None)
    windows = Windows(made, recipe, "cpu")
    pool = Pool.of(made.first, time - recipe.encoder - recipe.horizon, "cpu")
    x, y = windows.gather(*pool.draw(64, Stream(7, "windows"), 0))
    # where all periods of the encoder tell of demand, and its floor does not bind, the scale is the library's own
    whole = (x["encoder_target"].mean(dim=1) - x["target_scale"][:, 1]).abs() < 1e-6
    x, y = {name: value[whole] for name, value in x.items()}, (y[0][whole], y[1][whole])
    assert len(y[0]) >= 3
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        theirs, came = library_batch(x, y, recipe)
    np.testing.assert_allclose(theirs["target_scale"][:, 1], x["target_scale"][:, 1], rtol=1e-5)
    for name in ("encoder_cat", "decoder_cat", "encoder_lengths", "decoder_lengths"):
        assert torch.equal(theirs[name], x[name]), name
    for name in ("encoder_cont", "decoder_cont", "encoder_target", "decoder_target"):
        torch.testing.assert_close(theirs[name].float(), x[name], rtol=1e-5, atol=1e-6)
    assert {*x} >= {*theirs} - {"encoder_time_idx"}
    net = network.make(recipe, network.Size(hidden=8, heads=2, number=4), 7).eval()
    with torch.no_grad():
        mine = network.loss_of(net, x, y)
        other = net.loss(net(theirs)["prediction"], came)
    assert float(mine) == pytest.approx(float(other), rel=1e-5)
    assert float(mine) > 0.1
    assert (y[1] == 0).any()  # some periods were masked


def test_loss_is_the_pinball_loss_in_terms_of_the_scale():
    past = shop(9, 260)
    recipe, made = arrays_of.learn(past, in_order(past, np.arange(9)), None)
    x, y = Windows(made, recipe, "cpu").gather(torch.arange(9), torch.full((9,), 100))
    net = network.make(recipe, network.Size(hidden=8, heads=2, number=4), 7).eval()
    given = net(x)["prediction"].detach().double().numpy()
    came, weight = (part.double().numpy()[:, :, None] for part in y)
    level = np.array(network.LEVELS)
    plain = 2.0 * weight * np.where(came >= given, level * (came - given), (1.0 - level) * (given - came))
    with torch.no_grad():
        mine = float(network.loss_of(net, x, y))
    assert mine == pytest.approx(plain.mean(), rel=1e-5)
