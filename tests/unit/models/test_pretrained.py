"""Chronos from a folder of weights: which folders are refused, and that what it forecasts keeps the rules of all."""

import importlib.util
import json
import os
import sys
from pathlib import Path

import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).parents[2] / "contracts"))
import test_forecasters as rules
from made_panels import panel, retail, scrambled

from stockcast.core.errors import UsageError
from stockcast.models.catalogue import Pretrained, Setting, make
from stockcast.models.ladder import Ladder, failed
from stockcast.models.pretrained import Chronos, fingerprint, folder
from stockcast.models.pretrained.tails import excesses, reached

LEVELS = [round(0.1 * at, 1) for at in range(1, 10)]
needs_extra = [
    pytest.mark.pretrained,
    pytest.mark.skipif(
        importlib.util.find_spec("chronos") is None,
        reason="2026-11-29: the extra `pretrained` is not installed; `make test-pretrained` installs it",
    ),
]
SMALL = {
    "d_model": 16,
    "d_kv": 8,
    "d_ff": 16,
    "num_layers": 1,
    "num_heads": 2,
    "dropout_rate": 0.1,
    "vocab_size": 2,
    "initializer_factor": 0.2,
}
T5 = SMALL | {"num_decoder_layers": 1, "decoder_start_token_id": 0, "pad_token_id": 0, "feed_forward_proj": "relu"}


def bolt(path):
    """Save a small Chronos-Bolt model, with weights that no one has learnt."""
    from chronos.chronos_bolt import ChronosBoltModelForForecasting
    from transformers import T5Config

    of = {"context_length": 64, "prediction_length": 16, "input_patch_size": 8, "input_patch_stride": 8}
    config = T5Config(**T5, chronos_config=of | {"quantiles": LEVELS, "use_reg_token": True})
    config.chronos_pipeline_class = "ChronosBoltPipeline"
    ChronosBoltModelForForecasting(config).save_pretrained(path)


def second(path):
    """Save a small Chronos-2 model."""
    from chronos.chronos2 import Chronos2Model
    from chronos.chronos2.config import Chronos2CoreConfig

    of = {"context_length": 64, "input_patch_size": 8, "input_patch_stride": 8, "output_patch_size": 8}
    of |= {"quantiles": [0.01, *LEVELS, 0.99], "use_reg_token": True, "use_arcsinh": True, "max_output_patches": 2}
    config = Chronos2CoreConfig(**SMALL, chronos_config=of)
    config.chronos_pipeline_class = "Chronos2Pipeline"
    Chronos2Model(config).save_pretrained(path)


def samples(path):
    """Save a small model of the first kind, which draws samples."""
    from transformers import T5Config, T5ForConditionalGeneration

    of = {
        "tokenizer_class": "MeanScaleUniformBins", "tokenizer_kwargs": {"low_limit": -15.0, "high_limit": 15.0},
        "n_tokens": 32, "n_special_tokens": 2, "pad_token_id": 0, "eos_token_id": 1, "use_eos_token": True,
        "model_type": "seq2seq", "context_length": 64, "prediction_length": 16, "num_samples": 5, "temperature": 1.0,
        "top_k": 50, "top_p": 1.0,
    }  # fmt: skip
    config = T5Config(**(T5 | {"vocab_size": 32}), chronos_config=of)
    config.chronos_pipeline_class = "ChronosPipeline"
    T5ForConditionalGeneration(config).save_pretrained(path)


@pytest.fixture(scope="session")
def weights(tmp_path_factory):
    """Give a maker of folders of small models, each made once."""
    import torch

    made = {}

    def of(kind):
        if kind not in made:
            path = tmp_path_factory.mktemp("weights") / kind.__name__
            with torch.random.fork_rng(devices=[]):
                torch.manual_seed(3)
                kind(path)
            made[kind] = Pretrained(path, fingerprint(path))
        return made[kind]

    return of


def plain(path):
    path.mkdir()
    (path / "config.json").write_text("{}")
    (path / "model.safetensors").write_bytes(b"x")
    return path


@pytest.fixture
def at_hand(monkeypatch):
    monkeypatch.setattr(folder, "installed", lambda: True)


def refused(given):
    with pytest.raises(UsageError) as error:
        make("chronos", Setting(pretrained=given))
    return error.value


def test_without_a_folder_or_the_extra_it_is_refused(tmp_path, monkeypatch):
    assert refused(None).code == "SC-M008"
    path = plain(tmp_path / "weights")
    monkeypatch.setattr(folder, "PACKAGES", ("a_package_that_no_one_has", "nor_this_one"))
    error = refused(Pretrained(path, fingerprint(path)))
    assert error.code == "SC-M009"
    assert "stockcast[pretrained]" in error.help


