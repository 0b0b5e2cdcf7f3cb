import numpy as np
import pytest

from stockcast.core.axes import SeriesAxis, TimeAxis
from stockcast.core.errors import UsageError
from stockcast.models.uncensor import filled
from stockcast.panel import Attributes, KnownFuture, Panel, aggregation
from stockcast.panel.aggregation import aggregate, nodes_of, sets

ITEMS, PLACES = ("a", "b", "c", "d"), ("x", "y")
KIND = {"a": "food", "b": "food", "c": "toys", "d": ""}


def shop(sales=None, *, observed=None, in_stock=None, items=ITEMS, time=40, **columns):
    axis, _ = SeriesAxis.of(np.repeat(items, len(PLACES)), np.tile(PLACES, len(items)))
    n = len(axis)
    sales = np.random.default_rng(1).poisson(3.0, (n, time)).astype(float) if sales is None else sales
    observed = np.ones(sales.shape, dtype=bool) if observed is None else observed
    in_stock = np.ones(sales.shape) if in_stock is None else in_stock
    when, nothing = TimeAxis(np.datetime64("2026-01-01"), sales.shape[1], "day"), np.full(sales.shape, np.nan)
    columns = {"category": np.array([KIND[sku] for sku in axis.sku])} | columns
    known = KnownFuture(when, nothing, nothing, sales.shape[1])
    return Panel(axis, when, np.where(observed, sales, 0.0), observed, in_stock, known, Attributes(axis, columns))


def members(panel, nodes):
    return {
        str(nodes.series.sku[node]): sorted(
            f"{panel.series.sku[row]}{panel.series.location[row]}"
            for row in np.flatnonzero((nodes.member == node).any(axis=1))
        )
        for node in range(len(nodes))
    }


def test_the_levels_are_the_prefixes_and_the_single_columns():
    assert sets(["a", "b", "c"]) == [("a", "b", "c"), ("a", "b"), ("a",), (), ("b",), ("c",)]


def test_the_nodes_and_who_belongs_to_them():
    panel = shop()
    nodes = nodes_of(panel, ["category", "location"])
    assert members(panel, nodes) == {
        "category=food|location=x": ["ax", "bx"],
        "category=food|location=y": ["ay", "by"],
        "category=food": ["ax", "ay", "bx", "by"],
        "category=toys": ["cx", "cy"],  # at each location one series only: no node
        "location=x": ["ax", "bx", "cx", "dx"],  # d has no category: it belongs to no node of that level
        "location=y": ["ay", "by", "cy", "dy"],
        "total": ["ax", "ay", "bx", "by", "cx", "cy", "dx", "dy"],
    }
    assert nodes.levels == ("category|location", "category", "total", "location")
    assert [nodes.levels[at] for at in nodes.chain] == ["total", "category", "category|location"]
    assert nodes.series.location[nodes.series.sku == "total"].tolist() == ["total"]


def test_a_node_with_the_members_of_another_is_left_out():
    panel = shop(items=("a", "b"))
    names = members(panel, nodes_of(panel, ["category", "location"]))
    assert set(names) == {"category=food|location=x", "category=food|location=y", "category=food"}


def test_a_hierarchy_of_series_has_only_what_is_above_them():
    panel = shop()
    nodes = nodes_of(panel, ["sku", "location"])
    assert set(members(panel, nodes)) == {"sku=a", "sku=b", "sku=c", "sku=d", "location=x", "location=y", "total"}


def test_no_two_series_no_nodes():
    panel = shop().take(np.array([0]))
    nodes = nodes_of(panel, ["category", "location"])
    assert len(nodes) == 0
    assert nodes.member.shape == (1, 0)


def test_a_bar_in_a_value_does_not_make_two_nodes_one():
    panel = shop(
        p=np.array(["1|q=2", "1", "1|q=2", "1", "z", "z", "z", "z"]), q=np.array(["3", "2|q=3"] * 2 + [""] * 4)
    )
    nodes = nodes_of(panel, ["p", "q"])
    assert len(set(nodes.series.sku.tolist())) == len(nodes)


def test_an_unknown_column_is_told_with_the_nearest():
    with pytest.raises(UsageError, match="did you mean category") as refused:
        nodes_of(shop(), ["categorie", "location"])
    assert refused.value.code == "SC-M020"
    assert "category, location, sku" in refused.value.details[0]


def test_a_node_sells_what_its_members_sell():
    panel = shop()
    nodes = nodes_of(panel, ["category", "location"])
    whole = aggregate(panel, nodes, filled)
    for node in range(len(nodes)):
        rows = np.flatnonzero((nodes.member == node).any(axis=1))
        np.testing.assert_array_equal(whole.sales[node], panel.sales[rows].sum(axis=0))
    assert whole.observed.all()


def test_a_stockout_is_filled_and_most_of_a_node_must_have_been_told():
    sales = np.tile([[10.0], [1.0], [1.0], [1.0]], (2, 40))
    in_stock = np.ones((8, 40))
    in_stock[2:4, 30] = 0.0  # two small sellers of "food" are out: the node is told all the same
    in_stock[0, 35] = 0.0  # the large one of location x is: it is not
    sales = np.where(in_stock < 1, 0.0, sales)
    panel = shop(sales, in_stock=in_stock)
    nodes = nodes_of(panel, ["category", "location"])
    whole = aggregate(panel, nodes, filled)
    food_x = nodes.series.sku.tolist().index("category=food|location=x")
    total = nodes.series.sku.tolist().index("total")
    assert whole.sales[total, 30] == pytest.approx(26.0)
    assert whole.observed[:, 30].all()
    assert whole.sales[food_x, 29] == pytest.approx(11.0)
    assert not whole.observed[food_x, 35]
    assert whole.observed[total, 35]
    assert whole.sales[total, 35] == pytest.approx(26.0)


def test_before_its_first_record_a_series_adds_nothing():
    observed = np.ones((8, 40), dtype=bool)
    observed[0, :20] = False
    sales = np.full((8, 40), 2.0)
    panel = shop(sales, observed=observed)
    nodes = nodes_of(panel, ["category", "location"])
    whole = aggregate(panel, nodes, filled)
    total = nodes.series.sku.tolist().index("total")
    assert whole.sales[total, [0, 19, 20]].tolist() == [14.0, 14.0, 16.0]
    assert whole.observed[total].all()


def test_the_size_of_the_chunks_changes_no_byte(monkeypatch):
    sales = np.random.default_rng(2).random((8, 40)) * 3
    panel = shop(sales, in_stock=np.where(np.random.default_rng(3).random((8, 40)) < 0.2, 0.5, 1.0))
    nodes = nodes_of(panel, ["category", "location"])
    whole = aggregate(panel, nodes, filled)
    monkeypatch.setattr(aggregation, "CHUNK", 3)
    assert aggregate(panel, nodes, filled).sales.tobytes() == whole.sales.tobytes()


def test_nothing_after_the_origin_fills_a_hole():
    sales = np.random.default_rng(2).random((8, 40)) * 3
    in_stock = np.where(np.random.default_rng(3).random((8, 40)) < 0.2, 0.5, 1.0)
    whole = filled(shop(sales, in_stock=in_stock)).values[:, :30]
    later = np.concatenate([sales[:, :30], sales[:, 30:] * 100], axis=1)
    assert filled(shop(later, in_stock=in_stock)).values[:, :30].tobytes() == whole.tobytes()
