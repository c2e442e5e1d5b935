"""Small projects for the tests of running and report: a folder with notebooks, a raw folder and a codebook."""

from __future__ import annotations

import json
from pathlib import Path


def markdown(source: str, *tags: str) -> dict:
    return {"cell_type": "markdown", "metadata": {"tags": list(tags)}, "source": source}


def code(source: str, *tags: str) -> dict:
    return {"cell_type": "code", "metadata": {"tags": list(tags)}, "source": source, "outputs": [],
            "execution_count": None}


def interface(inputs: list[str], outputs: list[str], parameters: dict | None = None) -> dict:
    return code(f"INPUTS = {inputs!r}\nOUTPUTS = {outputs!r}\nPARAMETERS = {parameters or {}!r}", "interface")


def title(zh: str, en: str) -> list[dict]:
    return [markdown(f"# {zh}", "lang-zh"), markdown(f"# {en}", "lang-en")]


def write_notebook(root: Path, name: str, cells: list[dict]) -> Path:
    """Write notebooks/NAME.ipynb."""
    path = root / "notebooks" / f"{name}.ipynb"
    path.parent.mkdir(parents=True, exist_ok=True)
    cells = [{"id": f"cell-{i}", **cell} for i, cell in enumerate(cells, 1)]
    path.write_text(json.dumps({"cells": cells, "metadata": {}, "nbformat": 4, "nbformat_minor": 5},
                               ensure_ascii=False), encoding="utf-8")
    return path


COPY = """import os, pathlib
out, codebook = (pathlib.Path(os.environ["FENGXIANG_" + name]) for name in ("OUT", "CODEBOOK"))
(out / "data/processed").mkdir(parents=True, exist_ok=True)"""


def chain(root: Path) -> Path:
    """Three notebooks: 01 writes from the raw folder, 02 from the codebook and 01, 03 reads what 02 writes."""
    (root / "data/raw").mkdir(parents=True)
    (root / "data/raw/a.txt").write_text("甲", encoding="utf-8")
    (root / "codebook").mkdir()
    (root / "codebook/themes.yml").write_text("themes: []\n", encoding="utf-8")
    write_notebook(root, "01-clean", [
        *title("怎样整理？", "How is it cleaned?"), interface(["data/raw"], ["data/processed/a.csv"]), code(COPY),
        code('raw = pathlib.Path(os.environ["FENGXIANG_RAW"], "a.txt").read_text("utf-8")\n'
             '(out / "data/processed/a.csv").write_text(raw[:1], "utf-8")')])
    write_notebook(root, "02-themes", [
        *title("有哪些主题？", "Which themes?"),
        interface(["data/processed/a.csv", "codebook/themes.yml"], ["figures/b"], {"times": 2}), code(COPY),
        code('(out / "figures").mkdir(exist_ok=True)\n'
             'text = (out / "data/processed/a.csv").read_text("utf-8") * PARAMETERS["times"]\n'
             'for suffix in ("zh.txt", "csv"):\n    (out / f"figures/b.{suffix}").write_text(text, "utf-8")')])
    write_notebook(root, "03-findings", [
        *title("发现了什么？", "What was found?"), interface(["figures/b.csv"], ["data/processed/c.csv"]), code(COPY),
        code('text = (out / "figures/b.csv").read_text("utf-8")\n'
             '(out / "data/processed/c.csv").write_text(text, "utf-8")\nprint(text)')])
    return root
