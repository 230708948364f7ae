"""Fit the priors that ship with Markbook on the public sets: data/prior-*.npz.

    .venv/bin/python tools/fit_prior.py ../shared/asag [--semantic]

Sets of questions count about the same: of the big ones some questions are drawn by a fixed seed.
See data/SOURCES.md for where the sets come from.
"""

from __future__ import annotations

import sys
import time
from pathlib import Path

import numpy as np

from markbook.graders.learning.features import read
from markbook.graders.learning.prior import Marked, Prior
from markbook.graders.learning.semantic import open_token_model, semantic_hint
from markbook.graders.learning.store import to_bytes

sys.path.insert(0, str(Path(__file__).parent.parent / "benchmarks"))
from suggesting.sets import SETS, read_set

ANSWERS = 40  # of a question: the sets differ in how many they have

folder = Path(sys.argv[1])
semantic = "--semantic" in sys.argv
model = open_token_model() if semantic else None
if semantic and model is None:
    sys.exit(semantic_hint())
target = Path(__file__).parent.parent / "src/markbook/graders/learning/data"
drawn = np.random.default_rng(0)
marked: list[Marked] = []
for name, most in SETS.items():
    questions = read_set(folder, name)
    for place in sorted(drawn.permutation(len(questions))[:most]):
        question = questions[place].question
        scores = np.array(question.scores, dtype=float)
        some = np.sort(drawn.permutation(len(scores))[:ANSWERS])
        marked.append(Marked(read(question.texts, model).part(some), scores[some]))
    print(name, len(marked), flush=True)
begun = time.monotonic()
prior = Prior.fit(marked, small=True)
path = target / ("prior-semantic.npz" if semantic else "prior-words.npz")
path.write_bytes(to_bytes(prior))
print(f"{path.name}: {path.stat().st_size} bytes, {time.monotonic() - begun:.0f} s")
