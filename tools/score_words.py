"""Count in how many texts of the public sets each stem stands: data/words.json.

    .venv/bin/python tools/score_words.py ../shared/asag

Stems in fewer than three questions are left out: they tell of a question, not of the language.
"""

from __future__ import annotations

import collections
import csv
import json
import sys
from pathlib import Path

from markbook.graders.learning.words import read_words

csv.field_size_limit(10**8)
folder = Path(sys.argv[1])
target = Path(__file__).parent.parent / "src/markbook/graders/learning/data/words.json"
texts: dict[str, set[str]] = collections.defaultdict(set)
for name in ("saf_english", "digiklausur_nn", "beetle", "scientsbank"):
    with (folder / f"{name}.csv").open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            texts[f"{name}/{row['question_id']}"].update((row["answer"], row["reference"]))
frequencies: collections.Counter[str] = collections.Counter()
questions: collections.Counter[str] = collections.Counter()
for several in texts.values():
    seen: set[str] = set()
    for text in several:
        stems = set(read_words(text).stems)
        frequencies.update(stems)
        seen |= stems
    questions.update(seen)
kept = {s: n for s, n in frequencies.items() if questions[s] >= 3 and not s.isdigit()}
kept[""] = sum(len(several) for several in texts.values())
target.parent.mkdir(exist_ok=True)
target.write_text(
    json.dumps(dict(sorted(kept.items())), ensure_ascii=False, separators=(",", ":")) + "\n",
    encoding="utf-8",
)
print(f"{len(kept)} stems of {kept['']} texts, {target.stat().st_size} bytes")
