"""How many answers the sentence model encodes a second, and how quickly the cache gives them back.

Answers are made of the sample class's words, each unlike the others. Wall time and processor time
of this process, with an empty cache and then with a full one, question by question as ``suggest``
does; the peak of memory is that of the whole process. Aligning one reference and finding the span
of one phrase is measured too.

    python benchmarks/sentence_model.py [--questions 14] [--answers 1000] [--words 40] [--cores 2]
"""

from __future__ import annotations

import argparse
import os
import random
import re
import resource
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--questions", type=int, default=14)
    parser.add_argument("--answers", type=int, default=1000)
    parser.add_argument("--words", type=int, default=40)
    parser.add_argument("--cores", type=int, default=2)
    chosen = parser.parse_args()
    cores = sorted(os.sched_getaffinity(0))[: chosen.cores]
    os.sched_setaffinity(0, cores)
    for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
        os.environ[name] = str(len(cores))

    from markbook.graders.learning.alignment import Alignment
    from markbook.graders.learning.semantic import open_token_model, semantic_hint
    from markbook.graders.learning.vector_cache import VectorCache

    words = re.findall(
        r"[^\W\d_]{2,}", " ".join(p.read_text() for p in (ROOT / "sample-class").rglob("*.md"))
    )
    draw = random.Random(7)
    questions = [
        [" ".join(draw.choices(words, k=chosen.words)) for _ in range(chosen.answers)]
        for _ in range(chosen.questions)
    ]
    print(f"load {os.getloadavg()[0]:.2f}, {len(cores)} core(s), {chosen.words} words an answer")
    with tempfile.TemporaryDirectory() as folder:
        for turn in ("empty cache", "full cache"):
            model = open_token_model(cache=VectorCache(Path(folder) / "vectors.sqlite"))
            if model is None:
                print(semantic_hint())
                return
            wall, used = time.perf_counter(), time.process_time()
            for answers in questions:
                vectors = model.encode(answers)
            wall, used = time.perf_counter() - wall, time.process_time() - used
            count = chosen.questions * chosen.answers
            print(f"{turn:12}{wall:9.1f} s wall{used:9.1f} s processor{count / wall:9.0f} texts/s")
    started = time.perf_counter()
    aligned = Alignment(vectors[1:], vectors[0])
    aligned.similarities(vectors[0])
    middle = time.perf_counter()
    aligned.best_spans(model.encode(["proves nobody tampered with the token"])[0])
    print(
        f"one reference {middle - started:.2f} s, one phrase {time.perf_counter() - middle:.2f} s"
    )
    print(f"peak memory {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:.0f} MB")


if __name__ == "__main__":
    main()
