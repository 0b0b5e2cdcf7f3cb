"""Minimum-trace reconciliation against the dense formula of the paper; shrinkage against a loop; coherence."""

import numpy as np
import pytest

from stockcast.core.random import Stream
from stockcast.demand import Reconciled, RecordedPaths, Scaled
from stockcast.evaluation.trace import finest, gains, multipliers, proportions, shrunk

STREAM = Stream(7, "paths")


def hierarchy(seed, n=11, kinds=3, places=2):
    """Who belongs to which node: cross, kind, total, place; some series without a kind."""
    draw = np.random.default_rng(seed)
    kind, place = draw.integers(-1, kinds, n), draw.integers(0, places, n)
    cross = np.where(kind >= 0, kind * places + place, -1)
    raw = np.stack([cross, np.where(kind >= 0, kind + 100, -1), np.full(n, 200), place + 300], axis=1)
    nodes = np.unique(raw[raw >= 0])
    member = np.where(raw >= 0, np.searchsorted(nodes, raw), -1)
    sums = np.array([(member == node).any(axis=1) for node in range(len(nodes))]).astype(float)
    return draw, member, sums


def textbook(sums, covariance, nodes, series):
    """S (S' W⁻¹ S)⁻¹ S' W⁻¹ ŷ (Wickramasuriya, Athanasopoulos & Hyndman 2019, eq. 9)."""
    s = np.concatenate([sums, np.eye(sums.shape[1])])
    inverse = np.linalg.inv(covariance)
    flat = np.concatenate([nodes, series])
    return s @ np.linalg.solve(s.T @ inverse @ s, s.T @ inverse @ flat.reshape(len(flat), -1)).reshape(
        s.shape[1], *flat.shape[1:]
    ).reshape(s.shape[1], -1)


