"""What the network looked at, in a planner's words: nothing stands out where nothing does."""

import pytest

from stockcast.models.ladder import STAND_INS
from stockcast.report.why_network import WORDS, in_words, network_sentences, stood_in, variable

SHARES = {
    "static": {"level": 0.9, "code_category": 0.1},
    "encoder": {"told": 0.62, "year_sine": 0.2, "year_cosine": 0.18},
}


def test_nearly_even_attention_is_told_as_such():
    attention = dict(zip(range(1, 57), [0.015, 0.021, *[0.0178] * 54], strict=True))
    said = network_sentences(SHARES, attention, "day")[1]
    assert said == "It attended to the last 56 days nearly evenly (1.5% to 2.1% each, an even share is 1.8%)."
    peaked = attention | {7: 0.09, 1: 0.05}
    said = network_sentences(SHARES, peaked, "day")[1]
    assert (
        said
        == "It attended most to 7 days back (9.0%), the last day (5.0%), 2 days back (2.1%); an even share is 1.8%."
    )


def test_variables_are_told_in_plain_words():
    (said,) = network_sentences(SHARES, {}, "day")
    assert said == (
        "The network tft drew on, of the item how much it sells 90%, category 10%; of the past whether it was in stock "
        "62%, time of the year 38%."
    )
    assert "on average over all its series" in network_sentences(SHARES, {}, "day", of_all=True)[0]
    assert sum(in_words(SHARES["encoder"]).values()) == pytest.approx(1.0)


def test_every_variable_of_the_network_has_words():
    from stockcast.features.static import Codes
    from stockcast.models.tft.recipe import Recipe

    recipe = Recipe(
        "day", 56, 28, Codes((), ()), ("sale",), True, ("year_ago", "price_to_mean", "promotion"), (True,) * 3
    )
    assert {*recipe.reals, *recipe.varying} <= set(WORDS)
    assert "_" not in "".join(WORDS.values())
    assert variable("code_region") == "region"


@pytest.mark.parametrize("rung", STAND_INS)
def test_what_stands_in_is_seen(rung):
    assert stood_in(f"ets→fading: x; tft→{rung}: y", "tft")
    assert not stood_in(f"ets→{rung}: y", "tft")
