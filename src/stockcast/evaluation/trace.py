"""The algebra of reconciliation: minimum trace in its constraint form, a shrunk covariance, top-down proportions.

Written for the nodes a and the series b below them, a = A b where A says who belongs to what. ``gap`` is C ŷ = â − A b̂.
"""

import numpy as np
from jaxtyping import Float, Int

Gap = Float[np.ndarray, "node path horizon"]
FLOOR = 1e-6  # of the variance of its members' sum: no node is taken for certain
RIDGE = 1e-10  # on a unit diagonal, for a covariance without full rank


def multipliers(
    member: Int[np.ndarray, "series level"],
    above: Float[np.ndarray, "node horizon"],
    below: Float[np.ndarray, "series horizon"],
    gap: Gap,
) -> Gap:
    """Give λ = (C W C')⁻¹ C ŷ for a diagonal W, which is another one in each period.

    C W C' = W_a + A W_b A'. Two nodes meet in it only where they share series, so it is sparse; the finest nodes,
    which share none with each other, are eliminated first and cost next to nothing.

    Parameters
    ----------
    above, below
        The variances of the nodes' and of the series' base forecasts. Where neither a node nor any of its members has
        one, its λ is no correction, for λ is multiplied by the members' variances.
    """
    from scipy.sparse import csc_array, csr_array, diags_array
    from scipy.sparse.linalg import splu

    rows, columns = np.nonzero(member >= 0)
    shape = (len(above), len(member))
    summing = csr_array((np.ones(len(rows)), (member[rows, columns], rows)), shape=shape)
    out = np.empty_like(gap)
    for h in range(gap.shape[2]):
        held = summing @ diags_array(below[:, h]) @ summing.T
        spread = held.diagonal()
        mine = np.maximum(above[:, h], FLOOR * spread)
        diagonal = mine + spread
        # divided by the square roots of its diagonal, so that large groups do not drown small ones
        root = np.sqrt(np.where(diagonal > 0, diagonal, 1.0))
        system = held + diags_array(np.where(diagonal > 0, mine, 1.0))
        scaled = csc_array(diags_array(1.0 / root) @ system @ diags_array(1.0 / root))
        solve = splu(scaled, permc_spec="MMD_AT_PLUS_A", diag_pivot_thresh=0.0, options={"SymmetricMode": True})
        out[:, :, h] = solve.solve(np.ascontiguousarray(gap[:, :, h] / root[:, None])) / root[:, None]
    return out


def shrunk(errors: Float[np.ndarray, "row time"]) -> Float[np.ndarray, "row row"]:
    """Give the covariance of centred errors (NaN where there is none), its correlations shrunk towards 0.

    The intensity is that of Schäfer & Strimmer (2005): Σ Var(r_ij) / Σ r_ij² over all pairs, between 0 and 1. Pairs
    are told by the periods that both have; a correlation is taken over the geometric mean of the two counts, which
    keeps the matrix positive semidefinite.

    Examples
    --------
    >>> shrunk(np.array([[1.0, -1.0, 1.0, -1.0], [2.0, -2.0, 2.0, -2.0]])).round(6).tolist()
    [[1.0, 2.0], [2.0, 4.0]]
    """
    told = np.isfinite(errors)
    some = told.any(axis=0)
    told, values = told[:, some].astype(float), np.where(told, errors, 0.0)[:, some]
    count = told.sum(axis=1)
    sd = np.sqrt((values**2).sum(axis=1) / np.maximum(count, 1))
    z = np.divide(values, sd[:, None], out=np.zeros_like(values), where=sd[:, None] > 0)
    product, both = z @ z.T, told @ told.T
    r = product / np.sqrt(np.maximum(np.outer(count, count), 1.0))
    squares = (z**2) @ (z**2).T
    noise = np.maximum(squares - product**2 / np.maximum(both, 1.0), 0.0) / np.maximum(both * (both - 1.0), 1.0)
    off = ~np.eye(len(r), dtype=bool)
    total = float((r[off] ** 2).sum())
    intensity = float(np.clip(noise[off].sum() / total, 0.0, 1.0)) if total > 0 else 1.0
    out = (1.0 - intensity) * r
    np.fill_diagonal(out, 1.0)
    return np.asarray(out * np.outer(sd, sd))


def gains(
    member: Int[np.ndarray, "series level"], covariance: Float[np.ndarray, "row row"], gap: Gap
) -> tuple[Float[np.ndarray, "series node"], Gap]:
    """Give G and λ for a full W of nodes and series (in that order): the series are moved by G λ.

    With W in blocks, C W C' = W_aa − A W_ba − W_ab A' + A W_bb A', and G = W_bb A' − W_ba.
    """
    nodes = len(gap)
    summing = np.zeros((nodes, len(member)))
    rows, columns = np.nonzero(member >= 0)
    summing[member[rows, columns], rows] = 1.0
    aa, ab, bb = covariance[:nodes, :nodes], covariance[:nodes, nodes:], covariance[nodes:, nodes:]
    gain = bb @ summing.T - ab.T
    system = aa - summing @ ab.T - ab @ summing.T + summing @ bb @ summing.T
    diagonal = np.diag(system)
    root = np.sqrt(np.where(diagonal > 0, diagonal, 1.0))
    scaled = system / np.outer(root, root)
    np.fill_diagonal(scaled, 1.0 + RIDGE)
    flat = gap.reshape(nodes, -1) / root[:, None]
    return gain, (np.linalg.solve(scaled, flat) / root[:, None]).reshape(gap.shape)


def proportions(
    member: Int[np.ndarray, "series level"],
    chain: tuple[int, ...],
    paths: Gap,
    direct: Gap,
) -> Gap:
    """Give the factor of each node of a chain: what it is to sell over the sum of the forecasts right below it.

    From the top down, each node shares out what it was given in proportion to the forecasts of its parts, which are
    the nodes right below it and the series that belong to none of these. Where these parts are 0 on a path there are
    no proportions, and the factor is 1.

    Parameters
    ----------
    chain
        The columns of ``member`` that lie one within the other, the coarsest first.
    direct
        The sums over the series for which a node is the finest of the chain.
    """
    out = np.ones_like(paths)
    given, parts = paths.copy(), direct.copy()
    parent = np.full(len(paths), -1)
    for at, column in enumerate(chain):
        inside = np.flatnonzero(member[:, column] >= 0)
        for coarser in chain[:at]:
            has = inside[member[inside, coarser] >= 0]
            parent[member[has, column]] = member[has, coarser]
    held = np.flatnonzero(parent >= 0)
    for node in held.tolist():
        parts[parent[node]] += paths[node]
    for column in chain:
        for node in np.unique(member[member[:, column] >= 0, column]).tolist():
            if parent[node] >= 0:
                given[node] = paths[node] * out[parent[node]]
            np.divide(given[node], parts[node], out=out[node], where=parts[node] > 0)
    return out


def finest(member: Int[np.ndarray, "series level"], chain: tuple[int, ...]) -> Int[np.ndarray, " series"]:
    """Give the finest node of the chain that each series belongs to, −1 for none."""
    out = np.full(len(member), -1)
    for column in chain:
        out = np.where(member[:, column] >= 0, member[:, column], out)
    return out
