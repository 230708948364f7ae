"""Answers that say the same, found without a model, so that one decision may do for all.

Two answers are joined when they are the same after ``markbook.text.words.normalise``, when they
differ in articles, word endings or a slip of the key only, or, for longer ones, when nearly all
words are the same in the same order. Never joined are answers that differ in what turns a meaning
round: a number, a negation, a piece of code, a word like "more" or "before", a word with and
without un-, in- or the like.
"""

from __future__ import annotations

import hashlib
from collections import Counter, defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING

from markbook.text.groups_guards import GuardFinder
from markbook.text.words import normalise, stem

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from markbook.text.groups_guards import Guards

__all__ = ["Cluster", "covered", "find_clusters", "likeness"]

_FILLERS = frozenset("a an the very really just basically simply actually also".split())

# Of two longer texts: the share of words in common, in order. Below twelve words one word more
# or less is too much.
_ALIKE = 0.92
_LONG = 12

# A slip of the key: a word that one class wrote once, one letter off one that it wrote often.
_SLIP_LETTERS = 6
_OFTEN = 3

_OUTLIERS = 5

Words = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Cluster:
    """Answers that say the same, by key.

    ``leader`` is the key of the most frequent wording; ``members`` are all keys, the leader
    first, then the most alike. ``likeness`` is each member's to the leader, from 0 to 1 and 1
    for the same text after normalising; ``outliers`` are the members least alike.
    """

    id: str
    leader: str
    members: tuple[str, ...]
    likeness: Mapping[str, float]

    @property
    def outliers(self) -> tuple[str, ...]:
        unlike = [name for name in reversed(self.members) if self.likeness[name] < 1]
        return tuple(unlike[:_OUTLIERS])


@dataclass(slots=True)
class _Form:
    """One wording, with everybody who used it."""

    normal: str
    guards: Guards
    words: Words
    keys: list[str]


def find_clusters(
    texts: Mapping[str, str], pause: Callable[[], None] = lambda: None
) -> tuple[Cluster, ...]:
    """Return the clusters of at least two texts, the largest first; ``texts`` are by key.

    The order of ``texts`` does not matter. ``pause`` is called every now and then.
    """
    buckets: dict[tuple[Words, Guards], list[_Form]] = defaultdict(list)
    for form in _forms(texts, pause):
        buckets[form.words, form.guards].append(form)
    nodes = [sorted(forms, key=_by_use) for forms in buckets.values()]
    nodes.sort(key=lambda forms: (-sum(len(f.keys) for f in forms), _by_use(forms[0])))
    joined: list[list[_Form]] = []
    leaders = _Leaders(Counter(word for forms in nodes for word in forms[0].words))
    for forms in nodes:
        pause()
        home = leaders.find(forms[0])
        if home is None:
            leaders.add(forms[0], len(joined))
            joined.append(list(forms))
        else:
            joined[home].extend(forms)
    found = [_cluster(forms, pause) for forms in joined if sum(len(f.keys) for f in forms) > 1]
    return tuple(sorted(found, key=lambda cluster: (-len(cluster.members), cluster.id)))


def likeness(normal: str, other: str) -> float:
    """Return how alike two normalised texts are, letter by letter, from 0 to 1."""
    from rapidfuzz.distance import Indel

    return round(Indel.normalized_similarity(normal, other), 4)


def _forms(texts: Mapping[str, str], pause: Callable[[], None]) -> list[_Form]:
    # A text without any word (a smiley, a row of dots) is only ever the same as itself.
    plain = {}
    for key, text in texts.items():
        pause()
        plain[key] = normalise(text) or text.strip()
    counts: Counter[str] = Counter()
    for normal in set(plain.values()):
        counts.update(set(normal.split()))
    finder = GuardFinder(counts)
    slips = _slips(counts, pause)
    forms: dict[tuple[str, Guards], _Form] = {}
    for key in sorted(texts):
        pause()
        normal = plain[key]
        guards = finder.guards(texts[key], normal)
        form = forms.get((normal, guards))
        if form is None:
            form = _Form(normal, guards, _canonical(normal, slips), [])
            forms[normal, guards] = form
        form.keys.append(key)
    return list(forms.values())


