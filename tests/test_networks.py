"""Networks: ties, groups and places, the same whatever the order of rows or the run."""

import os
import subprocess
import sys
from pathlib import Path

import networkx as nx
import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import adjusted_rand_score

from fengxiang import measures, networks


def pairs_of(*rows):
    frame = pd.DataFrame(rows, columns=["theme_a", "theme_b", "n_both", "n_a", "n_b"])
    return measures.cooccurrence(frame.assign(year=-1, region="all", n_statements=1000))


SMALL = pairs_of(("a", "b", 40, 60, 70), ("a", "c", 0, 60, 80), ("b", "c", 30, 70, 80), ("a", "d", 2, 60, 3),
                 ("b", "d", 0, 70, 3), ("c", "d", 0, 80, 3))


def planted(seed=0, size=8, groups=3):
    """Pairs of nodes in groups that co-occur within them, with noise between."""
    rng = np.random.default_rng(seed)
    names = [f"t{i:02d}" for i in range(size * groups)]
    rows = []
    for i, first in enumerate(names):
        for j in range(i + 1, len(names)):
            strong = i % groups == j % groups
            rows.append((first, names[j], int(rng.integers(22, 40) if strong else rng.integers(6, 12)), 100, 100))
    return pairs_of(*rows), {name: i % groups for i, name in enumerate(names)}


def test_graph_by_hand():
    graph = networks.cooccurrence_graph(SMALL)
    assert dict(graph.nodes(data="n")) == {"a": 60, "b": 70, "c": 80, "d": 3}
    assert list(graph.edges) == [("a", "b"), ("b", "c")]  # a–d is unsupported, the others were never seen together
    row = SMALL.iloc[0]
    assert graph.edges["a", "b"] == {"weight": pytest.approx(row["npmi"]), "n_both": 40,
                                     "expected": pytest.approx(4.2), "npmi": row["npmi"]}


def test_graph_keeps_lone_nodes_and_takes_one_slice_only():
    graph = networks.cooccurrence_graph(SMALL, counts=pd.Series({"z": 5, "a": 60, "b": 70, "c": 80}))
    assert list(graph) == ["a", "b", "c", "z"]
    with pytest.raises(ValueError, match="one slice"):
        networks.cooccurrence_graph(pd.concat([SMALL, SMALL.assign(year=2025)]))


def test_communities_find_what_was_planted_and_beat_another_method():
    pairs, truth = planted()
    graph = networks.cooccurrence_graph(pairs, q=1)
    found = networks.consensus_communities(graph).set_index("node")
    assert adjusted_rand_score(list(truth.values()), found.loc[list(truth), "community"]) == 1
    assert (found["stability"] > 0.9).all()
    groups = [set(part.index) for _, part in found.groupby("community")]
    greedy = nx.community.greedy_modularity_communities(graph, weight="weight")
    assert nx.community.modularity(graph, groups) >= nx.community.modularity(graph, greedy) - 1e-9


def test_communities_by_hand():
    graph = nx.Graph()
    graph.add_nodes_from("abcdefz", n=1)
    graph.add_weighted_edges_from([("a", "b", 1), ("b", "c", 1), ("a", "c", 1), ("d", "e", 1), ("c", "d", 0.1)])
    graph.add_edge("d", "f", weight=1)
    graph.add_edge("e", "f", weight=1)
    found = networks.consensus_communities(graph)
    assert list(zip(found["node"], found["community"], strict=True)) == [
        ("a", 1), ("b", 1), ("c", 1), ("d", 2), ("e", 2), ("f", 2), ("z", 0)]
    assert networks.groups(found).values.tolist() == [[1, ["a", "b", "c"], 1], [2, ["d", "e", "f"], 1]]
    assert networks.groups(found.assign(stability=[1, .75, 1, 1, 1, 1, np.nan]))["stability"].tolist() == [.75, 1]
    assert networks.groups(found.iloc[:0]).empty
    assert list(found["stability"][:6]) == [1] * 6
    assert np.isnan(found["stability"].iloc[6])


