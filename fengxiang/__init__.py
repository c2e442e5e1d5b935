"""风向 Fengxiang: what China's financial regulators put first, by year and by region.

In a notebook, `fengxiang.open_run()` gives the tables and the codebook of the run.
"""

from __future__ import annotations


def open_run(raw=None, out=None, codebook=None):
    """The tables, the codebook and the folders of this run: see `fengxiang.run.Run`."""
    from .run import Run

    return Run.open(raw, out, codebook)