def test_a_folder_that_is_not_what_the_config_means_is_refused(tmp_path, at_hand):
    path = plain(tmp_path / "weights")
    fine = Pretrained(path, fingerprint(path).upper())
    assert folder.require(fine) == fine
    assert "no folder" in refused(Pretrained(tmp_path / "elsewhere", "0" * 64)).message
    other = refused(Pretrained(path, "0" * 64))
    assert other.code == "SC-M008"
    assert fingerprint(path) in other.details[0]
    (path / ".hidden").write_text("a note")
    assert folder.require(fine) == fine
    (path / "adapter_config.json").write_text("{}")  # a loader might read it
    assert "hash" in refused(fine).message
    (path / "model.safetensors").rename(path / "pytorch_model.bin")  # a pickle
    assert refused(Pretrained(path, fingerprint(path))).message.endswith("no model.safetensors")


def test_the_hash_is_the_one_that_a_shell_gives(tmp_path):
    import subprocess

    path = plain(tmp_path / "weights")
    (path / "Zoo.txt").write_text("z")
    run = subprocess.run(
        ["sh", "-c", "LC_ALL=C; export LC_ALL; sha256sum * | sha256sum"], cwd=path, capture_output=True, text=True, check=True
    )  # fmt: skip
    assert run.stdout.split()[0] == fingerprint(path)


def test_tails_are_what_came_beyond_in_windows_alike():
    levels = np.array([0.1, 0.5, 0.9])
    values = np.array([[[2.0, 4.0, 6.0]], [[0.0, 0.0, 0.0]]])
    pool = np.array([[1.0, 0.0, -0.5], [3.0, 0.0, -9.0], [0.0, 0.0, 0.0]])
    near = np.array([[0, 1], [2, 2]])
    got, wider = reached(values, levels, np.array([2.0, 5.0]), pool, near)
    assert wider.tolist() == [0.01, 0.05, 0.1, 0.5, 0.9, 0.95, 0.975, 0.99, 0.995]
    above = np.quantile([1.0, 3.0], [0.5, 0.75, 0.9, 0.95])
    np.testing.assert_allclose(got[0, 0, 5:], 6.0 + 2.0 * above)
    below = np.quantile([-0.5, -9.0], [0.1, 0.5])
    np.testing.assert_allclose(got[0, 0, :2], np.maximum(2.0 + 2.0 * below, 0.0))
    assert got[1].max() == 0.0  # nothing came beyond: nothing is added
    assert (np.diff(got, axis=2) >= 0).all()
    told = excesses(np.array([[7.0, 5.0]]), np.tile(values[:1], (1, 2, 1)), np.array([[False, True]]))
    assert told.tolist() == [[0.0, 0.0]]


def test_tails_of_a_known_distribution_are_its_own():
    draw = np.random.default_rng(4)
    levels = np.array(LEVELS)
    true = np.quantile(draw.gamma(2.0, 3.0, 10**6), [*LEVELS, 0.95, 0.975, 0.99, 0.995])
    values = np.broadcast_to(true[:9], (400, 28, 9))
    came = draw.gamma(2.0, 3.0, (400, 28))
    pool = excesses(came, values, np.ones(came.shape, dtype=bool)) / 6.0
    got, _ = reached(values[:1], levels, np.array([6.0]), pool, np.arange(400)[None])
    np.testing.assert_allclose(got[0, 0, 2:], true, rtol=0.05)


RULES = (
    rules.test_nothing_sold_nothing_forecast, rules.test_a_constant_is_forecast_as_it_is,
    rules.test_the_same_seed_gives_the_same_bytes, rules.test_the_panel_is_not_changed,
    rules.test_a_fitted_model_takes_the_series_it_was_fitted_on, rules.test_what_is_written_down_draws_the_same_bytes,
)  # fmt: skip