def test_communities_do_not_mind_the_order_of_rows():
    pairs, _ = planted(seed=4)
    pairs["npmi"] = pairs["npmi"] + np.random.default_rng(0).normal(0, 0.4, len(pairs))  # groups hard to tell
    pairs = pairs[pairs["npmi"] > 0]
    expected = networks.consensus_communities(networks.cooccurrence_graph(pairs, q=1))
    assert expected["stability"].min() < 1
    for seed in range(3):
        shuffled = pairs.sample(frac=1, random_state=seed)
        pd.testing.assert_frame_equal(
            networks.consensus_communities(networks.cooccurrence_graph(shuffled, q=1)), expected)


def test_no_ties_no_groups():
    graph = networks.cooccurrence_graph(SMALL, q=-1)
    assert list(networks.consensus_communities(graph)["community"]) == [0] * 4
    assert networks.consensus_communities(nx.Graph()).empty


def test_layout_puts_close_ties_near_and_does_not_mind_the_order_of_rows():
    pairs, truth = planted(size=4)
    layout = networks.network_layout(pairs)
    again = networks.network_layout(pairs.sample(frac=1, random_state=1))
    pd.testing.assert_frame_equal(layout, again)
    assert layout[["x", "y"]].abs().max().max() == 1
    place = layout.set_index("node")[["x", "y"]]
    near, far = [], []
    for i, first in enumerate(place.index):
        for second in place.index[i + 1:]:
            distance = np.hypot(*(place.loc[first] - place.loc[second]))
            (near if truth[first] == truth[second] else far).append(distance)
    assert np.mean(near) < 0.6 * np.mean(far)
    assert min(near) > 0.02


def test_layout_of_two_and_of_none():
    two = networks.network_layout(pairs_of(("a", "b", 40, 60, 70)))
    assert two.to_dict("list") == {"node": ["a", "b"], "x": [1.0, -1.0], "y": [0.0, 0.0]}
    assert networks.network_layout(SMALL.iloc[:0]).empty
    assert list(networks.network_layout(SMALL, nodes=["a", "b", "zz"])["node"]) == ["a", "b", "zz"]


def test_frames_by_hand():
    graph = networks.cooccurrence_graph(SMALL)
    communities = networks.consensus_communities(graph)
    layout = pd.DataFrame({"node": list("abcd"), "x": [0.0, 1, 2, 3], "y": [0.0, 1, 0, 1]})
    nodes, edges = networks.node_edge_frames(graph, communities, layout)
    assert list(nodes.columns) == ["node", "n", "degree", "strength", "community", "stability", "x", "y"]
    assert list(nodes["degree"]) == [1, 2, 1, 0]
    assert list(zip(edges["node_a"], edges["node_b"], strict=True)) == [("b", "c"), ("a", "b")]
    assert list(edges["x_a"]) == [1, 0]
    assert list(edges["y_b"]) == [0, 1]
    assert edges["weight"].is_monotonic_increasing
    assert edges["within"].all()
    with pytest.raises(ValueError, match="no place for d"):
        networks.node_edge_frames(graph, communities, layout.iloc[:3])


def test_another_process_with_another_hash_seed_says_the_same(tmp_path):
    path = tmp_path / "pairs.csv"
    planted(seed=9, size=5)[0].to_csv(path, index=False)
    program = ("import pandas as pd; from fengxiang import networks\n"
               f"pairs = pd.read_csv({str(path)!r}); graph = networks.cooccurrence_graph(pairs, q=1)\n"
               "print(networks.consensus_communities(graph).to_csv(), networks.network_layout(pairs).to_csv())")
    outputs = {subprocess.run([sys.executable, "-c", program], cwd=Path(__file__).parent.parent,
                              env=os.environ | {"PYTHONHASHSEED": seed}, capture_output=True, text=True,
                              check=True).stdout for seed in ("1", "2")}
    assert len(outputs) == 1
    assert "stability" in outputs.pop()
