"""The measures against two programs of the same field, on counts that all three are given."""

import ast
import json
import re
from pathlib import Path

import numpy as np
import pandas as pd
import peers
import pytest

from fengxiang import measures

KEPT = json.loads(peers.KEPT.read_text("utf-8"))
PYCORPDIFF, SCATTERTEXT = KEPT["pycorpdiff"], KEPT["scattertext"]
A, B = pd.Series(peers.A), pd.Series(peers.B)


@pytest.mark.parametrize("name", sorted(KEPT))
def test_what_is_kept_is_what_the_program_says(name):
    pytest.importorskip(name, reason=f"{name} is not installed; its kept answers are used")
    for kind, answer in getattr(peers, f"of_{name}")().items():
        assert answer == (KEPT[name][kind] if kind == "version" else pytest.approx(KEPT[name][kind])), kind


def test_keyness_is_that_of_pycorpdiff():
    result = measures.keyness(A, B, min_count=1).set_index("term")
    for name in ("g2", "p", "q"):
        expected = pd.Series(PYCORPDIFF[name])[result.index]
        np.testing.assert_allclose(result[name], expected.abs(), rtol=1e-9)
    higher = np.sign(pd.Series(PYCORPDIFF["g2"])[result.index])
    assert (np.sign(result["log_ratio"]) == higher).all()
    # there half an occurrence is added to every count, here only beside a zero
    some = [t for t in A.index.union(B.index) if t != "其他"]
    smoothed = measures.keyness(*(x.reindex(some, fill_value=0) + 0.5 for x in (A, B)), total_a=int(A.sum()),
                                total_b=int(B.sum()), min_count=1).set_index("term")
    np.testing.assert_allclose(smoothed["log_ratio"], pd.Series(PYCORPDIFF["log_ratio"])[smoothed.index])


def test_log_odds_are_those_of_scattertext():
    result = measures.keyness(A, B, min_count=1).set_index("term")
    # z there has the variance of all four counts (eq. 19 of the paper), here of the two that matter (eq. 20)
    prior, terms = A.add(B, fill_value=0), result.index
    cells = [x.reindex(prior.index, fill_value=0) + prior for x in (A, B)]
    variance = sum(1 / part for c in cells for part in (c, c.sum() - c))
    z = result["log_odds"] / np.sqrt(variance[terms])
    np.testing.assert_allclose(z, pd.Series(SCATTERTEXT["z"])[terms])
    small = [t for t in terms if t != "其他"]  # where a term is rare the two are nearly the same
    np.testing.assert_allclose(result.loc[small, "z"], z[small], rtol=0.05)


def test_dispersion_is_that_of_pycorpdiff():
    matrix = pd.DataFrame(peers.ARTICLES)
    parts = matrix.rename_axis("part").reset_index().melt(id_vars="part", var_name="term", value_name="count")
    result = measures.dispersion(parts, matrix.sum(axis=1)).set_index("term")
    assert result["dp"].to_dict() == pytest.approx(PYCORPDIFF["dp"])


def test_cooccurrence_is_that_of_pycorpdiff():
    pairs = pd.DataFrame(peers.PAIRS).assign(theme_a=list("abcd"), theme_b="z")
    result = measures.cooccurrence(pairs)
    np.testing.assert_allclose(result["log_dice"], PYCORPDIFF["log_dice"])
    np.testing.assert_allclose(np.log2(result["ratio"]), PYCORPDIFF["pmi"])
    # NPMI is PMI over its largest value, −log2 of the share of statements with both
    np.testing.assert_allclose(result["npmi"], PYCORPDIFF["pmi"] / -np.log2(pairs["n_both"] / 1001))


@pytest.mark.parametrize("module", ["measures", "diffusion", "discovery", "networks", "quantities"])
def test_every_public_function_of_a_measuring_module_is_called_in_its_tests(module):
    here = Path(__file__).parent
    tree = ast.parse((here.parent / "fengxiang" / f"{module}.py").read_text("utf-8"))
    public = {node.name for node in tree.body if isinstance(node, ast.FunctionDef) and not node.name.startswith("_")}
    tests = "\n".join(path.read_text("utf-8") for path in sorted(here.glob("test_*.py")))
    called = set(re.findall(r"(?<!def )\b(\w+)\(", tests))
    assert public - called == set()
