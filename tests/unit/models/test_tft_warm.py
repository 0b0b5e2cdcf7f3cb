"""What speaks against going on from an earlier network: it has seen what is to come, or does not know what is read."""

from dataclasses import replace
from functools import cache

import numpy as np
import pytest
from made_deep import SMALL, shop

from stockcast.models.tft import FittedTft, Tft
from stockcast.models.tft.warm import earlier
from stockcast.panel import Attributes

PAST = shop(9, 260)


@cache
def learnt():
    return Tft(budget=SMALL).fit(PAST, seed=7)


def test_weights_that_have_seen_what_is_to_come_are_refused(tmp_path):
    learnt().write(tmp_path)
    assert FittedTft.read(tmp_path).learnt.as_of == str(PAST.origin)
    past = PAST.until(PAST.time.n - 1)
    anew = Tft(budget=SMALL, warm_start=tmp_path).fit(past, seed=7)
    assert anew.notes() == (
        f"tft: the network was learnt anew: the earlier weights have seen {PAST.origin}, after {past.origin}",
    )
    assert anew.learnt.nights == 0


def test_a_network_that_is_not_there_is_told_without_the_words_of_the_system(tmp_path):
    _, notes = earlier(tmp_path / "none", PAST, np.arange(9), None)
    assert notes == ("the network was learnt anew: rest.json of the network is not there",)
    learnt().write(tmp_path)
    next(tmp_path.glob("weights-*")).unlink()
    _, notes = earlier(tmp_path, PAST, np.arange(9), None)
    assert notes[0].endswith(".safetensors of the network is not there")


@pytest.mark.parametrize(("renamed", "anew"), [(9, True), (5, True), (3, False), (0, False)])
def test_values_of_attributes_that_earlier_weights_do_not_know_are_told(renamed, anew):
    texts = PAST.attributes.column("category").astype(object)
    texts[:renamed] = [f"new {text}" for text in texts[:renamed]]
    columns = {name: PAST.attributes.column(name) for name in PAST.attributes.columns}
    other = replace(PAST, attributes=Attributes(PAST.series, columns | {"category": texts.astype(np.str_)}))
    found, notes = earlier(learnt(), other, np.arange(9), None)
    words = f"of category the earlier weights do not know the values of {renamed} of 9 series"
    assert (found is None) == anew
    assert notes == ((f"the network was learnt anew: {words}" if anew else words,) if renamed else ())
