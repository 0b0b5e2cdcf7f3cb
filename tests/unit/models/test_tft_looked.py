"""What the network looked at is kept in its run as the library's own methods give it, and read back by series."""

import csv
import io

import numpy as np
import pytest
import torch
from made_deep import SMALL, shop

from stockcast.models.tft import Tft, interpret
from stockcast.report.network import OF_ALL, OF_EACH, network_figures, network_of

PAST = shop()


@pytest.fixture(scope="module")
def fitted():
    return Tft(budget=SMALL, interpret=True).fit(PAST, seed=7)


def test_the_files_hold_the_shares_of_each_series_and_their_means(fitted):
    texts, told = fitted.texts(), interpret(fitted, PAST)
    rows = list(csv.DictReader(io.StringIO(texts[OF_EACH])))
    assert [(row["sku"], row["location"]) for row in rows] == list(
        zip(PAST.series.sku.tolist(), PAST.series.location.tolist(), strict=True)
    )
    for at, row in enumerate(rows):
        for kind, names, shares in (
            ("static", told.static_names, told.static),
            ("encoder", told.encoder_names, told.encoder),
            ("decoder", told.decoder_names, told.decoder),
        ):
            kept = [float(row[f"{kind}:{name}"]) for name in names]
            np.testing.assert_allclose(kept, shares[at], atol=5e-5)
        back = told.attention.shape[1]
        kept = [float(row[f"attention:{periods}"]) for periods in range(back, 0, -1)]
        np.testing.assert_allclose(kept, told.attention[at], atol=5e-5)
    whole = {(row["kind"], row["name"]): float(row["share"]) for row in csv.DictReader(io.StringIO(texts[OF_ALL]))}
    assert whole["encoder", "demand"] == pytest.approx(
        told.encoder[:, told.encoder_names.index("demand")].mean(), abs=6e-5
    )
    assert whole["attention", "1"] == pytest.approx(told.attention[:, -1].mean(), abs=6e-5)


def test_nothing_is_kept_unasked_or_of_no_network():
    assert OF_ALL not in Tft(budget=SMALL).fit(PAST, seed=7).texts()
    assert Tft(interpret=True).fit(PAST, seed=7).texts() == {}  # too few windows to learn from


def test_want_of_time_or_room_costs_no_forecast(monkeypatch):
    asked = []

    def fit(last):
        asked.clear()
        return Tft(budget=SMALL, interpret=True, stop=lambda: asked.append(True) or len(asked) == last).fit(
            PAST, seed=7
        )

    assert OF_ALL in fit(last=-1).texts()
    told = fit(last=len(asked))  # it strikes when all is learnt and only the looks are left
    assert told.learnt is not None
    assert OF_ALL not in told.texts()
    assert told.notes() == ("tft: the deadline struck: what the network looked at is not told",)

    def full(*given):
        raise torch.OutOfMemoryError

    monkeypatch.setattr("stockcast.models.tft.model.interpret", full)
    told = Tft(budget=SMALL, interpret=True).fit(PAST, seed=7)
    assert OF_ALL not in told.texts()
    assert any("no room: what the network looked at is not told" in note for note in told.notes())


def test_a_series_is_read_back_and_another_gets_the_means(fitted, tmp_path):
    assert network_of(tmp_path, sku="s0000", location="lyon") is None
    (tmp_path / "models").mkdir()
    for name in (OF_ALL, OF_EACH):
        (tmp_path / "models" / name).write_text(fitted.texts()[name], encoding="utf-8")
    told = interpret(fitted, PAST)
    own = network_of(tmp_path, sku="s0001", location="oslo")
    at = list(zip(PAST.series.sku.tolist(), PAST.series.location.tolist(), strict=True)).index(("s0001", "oslo"))
    assert own.shares["static"]["level"] == pytest.approx(told.static[at, told.static_names.index("level")], abs=6e-5)
    assert own.attention[1] == pytest.approx(told.attention[at, -1], abs=6e-5)
    assert sum(own.attention.values()) == pytest.approx(1.0, abs=0.01)
    assert own.whose == "series"
    mean = network_of(tmp_path, sku="not", location="there")
    assert mean.whose == "others"
    replaced = network_of(tmp_path, sku="s0001", location="oslo", forecast=False)
    assert (replaced.whose, replaced.shares) == ("others", mean.shares)
    assert mean.shares["static"]["level"] == pytest.approx(
        told.static[:, told.static_names.index("level")].mean(), abs=6e-5
    )
    (tmp_path / "models" / OF_EACH).unlink()  # it was too large to be kept
    assert network_of(tmp_path, sku="s0001", location="oslo").whose == "all"


def test_the_picture_names_the_variables(fitted):
    drawn = network_figures(fitted.texts()[OF_ALL])
    assert drawn.count("<svg") == 4
    assert "weekday" in drawn
    assert "code_" not in drawn
    assert not any(f">{name}<" in drawn for name in ("told", "level", "distance", "year sine", "to event"))
    assert drawn.count('class="now"') == 1  # the even share of attention
    assert "the line is an even share (" in drawn
    assert "period back" in drawn or "periods back" in drawn
    assert network_figures("kind,name,share\n") == ""
