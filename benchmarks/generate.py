"""Generate a corpus of any size that looks like the shipped one, the same for the same seed.

    python benchmarks/generate.py FOLDER --articles 7000 [--shape files|jsonl] [--seed 1]

Each article is put together from sentences of the shipped articles, with its own regions, years and figures, so that
every article is new and the words are spread as in the real ones; one in twenty-five reprints an earlier one.
"""

from __future__ import annotations

import argparse
import json
import random
import re
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
REGIONS = [
    "北京", "天津", "河北", "山西", "内蒙古", "辽宁", "吉林", "黑龙江", "上海", "江苏", "浙江", "安徽",
    "福建", "江西", "山东", "河南", "湖北", "湖南", "广东", "广西", "海南", "重庆", "四川", "贵州",
    "云南", "西藏", "陕西", "甘肃", "青海", "宁夏", "新疆", "大连", "宁波", "厦门", "青岛", "深圳",
]

_FIGURE = re.compile(r"\d+(?:\.\d+)?(?=[亿万件家户笔个%])")
_YEAR = re.compile(r"20(?:2[0-6])(?=年)")
_SENTENCE = re.compile(r"[^。！？；]+[。！？；]+[”」』）]*")
TARGET_CHARACTERS = 950  # about 2.8 kB of UTF-8, the size of a short news article
PARAGRAPH = 130  # characters a paragraph has at least, as the shipped ones do on average
REPRINT_EVERY = 25  # each so manieth article is a reprint of an earlier one


def sentences() -> list[str]:
    """Sentences of the shipped articles as the tests expect them, sorted: the same whatever cleaning does."""
    expected = json.loads((ROOT / "codebook" / "gold" / "articles.json").read_text(encoding="utf-8"))
    return sorted({s for a in expected["articles"] if a["scope"] == "in" and a["script"] == "hans"
                   for p in a["body"].split("\n") for s in _SENTENCE.findall(p) if 8 <= len(s) <= 200})


def articles(n: int, seed: int = 1) -> Iterator[dict]:
    """`n` articles: title, date, year, publisher, paragraphs."""
    rng = random.Random(seed)
    pool = sentences()
    places = re.compile("|".join(REGIONS))
    recent: list[dict] = []
    for number in range(n):
        if number % REPRINT_EVERY == REPRINT_EVERY - 1:
            told = rng.choice(recent)
            yield told | {"title": f"转载：{told['title']}", "publisher": f"{rng.choice(REGIONS)}晚报",
                          "paragraphs": [f"本报讯，据{told['publisher']}报道。", *told["paragraphs"]]}
            continue
        year = rng.randint(2021, 2026)
        own = {r: rng.choice(REGIONS) for r in REGIONS}
        parts, size = [""], 0
        while size < TARGET_CHARACTERS:
            text = rng.choice(pool)
            text = places.sub(lambda m, own=own: own[m[0]], text)
            text = _YEAR.sub(lambda m, y=year: str(y - rng.randint(0, 1)), text)
            text = _FIGURE.sub(lambda m: f"{rng.uniform(1, 9000):.{rng.randint(0, 2)}f}", text)
            if len(parts[-1]) >= PARAGRAPH:
                parts.append("")
            parts[-1] += text
            size += len(text)
        place = rng.choice(REGIONS)
        article = {"title": f"{place}金融监管局{year}年第{number + 1}号工作情况", "publisher": f"{place}日报",
                   "date": f"{year}-{rng.randint(1, 12):02d}-{rng.randint(1, 28):02d}", "year": year,
                   "paragraphs": parts}
        recent = [*recent[-200:], article]
        yield article


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
