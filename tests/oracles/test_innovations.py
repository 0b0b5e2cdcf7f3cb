"""The paths of a state-space source against a plain loop over one path, for every kind of form."""

import numpy as np
import pytest

from stockcast.core.random import Stream
from stockcast.demand.innovations import FLOOR
from stockcast.models.states import innovations

H, PATHS, POOL = 40, 6, 50
KEYS = np.array([11, 12], dtype=np.uint64)
STREAM = Stream(7, "paths")


def made(kind):
    draw = np.random.default_rng(3)
    ratio, relative = kind == "ratio", kind in ("ratio", "relative")
    season = draw.normal(0, 0.1, (2, 7)) + (1.0 if ratio else 0.0)
    given = {"level": np.array([10.0, 30.0]), "trend": np.array([0.1, -0.2]), "damping": np.array([0.9, 1.0])}
    given |= {"alpha": np.array([0.2, 0.05]), "beta": np.array([0.02, -0.01]), "gamma": np.array([0.1, 0.0])}
    given |= {"season": season, "errors": draw.normal(0, 0.2 if relative else 2.0, (2, POOL))}
    if kind == "slow":
        given |= {"slow": draw.normal(0, 2.0, (2, 52)), "slow_day": np.array([2, 6]), "omega": np.array([0.1, 0.0])}
    return innovations(
        2, **given, n_errors=np.array([POOL, 20]), cap=np.array([25.0, 90.0]),
        ratio=np.full(2, ratio), relative=np.full(2, relative),
    )  # fmt: skip


def plain(source, row, path):
    u = STREAM.uniform(KEYS[row : row + 1], (1, H, PATHS), single=True)[0, 0, :, path]
    s = {name: getattr(source, name)[row] for name in source.__dataclass_fields__}
    l, b, season, slow = s["level"], s["trend"], list(s["season"]), list(s["slow"])  # noqa: E741
    floor, owed, out = FLOOR * abs(s["level"]), 0.0, []
    for t in range(H):
        e = s["errors"][int(u[t] * np.nextafter(np.float32(s["n_errors"]), np.float32(0)))]
        b = s["damping"] * b
        l = l + b  # noqa: E741
        place, week = season[t % 7], (s["slow_day"] + t) // 7 % len(slow)
        mu = (l * place if s["ratio"] else l + place) + slow[week]
        e = e * max(mu, 0.0) if s["relative"] else e
        y = mu + e + owed
        owed, y = min(y, 0.0), max(y, 0.0)
        out.append(min(y, s["cap"]))
        moved = e / max(place, FLOOR) if s["ratio"] else e
        season[t % 7] += s["gamma"] * (e / max(l, floor) if s["ratio"] else e)
        l = l + s["alpha"] * moved  # noqa: E741
        b = b + s["beta"] * moved
        slow[week] += s["omega"] * e
    return np.array(out)


@pytest.mark.parametrize("kind", ["additive", "relative", "ratio", "slow"])
def test_paths_follow_the_equations(kind):
    source = made(kind)
    paths = source.draw(np.array([0, 1]), KEYS, STREAM, PATHS, H)
    for row in range(2):
        for path in range(PATHS):
            np.testing.assert_allclose(paths[row, path], plain(source, row, path), rtol=1e-9, atol=1e-12)
    assert (paths[0] == 25.0).any() or paths[0].max() < 25.0


def test_series_of_different_kinds_share_a_block_without_touching_each_other():
    parts = [made(kind).take(np.array([0])) for kind in ("additive", "relative", "ratio", "slow")]
    joined = innovations(
        4,
        **{
            name: np.concatenate([np.resize(getattr(p, name), (1, *shape)) for p in parts])
            for name in parts[0].__dataclass_fields__
            for shape in [max(getattr(p, name).shape[1:] for p in parts)]
        },
    )
    keys = np.full(4, KEYS[0])
    together = joined.draw(np.arange(4), keys, STREAM, PATHS, H)
    for at, part in enumerate(parts):
        assert together[at].tobytes() == part.draw(np.array([0]), keys[:1], STREAM, PATHS, H)[0].tobytes()


def test_no_path_exceeds_the_bound():
    for kind in ("additive", "slow", "relative"):
        source = made(kind)
        free = innovations(2, **{n: getattr(source, n) for n in source.__dataclass_fields__ if n != "cap"})
        paths = free.draw(np.array([0, 1]), KEYS, STREAM, 200, H)
        assert (paths.max(axis=(1, 2)) <= source.bound(H)).all()
    assert np.isinf(made("ratio").bound(H)).all()