@pytest.mark.parametrize("seed", range(6))
def test_the_diagonal_form_is_the_formula_of_the_paper_path_by_path_and_in_the_mean(seed):
    draw, member, sums = hierarchy(seed)
    series, nodes = draw.gamma(2.0, 30.0, (11, 5, 3)), draw.gamma(2.0, 90.0, (len(sums), 5, 3))
    below, above = draw.gamma(1.0, 2.0, (11, 3)), draw.gamma(1.0, 9.0, (len(sums), 3))
    gap = nodes - np.einsum("ni,iph->nph", sums, series)
    shift = multipliers(member, above, below, gap)
    source = Reconciled(
        RecordedPaths(series), member, (member >= 0).astype(float), below, shift, np.full(11, np.inf)
    )  # fmt: skip
    moved = series + source.moved(np.arange(11), 5, 3)
    for h in range(3):
        w = np.diag(np.concatenate([above[:, h], below[:, h]]))
        told = textbook(sums, w, nodes[:, :, h], series[:, :, h])
        np.testing.assert_allclose(moved[:, :, h], told[len(sums) :], rtol=1e-9, atol=1e-9)
        # coherence: the sums of the series are the reconciled nodes
        np.testing.assert_allclose(
            sums @ moved[:, :, h], nodes[:, :, h] - above[:, h, None] * shift[:, :, h], atol=1e-9 * 1e3
        )
        mean = textbook(sums, w, nodes[:, :, h].mean(axis=1)[:, None], series[:, :, h].mean(axis=1)[:, None])
        np.testing.assert_allclose(moved[:, :, h].mean(axis=1), mean[len(sums) :, 0], rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("seed", range(6))
def test_the_full_form_is_the_formula_of_the_paper(seed):
    draw, member, sums = hierarchy(seed)
    m = 11 + len(sums)
    covariance = np.cov(draw.normal(size=(m, 3 * m)) * draw.gamma(2.0, 2.0, (m, 1)))
    series, nodes = draw.gamma(2.0, 30.0, (11, 4, 2)), draw.gamma(2.0, 90.0, (len(sums), 4, 2))
    gain, shift = gains(member, covariance, nodes - np.einsum("ni,iph->nph", sums, series))
    every = np.tile(np.arange(len(sums)), (11, 1))
    source = Reconciled(RecordedPaths(series), every, gain, np.ones((11, 2)), shift, np.full(11, np.inf))
    moved = series + source.moved(np.arange(11), 4, 2)
    for h in range(2):
        told = textbook(sums, covariance, nodes[:, :, h], series[:, :, h])
        np.testing.assert_allclose(moved[:, :, h], told[len(sums) :], rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize("seed", range(3))
def test_a_diagonal_covariance_gives_both_forms_the_same(seed):
    draw, member, sums = hierarchy(seed)
    gap = draw.normal(size=(len(sums), 4, 1))
    below, above = draw.gamma(1.0, 2.0, (11, 1)), draw.gamma(1.0, 9.0, (len(sums), 1))
    gain, full = gains(member, np.diag(np.concatenate([above, below])[:, 0]), gap)
    shift = multipliers(member, above, below, gap)
    np.testing.assert_allclose(full, shift, rtol=1e-7, atol=1e-9)
    np.testing.assert_allclose(gain, below * sums.T, rtol=1e-12)


def test_what_agrees_already_is_left_as_it_is():
    draw, member, sums = hierarchy(1)
    series = draw.gamma(2.0, 3.0, (11, 4, 2))
    gap = np.einsum("ni,iph->nph", sums, series) - np.einsum("ni,iph->nph", sums, series)
    assert (multipliers(member, np.ones((len(sums), 2)), np.ones((11, 2)), gap) == 0).all()


def test_unbiased_forecasts_stay_unbiased():
    draw, member, sums = hierarchy(2)
    truth = draw.gamma(2.0, 30.0, 11)
    series = truth[:, None, None] + draw.normal(0, 3, (11, 40_000, 1))
    nodes = (sums @ truth)[:, None, None] + draw.normal(0, 5, (len(sums), 40_000, 1))
    below, above = np.full((11, 1), 9.0), np.full((len(sums), 1), 25.0)
    shift = multipliers(member, above, below, nodes - np.einsum("ni,iph->nph", sums, series))
    source = Reconciled(RecordedPaths(series), member, (member >= 0) * 1.0, below, shift, np.full(11, np.inf))
    moved = series + source.moved(np.arange(11), 40_000, 1)
    np.testing.assert_allclose(moved.mean(axis=(1, 2)), truth, atol=0.08)
    # and surer than before: what minimum trace is for
    assert (moved.var(axis=1) < series.var(axis=1)).all()


def test_a_node_and_members_that_are_certain_raise_nothing():
    _, member, sums = hierarchy(3)
    gap = np.ones((len(sums), 2, 1))
    assert np.isfinite(multipliers(member, np.zeros((len(sums), 1)), np.zeros((11, 1)), gap)).all()


def test_the_permuted_series_are_moved_alike():
    draw, member, sums = hierarchy(4)
    order = draw.permutation(11)
    gap, below = draw.normal(size=(len(sums), 3, 1)), draw.gamma(1.0, 2.0, (11, 1))
    above = np.ones((len(sums), 1))
    np.testing.assert_allclose(
        multipliers(member[order], above, below[order], gap), multipliers(member, above, below, gap), rtol=1e-9
    )


def test_the_shrunk_covariance_is_that_of_a_loop():
    draw = np.random.default_rng(5)
    errors = draw.normal(size=(6, 40)) + draw.normal(size=40)
    errors -= errors.mean(axis=1, keepdims=True)
    errors *= draw.gamma(2.0, 2.0, (6, 1))
    n = 40
    sd = np.sqrt((errors**2).mean(axis=1))
    above = below = 0.0
    r = np.eye(6)
    for i in range(6):
        for j in range(6):
            if i != j:
                w = errors[i] * errors[j] / sd[i] / sd[j]
                r[i, j] = w.mean()
                above += ((w - w.mean()) ** 2).sum() / (n * (n - 1))
                below += r[i, j] ** 2
    intensity = min(1.0, above / below)
    assert 0.0 < intensity < 1.0
    expected = np.where(np.eye(6) > 0, r, (1 - intensity) * r) * np.outer(sd, sd)
    np.testing.assert_allclose(shrunk(errors), expected, rtol=1e-10)


def test_errors_with_holes_give_a_covariance_that_can_be_inverted():
    draw = np.random.default_rng(6)
    errors = np.where(draw.random((30, 20)) < 0.3, np.nan, draw.normal(size=(30, 20)))
    assert np.linalg.eigvalsh(shrunk(errors)).min() > 0


def test_independent_errors_are_shrunk_to_the_diagonal():
    errors = np.random.default_rng(7).normal(size=(40, 30))
    made = shrunk(errors)
    off = made[~np.eye(40, dtype=bool)]
    assert np.abs(off).max() < 0.1


def test_top_down_shares_out_what_the_top_is_to_sell():
    draw, member, sums = hierarchy(8)
    chain = (2, 1, 0)  # total, kind, kind × place
    series, nodes = draw.gamma(2.0, 3.0, (11, 5, 3)), draw.gamma(2.0, 9.0, (len(sums), 5, 3))
    owner = finest(member, chain)
    direct = np.array([series[owner == node].sum(axis=0) for node in range(len(sums))])
    factor = proportions(member, chain, nodes, direct)
    source = Scaled(RecordedPaths(series), owner, factor, np.full(11, np.inf))
    moved = source.draw(np.arange(11), np.arange(11, dtype=np.uint64), STREAM, 5, 3)
    total = member[0, 2]
    np.testing.assert_allclose(moved.sum(axis=0), nodes[total], rtol=1e-12)
    # the series of one node keep their proportions
    for node in np.unique(owner):
        rows = np.flatnonzero(owner == node)
        np.testing.assert_allclose(
            moved[rows] / series[rows], np.broadcast_to(factor[node], moved[rows].shape), rtol=1e-12
        )
    # the kinds share the total in proportion to their own forecasts
    kinds = np.unique(member[member[:, 1] >= 0, 1])
    got = np.array([moved[member[:, 1] == kind].sum(axis=0) for kind in kinds])
    np.testing.assert_allclose(got / got.sum(axis=0), nodes[kinds] / nodes[kinds].sum(axis=0), rtol=1e-12)


def test_where_the_parts_sell_nothing_there_are_no_proportions():
    member = np.zeros((2, 1), dtype=np.int64)
    factor = proportions(member, (0,), np.full((1, 1, 2), 6.0), np.array([[[0.0, 3.0]]]))
    assert factor.tolist() == [[[1.0, 2.0]]]
