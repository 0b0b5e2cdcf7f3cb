"""What ``import stockcast`` offers: sorted, importable, and light until used."""

import stockcast


def test_the_public_names_are_sorted_and_importable():
    assert list(stockcast.__all__) == sorted(stockcast.__all__)
    assert set(stockcast._HOMES) == set(stockcast.__all__)
    for name in stockcast.__all__:
        thing = getattr(stockcast, name)
        assert thing.__doc__, name
        assert thing.__module__.startswith("stockcast."), name


def test_an_unknown_name_is_an_attribute_error():
    assert not hasattr(stockcast, "no_such_name")
