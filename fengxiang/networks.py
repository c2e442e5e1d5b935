"""Co-occurrence as a network: which ties are drawn, which nodes form a group, and where each node stands.

Groups and places depend on the ties alone, not on the order of rows, the hash seed or the run. What co-occurrence
is stands in `measures.CO_OCCURRENCE`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from .measures import SEED, pair_columns

if TYPE_CHECKING:
    import networkx as nx

Q_DRAWN = 0.05
"""A tie is drawn when the pair is supported, closer than chance, and its q is at most this."""

CLOSEST, FARTHEST = 0.15, 1.6
"""Distances in the layout of two nodes that are only together (NPMI 1), and of two never together (NPMI −1)."""


def cooccurrence_graph(pairs: pd.DataFrame, counts: pd.Series | None = None, q: float = Q_DRAWN,
                       weight: str = "npmi") -> nx.Graph:
    """The network of one slice.

    Args:
        pairs: one year and region of `measures.cooccurrence`.
        counts: statements by node, for the nodes' `n`; nodes without a tie are in the network only when they are
            here. When not given, n_a and n_b of the pairs.
        q: ties beyond it are left out.
        weight: the column that becomes the ties' `weight`.

    Returns:
        an undirected networkx graph without loops: nodes sorted by name with `n`, edges sorted with `weight`,
        `n_both`, `expected`, `npmi`.

    Raises:
        ValueError: a pair stands twice: more than one slice was given.
    """
    import networkx as nx

    a, b = pair_columns(pairs)
    if pairs.duplicated([a, b]).any():
        raise ValueError("one slice at a time: a pair stands twice")
    if counts is None:
        ends = [pairs.set_index(a)["n_a"], pairs.set_index(b)["n_b"]]
        counts = pd.concat(ends).groupby(level=0).max() if len(pairs) else pd.Series(dtype="int64")
    drawn = pairs[pairs["supported"] & (pairs["npmi"] > 0) & (pairs["q_more"] <= q)].sort_values([a, b])
    graph = nx.Graph()
    graph.add_nodes_from((str(name), {"n": int(n)}) for name, n in counts.sort_index().items())
    for row in drawn[[a, b, weight, "n_both", "expected", "npmi"]].itertuples(index=False):
        first, second, size, n_both, expected, npmi = row
        graph.add_edge(first, second, weight=round(float(size), 12), n_both=int(n_both), expected=float(expected),
                       npmi=float(npmi))
    return graph


def consensus_communities(graph: nx.Graph, runs: int = 50, resolution: float = 1.0, threshold: float = 0.5,
                          seed: int = SEED) -> pd.DataFrame:
    """Groups of nodes on which many runs of community detection agree.

    Louvain is run with `runs` seeds; two nodes are tied by the share of runs that put them together, ties under
    `threshold` are dropped, and this is repeated on the ties until every run says the same.

    Args:
        graph: undirected, with `weight` on its edges.
        runs, resolution: of Louvain; a higher resolution gives smaller groups.
        threshold: see above.
        seed: the first of the seeds.

    Returns:
        node, community (from 1, the largest first, ties by the first name; 0 for a node without ties), stability
        (the mean share of the first runs that put the node with the others of its group; NaN alone), by node.

    Source: Lancichinetti and Fortunato (2012), Scientific Reports 2, 336, on the method of Blondel et al. (2008),
    Journal of Statistical Mechanics P10008.
    """
    names = sorted(node for node, degree in graph.degree() if degree)
    place = {name: i for i, name in enumerate(names)}
    ties = np.zeros((len(names), len(names)))
    for first, second, data in graph.edges(data=True):
        i, j = place[first], place[second]
        ties[i, j] = ties[j, i] = data["weight"]
    together = first_runs = _share_together(ties, runs, resolution, seed)
    for _ in range(20):
        if np.isin(together, (0, 1)).all():
            break
        together = _share_together(np.where(together >= threshold, together, 0), runs, resolution, seed)
    groups: dict[int, list[int]] = {}
    for i, row in enumerate(together):
        # Where the runs never agree wholly, a node goes with the first it is mostly with.
        groups.setdefault(int(np.argmax((row >= threshold) | (np.arange(len(row)) == i))), []).append(i)
    ordered = sorted(groups.values(), key=lambda members: (-len(members), members[0]))
    rows = [(str(name), 0, np.nan) for name in sorted(set(graph) - set(names))]
    for number, members in enumerate(ordered, 1):
        for i in members:
            others = [j for j in members if j != i]
            rows.append((names[i], number, float(first_runs[i, others].mean()) if others else np.nan))
    return pd.DataFrame(sorted(rows), columns=["node", "community", "stability"])


def groups(communities: pd.DataFrame) -> pd.DataFrame:
    """The groups of `consensus_communities`, the largest first: community, nodes (list of names), stability (of the
    node of the group that runs agree on least). Nodes without ties are in none."""
    tied = communities[communities["community"] > 0]
    found = tied.groupby("community").agg(nodes=("node", list), stability=("stability", "min"))
    return found.reset_index()


def _share_together(ties: np.ndarray, runs: int, resolution: float, seed: int) -> np.ndarray:
    """The share of runs that put each two nodes together, (nodes, nodes); 1 on the diagonal."""
    import networkx as nx

    # Whole numbers as nodes: sets of them are walked in the same order in every process, sets of names are not.
    graph = nx.Graph()
    graph.add_nodes_from(range(len(ties)))
    graph.add_weighted_edges_from((i, j, ties[i, j]) for i, j in np.argwhere(np.triu(ties, 1) > 0).tolist())
    together = np.zeros_like(ties)
    for run in range(runs):
        for group in nx.community.louvain_communities(graph, weight="weight", resolution=resolution, seed=seed + run):
            members = sorted(group)
            together[np.ix_(members, members)] += 1
    return together / runs


def network_layout(pairs: pd.DataFrame, nodes: list[str] | None = None) -> pd.DataFrame:
    """One place for every node, to draw the networks of all years alike.

    Nodes stand the nearer the closer they are tied over all years: the distance wanted for a pair falls evenly from
    FARTHEST to CLOSEST as its NPMI goes from −1 to 1, and the squared relative errors of all distances are made
    small, starting from a circle in the order of names.

    Args:
        pairs: the slice of all years (year −1) of `measures.cooccurrence`, with the pairs never seen
            (`measures.complete_pairs`).
        nodes: nodes to place; those of the pairs when not given. A pair that is missing is as far as can be.

    Returns:
        node, x, y in [−1, 1], rounded to four digits; sorted by node.

    Source: Kamada and Kawai (1989), Information Processing Letters 31, 7–15.
    """
    import networkx as nx

    a, b = pair_columns(pairs)
    if pairs.duplicated([a, b]).any():
        raise ValueError("one slice at a time: a pair stands twice")
    names = sorted(set(pairs[a]) | set(pairs[b])) if nodes is None else sorted(nodes)
    if len(names) < 2:
        return pd.DataFrame({"node": names, "x": 0.0, "y": 0.0})
    wanted = {i: {j: FARTHEST for j in names if j != i} for i in names}
    for first, second, npmi in pairs[[a, b, "npmi"]].itertuples(index=False):
        if first in wanted and second in wanted and not np.isnan(npmi):
            wanted[first][second] = wanted[second][first] = CLOSEST + (FARTHEST - CLOSEST) * (1 - npmi) / 2
    graph = nx.complete_graph(0)
    graph.add_nodes_from(names)
    angle = 2 * np.pi * np.arange(len(names)) / len(names)
    start = {name: np.array([np.cos(t), np.sin(t)]) for name, t in zip(names, angle, strict=True)}
    places = nx.kamada_kawai_layout(graph, dist=wanted, pos=start)
    xy = np.array([places[name] for name in names])
    xy = xy - xy.mean(axis=0)
    # The longest extent lies across, and the first node above the middle: distances leave both open.
    _, _, axes = np.linalg.svd(xy, full_matrices=False)
    xy = xy @ axes.T
    xy *= np.where(xy[0] < 0, -1, 1)
    xy = xy / np.abs(xy).max()
    return pd.DataFrame({"node": names, "x": xy[:, 0].round(4) + 0.0, "y": xy[:, 1].round(4) + 0.0})


def node_edge_frames(graph: nx.Graph, communities: pd.DataFrame,
                     layout: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    """What a drawing needs of a network.

    Args:
        graph: from `cooccurrence_graph`.
        communities: from `consensus_communities`, of this graph.
        layout: from `network_layout`; must place every node.

    Returns:
        nodes: node, n, degree (ties), strength (sum of weights), community, stability, x, y, by node;
        edges: node_a, node_b, weight, n_both, expected, npmi, within (both ends in one group), x_a, y_a, x_b, y_b,
        weakest first, so that strong ties are drawn over weak ones.

    Raises:
        ValueError: a node without a place.
    """
    nodes = pd.DataFrame({
        "node": list(graph), "n": [graph.nodes[node]["n"] for node in graph],
        "degree": [graph.degree(node) for node in graph],
        "strength": [graph.degree(node, weight="weight") for node in graph]})
    nodes = nodes.merge(communities, on="node", how="left").merge(layout, on="node", how="left")
    if nodes["x"].isna().any():
        raise ValueError(f"no place for {', '.join(nodes.loc[nodes['x'].isna(), 'node'])}")
    nodes = nodes.sort_values("node", ignore_index=True)
    kept = ["weight", "n_both", "expected", "npmi"]
    edges = pd.DataFrame([(*sorted((u, v)), *(data[k] for k in kept)) for u, v, data in graph.edges(data=True)],
                         columns=["node_a", "node_b", *kept])
    group = nodes.set_index("node")["community"]
    place = layout.set_index("node")
    edges["within"] = edges["node_a"].map(group).to_numpy() == edges["node_b"].map(group).to_numpy()
    for end in ("a", "b"):
        for axis in ("x", "y"):
            edges[f"{axis}_{end}"] = edges[f"node_{end}"].map(place[axis])
    return nodes, edges.sort_values(["weight", "node_a", "node_b"], ignore_index=True)