def _canonical(normal: str, slips: Mapping[str, str]) -> Words:
    words = normal.split()
    kept = [stem(slips.get(word, word)) for word in words if word not in _FILLERS]
    return tuple(kept or words)


def _slips(counts: Mapping[str, int], pause: Callable[[], None]) -> dict[str, str]:
    """Return what each mistyped word was meant to be, where the class leaves no doubt."""
    from rapidfuzz.distance import OSA

    often: dict[str, list[str]] = defaultdict(list)
    for word, times in counts.items():
        if times >= _OFTEN and len(word) >= _SLIP_LETTERS:
            often[word[0]].append(word)
    meant: dict[str, str] = {}
    for word, times in counts.items():
        if times == 1 and len(word) >= _SLIP_LETTERS:
            pause()
            near = [w for w in often[word[0]] if OSA.distance(word, w, score_cutoff=1) == 1]
            if len(near) == 1:
                meant[word] = near[0]
    return meant


class _Leaders:
    """Finds the wording that a longer one is nearly the same as, without comparing all pairs.

    Texts with a share of ``_ALIKE`` words in common have one of their few rarest words in common
    (prefix filtering: Chaudhuri, Ganti and Kaushik 2006), so only those are compared.
    """

    def __init__(self, counts: Mapping[str, int]) -> None:
        self._counts = counts
        self._by_rare: dict[tuple[Guards, str, int], list[tuple[_Form, int]]] = defaultdict(list)

    def find(self, form: _Form) -> int | None:
        from rapidfuzz.distance import Indel

        if len(form.words) < _LONG:
            return None
        best: tuple[float, int] | None = None
        seen: set[int] = set()
        for key in self._rare(form):
            for leader, place in self._by_rare.get(key, ()):
                if place in seen:
                    continue
                seen.add(place)
                same = Indel.normalized_similarity(form.words, leader.words, score_cutoff=_ALIKE)
                if same >= _ALIKE and (best is None or same > best[0]):
                    best = (same, place)
        return None if best is None else best[1]

    def add(self, form: _Form, place: int) -> None:
        if len(form.words) >= _LONG:
            for key in self._rare(form):
                self._by_rare[key].append((form, place))

    def _rare(self, form: _Form) -> list[tuple[Guards, str, int]]:
        seen: Counter[str] = Counter()
        tokens = []
        for word in form.words:
            seen[word] += 1
            tokens.append((self._counts[word], word, seen[word]))
        # n words, m of the other text, c in common: 2c/(n+m) >= t leaves at most
        # n(2-2t)/(2-t) of the n words without a partner.
        alone = int(len(tokens) * (2 - 2 * _ALIKE) / (2 - _ALIKE) + 1e-9)
        return [(form.guards, word, nth) for _, word, nth in sorted(tokens)[: alone + 1]]


def _cluster(forms: Sequence[_Form], pause: Callable[[], None]) -> Cluster:
    leader = forms[0]
    alike: dict[str, float] = {}
    for form in forms:
        pause()
        alike |= dict.fromkeys(form.keys, likeness(form.normal, leader.normal))
    first = leader.keys[0]
    others = sorted((k for k in alike if k != first), key=lambda k: (-alike[k], k))
    named = "\0".join((leader.normal, repr(leader.guards)))
    digest = hashlib.sha256(named.encode("utf-8", "surrogatepass")).hexdigest()
    return Cluster(f"g{digest[:15]}", first, (first, *others), alike)


def _by_use(form: _Form) -> tuple[int, str]:
    return -len(form.keys), form.normal


def covered(clusters: Iterable[Cluster]) -> dict[str, str]:
    """Return the id of the cluster that each key is in."""
    return {key: cluster.id for cluster in clusters for key in cluster.members}
