"""What two other programs say of the same counts: pycorpdiff and scattertext.

Neither is needed to run or to test this project (scattertext alone brings spaCy). Their answers are kept in
`peers.json`, with their versions; `test_peers.py` holds the measures against them, and where the programs are installed
it first holds `peers.json` against them. To make it anew, in an environment of its own:

    pip install pycorpdiff scattertext && python tests/peers.py
"""

from __future__ import annotations

import json
from importlib.metadata import version
from pathlib import Path

KEPT = Path(__file__).with_name("peers.json")

# Occurrences of terms in the tokens of two slices; the last word stands for all other tokens.
A = {"化险": 40, "监管": 100, "绿色": 2, "转型": 8, "一地一策": 6, "其他": 844}
B = {"化险": 10, "监管": 200, "绿色": 30, "对外": 12, "转型": 20, "其他": 2728}
# Articles × terms, all tokens: how evenly terms are spread.
ARTICLES = {"监管": [3, 1, 4, 1, 0], "化险": [0, 9, 0, 0, 0], "其他": [57, 40, 96, 19, 30]}
# Statements with both themes, with the first, with the second, of all.
PAIRS = {"n_both": [12, 3, 40, 7], "n_a": [29, 104, 60, 7], "n_b": [104, 75, 70, 7], "n_statements": [1001] * 4}


def of_pycorpdiff() -> dict[str, list[float] | dict[str, float]]:
    """G² and its p, log ratio (half an occurrence added), Benjamini–Hochberg, DP, PMI in bits and logDice."""
    import pandas as pd
    from pycorpdiff.collocation.measures import logdice, pmi
    from pycorpdiff.keyness.correction import benjamini_hochberg
    from pycorpdiff.keyness.dispersion import dispersion_dp
    from pycorpdiff.keyness.effect_sizes import log_ratio
    from pycorpdiff.keyness.loglikelihood import log_likelihood

    a, b = pd.Series(A), pd.Series(B)
    g2 = log_likelihood(a, b, sum(A.values()), sum(B.values()), formula="dunning")
    pairs = pd.DataFrame(PAIRS)
    together = [(pmi(pairs["n_both"][[i]], float(r.n_a), pairs["n_b"][[i]], r.n_statements).iloc[0],
                 logdice(pairs["n_both"][[i]], float(r.n_a), pairs["n_b"][[i]]).iloc[0])
                for i, r in enumerate(pairs.itertuples())]
    return {"version": version("pycorpdiff"), "g2": g2["g2"].to_dict(), "p": g2["p_value"].to_dict(),
            "q": dict(zip(g2.index, benjamini_hochberg(g2["p_value"].to_numpy()).tolist(), strict=True)),
            "log_ratio": log_ratio(a, b, sum(A.values()), sum(B.values())).to_dict(),
            "dp": dispersion_dp(pd.DataFrame(ARTICLES)).to_dict(),
            "pmi": [float(x) for x, _ in together], "log_dice": [float(x) for _, x in together]}


def of_scattertext() -> dict[str, str | dict[str, float]]:
    """Log odds under an informative Dirichlet prior, as z with the variance of all four counts."""
    import pandas as pd
    from scattertext import LogOddsRatioInformativeDirichletPrior

    terms = sorted(set(A) | set(B))
    a, b = (pd.Series(x).reindex(terms, fill_value=0) for x in (A, B))
    z = LogOddsRatioInformativeDirichletPrior(a + b).get_zeta_i_j_given_separate_counts(a, b)
    return {"version": version("scattertext"), "z": {t: float(z[t]) for t in terms}}


if __name__ == "__main__":
    answers = {"pycorpdiff": of_pycorpdiff(), "scattertext": of_scattertext()}
    KEPT.write_text(json.dumps(answers, ensure_ascii=False, indent=1, sort_keys=True) + "\n", encoding="utf-8")