class TestWithTheExtra:
    pytestmark = needs_extra

    @pytest.fixture(params=[bolt, second], ids=["bolt", "second"])
    def chronos(self, request, weights):
        return Chronos(weights(request.param))

    @pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.__name__)
    def test_it_keeps_the_rules_of_all(self, rule, chronos):
        rule(chronos)

    @pytest.mark.parametrize("step", ["day", "week"])
    def test_it_keeps_the_rules_of_all_by_day_and_week(self, step, chronos, monkeypatch):
        monkeypatch.setattr(rules, "POOLED", {*rules.POOLED, "chronos"})
        rules.test_paths_are_finite_and_not_negative(chronos, step)
        rules.test_chunks_give_the_same_bytes_as_the_whole(chronos, step)

    def test_degenerate_histories_and_poisoned_ones(self, chronos, monkeypatch):
        monkeypatch.setattr(rules, "POOLED", {*rules.POOLED, "chronos"})
        for sales in rules.DEGENERATE.values():
            rules.test_degenerate_histories_get_finite_paths(chronos, sales)
        rules.test_a_poisoned_series_touches_no_other(chronos)

    @pytest.mark.parametrize("known", [30, 163])
    def test_it_reads_nothing_after_the_origin(self, known, chronos):
        whole = retail(8, 200)
        a, b = (
            Ladder(chronos).fit(past, seed=7).predict(past, 10, seed=7, n_paths=10).paths()
            for past in (whole.until(known), scrambled(whole, known).until(known))
        )
        assert a.tobytes() == b.tobytes()

    def test_permuted_series_permute_the_forecast(self, chronos):
        past = retail(9, 170)
        names = np.array([f"n{at}" for at in range(9)])
        order = np.random.default_rng(0).permutation(9)
        one, other = (
            rules.forecast(chronos, panel(past.sales[rows], names=names)).paths().mean(axis=(1, 2))
            for rows in (np.arange(9), order)
        )  # paths are drawn by the key of a name
        np.testing.assert_allclose(one[order], other, rtol=0.2)

    def test_a_series_is_forecast_alike_whoever_is_beside_it(self, chronos):
        from stockcast.models.pretrained.network import load

        network = load(chronos.pretrained)
        draw = np.random.default_rng(1)
        context = draw.poisson(4.0, (150, 90)).astype(float)
        context[3, 20:40] = np.nan
        whole = network.quantiles(context, 20)
        assert np.isfinite(whole).all()
        assert (np.diff(whole, axis=2) >= 0).all()
        for rows in (np.arange(3, 4), np.arange(40), np.arange(100, 150)):
            assert network.quantiles(context[rows], 20).tobytes() == whole[rows].tobytes()

    def test_a_stockout_is_missing_and_no_zero(self, chronos):
        past = retail(4, 120)
        in_stock = past.in_stock.copy()
        in_stock[2, 90:110] = 0.0
        sales = past.sales.copy()
        sales[2, 90:110] = 0.0
        got = []
        for values in (sales, np.where(in_stock == 0.0, 3.0, sales)):  # what was sold of an empty shelf tells nothing
            some = panel(values, observed=past.observed, in_stock=in_stock)
            got.append(rules.forecast(chronos, some).source.values)
        np.testing.assert_array_equal(*got)

    def test_short_histories_take_the_ladder(self, chronos):
        past = retail(6, 90)
        observed = past.observed.copy()
        observed[0], observed[2, :-3] = False, False
        some = panel(past.sales, observed=observed)
        demand, fallback = Ladder(chronos).fit(some, seed=7).climb(some, 10, seed=7, n_paths=20)
        assert np.isfinite(demand.paths()).all()
        assert fallback[0] == "chronos→category_profile: no history"
        assert fallback[2].startswith("chronos→")
        assert fallback[5] == ""
        assert not failed(fallback).any()

    def test_the_levels_reach_as_far_as_service_levels_do(self, chronos):
        source = rules.forecast(chronos, retail(8, 200)).source
        assert source.levels[0] == 0.01
        assert source.levels[-1] == 0.995
        assert (np.diff(source.levels) > 0).all()
        assert (np.diff(source.values, axis=2) >= 0).all()
        assert (source.values[:, :, -1] > source.values[:, :, -4]).any()

    def test_it_goes_beyond_the_horizon_of_the_network(self, chronos):
        past = retail(3, 200)
        near, far = (rules.forecast(chronos, past, horizon=h).source.values for h in (16, 40))
        np.testing.assert_array_equal(far[:, :16, 2:-4], near[:, :, 2:-4])
        assert np.isfinite(far).all()

    def test_the_weights_are_told(self, chronos):
        (note,) = chronos.fit(retail(3, 90), seed=7).notes()
        assert chronos.pretrained.sha256[:12] in note

    def test_nothing_is_asked_of_the_network_and_the_environment_is_left_alone(self, weights, monkeypatch):
        import socket

        from stockcast.models.pretrained import network

        def never(*given, **more):
            raise AssertionError("a connection was asked for")

        monkeypatch.setattr(socket, "getaddrinfo", never)
        monkeypatch.setattr(socket.socket, "connect", never)
        monkeypatch.delenv("HF_HUB_OFFLINE", raising=False)
        before = dict(os.environ)
        network._load.cache_clear()
        assert len(network.load(weights(bolt)).levels) == 9
        assert dict(os.environ) == before

    @pytest.mark.parametrize("what", ["samples", "other", "garbage", "half"])
    def test_a_folder_without_such_a_model_is_refused(self, what, weights, tmp_path):
        import shutil

        from stockcast.models.pretrained import network

        path = tmp_path / "weights"
        shutil.copytree(weights(samples if what == "samples" else bolt).path, path)
        if what == "other":
            config = json.loads((path / "config.json").read_text())
            del config["chronos_config"], config["chronos_pipeline_class"]
            (path / "config.json").write_text(json.dumps(config))
        elif what == "garbage":
            (path / "config.json").write_text("[")
        elif what == "half":
            data = (path / "model.safetensors").read_bytes()
            (path / "model.safetensors").write_bytes(data[: len(data) // 2])
        with pytest.raises(UsageError) as error:
            network.load(Pretrained(path, fingerprint(path)))
        assert error.value.code == "SC-M008"
        assert error.value.message.startswith(f"{path}: no network that can be used: ")
