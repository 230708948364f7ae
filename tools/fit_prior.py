"""Fit the priors that ship with Markbook on the public sets: data/prior-*.npz.

    .venv/bin/python tools/fit_prior.py ../shared/asag [--semantic]

Sets of questions count about the same: of the big ones some questions are drawn by a fixed seed.
One prior is fitted on all sets; another leaves SAF out, so that SAF can be evaluated with a start.
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
from suggesting.sets import SETS, draw_set

folder = Path(sys.argv[1])
semantic = "--semantic" in sys.argv
model = open_token_model() if semantic else None
if semantic and model is None:
    sys.exit(semantic_hint())
target = Path(__file__).parent.parent / "src/markbook/graders/learning/data"
marked: list[Marked] = []
for name in SETS:
    for question in draw_set(folder, name):
        marked.append(Marked(read(question.texts, model), np.array(question.scores, dtype=float)))
    print(name, len(marked), flush=True)
kind = "semantic" if semantic else "words"
for left_out, name in ((None, f"prior-{kind}"), ("saf_english", f"prior-{kind}-without-saf")):
    begun = time.monotonic()
    some = [m for m in marked if left_out is None or not m.read.texts.id.startswith(left_out)]
    path = target / f"{name}.npz"
    path.write_bytes(to_bytes(Prior.fit(some, small=True)))
    print(f"{path.name}: {path.stat().st_size} bytes, {time.monotonic() - begun:.0f} s", flush=True)
