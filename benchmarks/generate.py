"""Generate a corpus of any size that looks like the shipped one, the same for the same seed.

    python benchmarks/generate.py FOLDER --articles 7000 [--shape files|jsonl] [--seed 1]

Each article is put together from paragraphs of the shipped articles, with its own regions, years and figures, so that
every article is new and the words are spread as in the real ones.
"""

from __future__ import annotations

import argparse
import json
import random
import re
import sys
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

_FIGURE = re.compile(r"\d+(?:\.\d+)?(?=[亿万件家户笔个%])")
_YEAR = re.compile(r"20(?:2[0-6])(?=年)")
TARGET_CHARACTERS = 950  # about 2.8 kB of UTF-8, the size of a short news article


def paragraphs() -> list[str]:
    """Body paragraphs of the shipped articles, sorted."""
    from fengxiang.build import raw_files
    from fengxiang.cleaning import Rules, clean_document

    rules = Rules.load(ROOT / "codebook")
    raw = ROOT / "data" / "raw"
    found = {p.text for name, _ in raw_files(raw) for a in clean_document(name, (raw / name).read_bytes(), rules).articles
             if a.scope == "in" for p in a.paragraphs if p.kind != "heading" and len(p.text) > 40}
    return sorted(found)


def articles(n: int, seed: int = 1) -> Iterator[dict]:
    """`n` articles: title, date, year, publisher, paragraphs."""
    from fengxiang.attribution import Gazetteer

    rng = random.Random(seed)
    pool = paragraphs()
    regions = [r.name for r in Gazetteer.load(ROOT / "codebook").regions if r.name != "全国"]
    places = re.compile("|".join(sorted(regions, key=len, reverse=True)))
    for number in range(n):
        year = rng.randint(2021, 2026)
        own = {r: rng.choice(regions) for r in regions}
        parts, size = [], 0
        while size < TARGET_CHARACTERS:
            text = rng.choice(pool)
            text = places.sub(lambda m, own=own: own[m[0]], text)
            text = _YEAR.sub(lambda m, y=year: str(y - rng.randint(0, 1)), text)
            text = _FIGURE.sub(lambda m: f"{rng.uniform(1, 9000):.{rng.randint(0, 2)}f}", text)
            parts.append(text)
            size += len(text)
        place = rng.choice(regions)
        yield {"title": f"{place}金融监管局{year}年第{number + 1}号工作情况", "publisher": f"{place}日报",
               "date": f"{year}-{rng.randint(1, 12):02d}-{rng.randint(1, 28):02d}", "year": year, "paragraphs": parts}


def write_files(folder: Path, n: int, seed: int = 1) -> int:
    """Write `n` articles one a file: Markdown, plain text, HTML and JSON in turn; returns the bytes written."""
    total = 0
    for i, a in enumerate(articles(n, seed)):
        sub = folder / f"{i // 1000:04d}"
        if i % 1000 == 0:
            sub.mkdir(parents=True, exist_ok=True)
        body = "\n\n".join(a["paragraphs"])
        shape = i % 10
        if shape < 5:
            text = f"---\ntitle: {a['title']}\ndate: {a['date']}\npublisher: {a['publisher']}\n---\n\n{body}\n"
            name = f"{i:07d}.md"
        elif shape < 8:
            text = f"{a['title']}\n\n来源：{a['publisher']}　{a['date']}\n\n{body}\n"
            name = f"{i:07d}.txt"
        elif shape < 9:
            inner = "".join(f"<p>{p}</p>\n" for p in a["paragraphs"])
            text = (f'<!doctype html><html lang="zh"><head><meta charset="utf-8"><title>{a["title"]}</title>'
                    f'<meta property="article:published_time" content="{a["date"]}"><meta name="source" '
                    f'content="{a["publisher"]}"></head><body><nav><a href="/">首页</a> <a href="/j">金融</a></nav>'
                    f"<article><h1>{a['title']}</h1>\n{inner}</article><footer>友情链接</footer></body></html>\n")
            name = f"{i:07d}.html"
        else:
            text = json.dumps({"title": a["title"], "date": a["date"], "source": a["publisher"],
                               "content": "\n".join(a["paragraphs"])}, ensure_ascii=False)
            name = f"{i:07d}.json"
        data = text.encode("utf-8")
        (sub / name).write_bytes(data)
        total += len(data)
    return total


def write_json_lines(folder: Path, n: int, seed: int = 1) -> int:
    """Write `n` articles into one JSON Lines file; returns the bytes written."""
    folder.mkdir(parents=True, exist_ok=True)
    total = 0
    with open(folder / "articles.jsonl", "wb") as handle:
        for a in articles(n, seed):
            line = json.dumps({"title": a["title"], "date": a["date"], "source": a["publisher"], "year": a["year"],
                               "content": "\n".join(a["paragraphs"])}, ensure_ascii=False) + "\n"
            total += handle.write(line.encode("utf-8"))
    return total


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--articles", type=int, default=7000)
    parser.add_argument("--shape", choices=("files", "jsonl"), default="files")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    writer = write_files if options.shape == "files" else write_json_lines
    print(f"{writer(options.folder, options.articles, options.seed) / 1e6:.1f} MB")
