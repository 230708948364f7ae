"""What makes an answer unfit for a confident suggestion: flags, each a sentence for a person.

Answers made to fool a grader are flagged, never rewarded with confidence: by nothing here is one
refused either, for a person looks at it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from rapidfuzz import fuzz

from markbook.graders.languages import Known, language, other_letters
from markbook.graders.stance import CONTRADICTED, contradicts
from markbook.graders.statements import strung
from markbook.graders.tokens import clauses, stems, tokens
from markbook.text.controls import visible

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from markbook.graders.phrases import Reading
    from markbook.model import Rubric

__all__ = ["FLAGS", "READ_LIMIT", "TRICKS", "Guard", "Sources", "Tongue", "copied_clauses", "guard"]

READ_LIMIT = 20_000  # characters: forty times a long answer, and a second of work at most

FLAGS = {
    "no-words": "There are no words to read.",
    "instructs-grader": "The text seems to instruct the grader.",
    "invisible-text": "The text has invisible characters, disguised letters, or words not shown.",
    "code-only": "The answer is code only.",
    "other-language": "Not in the question's language, or not English: nothing else is read.",
    "partly-other-language": "A part is not English: only the rest was read.",
    "unknown-words": "Hardly a word is known here: another language, or no language.",
    "keyword-list": "This is a list of words, not a statement.",
    "prompt-copied": "This repeats the question.",
    "exemplar-copied": "These are the words of an exemplar: look where they are from.",
    "model-answer-copied": "These are the words of the model answer: look where they are from.",
    "rubric-copied": "These are the words of the rubric: look where they are from.",
    "read-in-part": f"Only the first {READ_LIMIT} characters were read.",
}
# What an honest answer hardly ever is: what a rule of the course's own awards is not sure either.
TRICKS = frozenset(
    {
        "instructs-grader",
        "invisible-text",
        "keyword-list",
        "prompt-copied",
        "exemplar-copied",
        "model-answer-copied",
        "rubric-copied",
    }
)
_BLIND = (
    "no-words", "instructs-grader", "invisible-text", "code-only", "other-language",
    "unknown-words",
)  # fmt: skip
_CAREFUL = (
    "keyword-list", "prompt-copied", "exemplar-copied", "model-answer-copied", "rubric-copied",
)  # fmt: skip
_IN_PART = ("read-in-part", "partly-other-language")

_INSTRUCTIONS = re.compile(
    r"\b(?:ignore|disregard|forget|override)\b.{0,40}"
    r"\b(?:instructions?|rubric|criteri\w+|prompts?|above)\b"
    r"|\b(?:give|award|grant|assign)\b.{0,30}\b(?:full|maximum|all|top|highest)\b.{0,12}"
    r"\b(?:marks?|points?|credits?|scores?)"
    r"|\b(?:dear|note to the|attention|hey|hello) (?:grader|marker|ai|assistant|llm)\b"
    r"|\byou are (?:now )?(?:an? |the )?(?:ai|grader|marker|assistant|language model|llm|chatbot)\b"
    r"|\bas an? (?:ai|language model|llm)\b|\bsystem prompt\b"
    r"|\b(?:mark|grade|rate|score|count) (?:this|it|my answer|me)\b.{0,20}"
    r"\b(?:as )?(?:correct|right|perfect|full|highly|100)\b"
    r"|\bthis answer (?:deserves|should (?:get|receive|be (?:awarded|given)))\b"
    r"|\b(?:meets?|satisf(?:y|ies)|fulfill?s?) (?:all|every|each)\b.{0,30}\b(?:criteri|rubric)"
    r"|\b(?:this|the|my) (?:answer|response|submission)\b.{0,30}\bshould be"
    r" (?:scored|graded|marked|awarded|given)\b"
    r"|^\s{0,8}(?:system|developer|assistant)\s{0,3}:.{0,80}"
    r"\b(?:grad(?:e|ed|ing)|mark(?:s|ed)?|scor(?:e|ed)|award(?:ed)?|earned|student|ignore)\b"
    r"|\b(?:the|this) student (?:has )?(?:earn(?:s|ed)|deserves|gets?|receives?)\b"
    r"|\balready (?:been )?(?:graded|marked|scored)\b"
    r"|\bgib\b.{0,20}\bvolle\b.{0,5}\bpunkt|\bignorier\w*\b.{0,30}\banweisung"
    r"|\bignor(?:a|e|ez)\b.{0,20}\binstruc(?:ciones|tions)",
    re.IGNORECASE | re.MULTILINE,
)
# Markup that shows nothing: white, tiny, hidden or see-through words, and comments of some words.
_UNSHOWN = re.compile(
    r"(?<![\w-])color\s{0,3}[:=]\s{0,3}[\"']?"
    r"(?:white|transparent|#f{3,8}\b|rgba?\(\s{0,3}255\s{0,3},\s{0,3}255\s{0,3},\s{0,3}255)"
    r"|font-size\s{0,3}:\s{0,3}[0-2](?:\.\d{1,3})?(?:px|pt|em|rem|%)?\s{0,3}[;\"']"
    r"|display\s{0,3}:\s{0,3}none|visibility\s{0,3}:\s{0,3}hidden|opacity\s{0,3}:\s{0,3}0?\.?0\b"
    r"|<\w{1,10}[^<>]{0,100}\shidden\b|\\(?:text)?color\{white\}|\\[hv]?phantom\{"
    r"|<!--(?:[^\w]{0,5}\w+){3}"
    # Three words of a title, or eight that stand for a picture: they are shown to hardly anybody.
    r"|\]\([^()\s]{0,200}\s{1,9}[\"'](?:\w{1,30}\W{1,4}){2}\w"
    r"|!\[(?:\w{1,30}[^\w\]]{1,4}){7}\w"
    r"|<\w{1,10}\s[^<>]{0,200}\b(?:title|alt|aria-label|content|data-\w{1,20})\s{0,3}=\s{0,3}"
    r"[\"'](?:\w{1,30}[^\w\"']{1,4}){2}\w"
    r"|^\[[^\]]{1,40}\]:\s{0,3}(?:#|<>)",
    re.IGNORECASE | re.MULTILINE,
)
_HIDDEN = re.compile("[\u00ad\u200b\u200e\u200f\u202a-\u202e\u2060-\u2064\u2066-\u2069\ufeff]")
_PLAIN_CONTROLS = re.compile("[\x00-\x1f\x7f-\x9f\ud800-\udfff\ufffd-\uffff]")
_INLINE_CODE = re.compile(r"`[^`\n]{1,200}`")
_FENCED = re.compile(
    r"^[ \t]{0,8}(```|~~~).*?(?:^[ \t]{0,8}\1[ \t]*$|\Z)", re.DOTALL | re.MULTILINE
)
_CODE = re.compile(
    r"^[ \t]*(?:import |from \S+ import|def |class \w+[(:]|const |let |return\b|@\w|[{}]|#)"
    r"|^[ \t]*</?\w{1,20}[^<>]{0,200}>\s*$"
    r"|[;{]\s*$|\):\s*$"
)
_PROSE_FROM = 3  # words outside code from which an answer is more than code

_KEYWORDS = 0.5  # share of a list's words that the rubric has: others reward nobody
_LONGEST_WORD = 25  # characters; what is longer is encoded, a key or noise
_COPIED = 0.8  # share of a clause's words that stand in the question's own wording
_REPEATS = 0.75  # share of an answer's content that repeats the question
_RUN = 6  # words in a row; students' own wordings hardly share so many with a text
_PASTED = 0.6  # share of an answer's runs that stand in one other text
_PHRASES = 3  # of the rubric's own, word for word, that hardly stand in one answer by chance
_SPACES, _TELLING = 2, 7  # in one of them, and in a statement of which one is enough
_LOOSE = "Hardly a word joins the others: a person looks."
_LONG = 12  # words; shorter answers may come to the same words by themselves
_SHORT = 6  # words, unless they are the same to the last sign


@dataclass(frozen=True, slots=True)
class Guard:
    """``blind``: nothing can be suggested. ``cautious``: nothing with confidence.

    ``loose``: words that are hardly joined, as in a list that was asked for or in telegram style;
    nobody is accused of it, and it is not awarded with confidence. ``flags`` are names of
    ``FLAGS``.
    """

    blind: str = ""
    cautious: str = ""
    partial: str = ""  # only a part was read, so what is missing may stand in the rest
    flags: tuple[str, ...] = ()
    loose: str = ""

    @property
    def pasted(self) -> bool:
        """Tell whether the words are those of an exemplar or of the model answer."""
        return not {"exemplar-copied", "model-answer-copied"}.isdisjoint(self.flags)

    @property
    def trick(self) -> str:
        """Say why even a rule's award is not sure, empty where nothing speaks against it."""
        return " ".join(FLAGS[name] for name in self.flags if name in TRICKS)


@dataclass(frozen=True, slots=True)
class Sources:
    """Texts that an answer may be pasted from, as runs of stems and as they stand."""

    runs: tuple[tuple[str, frozenset[tuple[str, ...]]], ...] = ()
    whole: frozenset[str] = frozenset()
    phrases: Mapping[str, int] = field(default_factory=dict)  # with what each counts for

    @classmethod
    def of(cls, rubric: Rubric, questions: Sequence[str] = ()) -> Sources:
        """Read the exemplars and the model answer of a rubric, and the wordings of the question."""
        texts = [("exemplar-copied", exemplar.text) for exemplar in rubric.exemplars]
        texts.append(("model-answer-copied", rubric.model_answer))
        texts += [("prompt-copied", question) for question in questions]
        runs = [(name, frozenset(_runs([t.stem for t in tokens(text)]))) for name, text in texts]
        phrases = {_line(phrase): 1 for c in rubric.criteria for phrase in c.evidence}
        # What a criterion says is written for markers, and students may be shown it.
        said = (_line(c.says[p.start : p.end]) for c in rubric.criteria for p in clauses(c.says))
        phrases |= {line: _PHRASES if line.count(" ") >= _TELLING else 1 for line in said}
        known = {line: n for line, n in phrases.items() if line.count(" ") >= _SPACES}
        whole = frozenset(" ".join(e.text.split()) for e in rubric.exemplars)
        return cls(tuple(runs), whole, known)

    def pasted(self, reading: Reading) -> str:
        """Return the flag of the text that an answer is pasted from, or nothing."""
        if len(reading.tokens) >= _SHORT and " ".join(reading.text.split()) in self.whole:
            return "exemplar-copied"
        if len(reading.tokens) < _LONG:
            return ""
        words = reading.tokens_stems()
        own = _runs(words)
        for name, known in self.runs:
            if sum(run in known for run in own) >= _PASTED * len(own):
                return name
        line = f" {_line(reading.text)} "
        there = [phrase for phrase in self.phrases if f" {phrase} " in line]
        covered = sum(phrase.count(" ") + 1 for phrase in there)
        several = sum(self.phrases[phrase] for phrase in there) >= _PHRASES
        return "rubric-copied" if several and covered >= _COPIED * len(words) else ""


@dataclass(frozen=True, slots=True)
class Tongue:
    """What tells whether an answer is in the question's language, and whether that is read."""

    known: Known = field(default_factory=Known)
    words: frozenset[str] = frozenset()  # of the rubric, whose letters are those of the question
    read: bool = True  # whether the rubric is English: without it, nothing is

    @classmethod
    def of(cls, rubric: Rubric, questions: Sequence[str], answers: Sequence[str] = ()) -> Tongue:
        """Read the question's texts, and the words that answers in English share."""
        phrases = [text for c in rubric.criteria for text in (*c.evidence, c.says)]
        texts = [rubric.model_answer, *phrases, *(e.text for e in rubric.exemplars)]
        own = frozenset(token.stem for text in texts for token in tokens(text))
        there = " . ".join(phrases)
        english = language(there, Known()) != "other" and not other_letters(there, _LATIN)
        return cls(Known.of([*questions, *texts], answers), own, english)

    def flag(self, text: str) -> str:
        """Return why an answer is not read, or only in part; or nothing."""
        if not self.read or other_letters(text, self.words):
            return "other-language"
        found = language(text, self.known)
        names = {"other": "other-language", "unknown": "unknown-words"}
        return names.get(found, "partly-other-language" if found else "")


_LATIN = frozenset({"latin"})


def _line(text: str) -> str:
    return " ".join(token.stem for token in tokens(text))


def _runs(words: Sequence[str]) -> list[tuple[str, ...]]:
    return [tuple(words[n : n + _RUN]) for n in range(len(words) - _RUN + 1)]


def guard(
    text: str,
    reading: Reading,
    known: frozenset[str],
    sources: Sources | None = None,
    copied: frozenset[int] = frozenset(),
    tongue: Tongue | None = None,
) -> Guard:
    """Judge an answer before its meaning.

    ``known`` are the rubric's own words (stems), ``copied`` the clauses that repeat the question.
    """
    found = {
        "no-words": not _has_words(reading),
        "instructs-grader": bool(_INSTRUCTIONS.search(reading.text)),
        "invisible-text": _unshown(reading.text),
        "code-only": _all_code(reading.text),
    }
    foreign = tongue.flag(reading.text) if tongue is not None and reading.tokens else ""
    found[foreign] = bool(foreign)
    joined = strung(reading.text) if not foreign else ""
    found["keyword-list"] = joined == "list" and _of_rubric(reading, known)
    found["prompt-copied"] = _repeats(reading, copied)
    flags = [name for name, there in found.items() if there]
    pasted = sources.pasted(reading) if sources is not None else ""
    if pasted and pasted not in flags:
        flags.append(pasted)
    if len(text) > READ_LIMIT:
        flags.append("read-in-part")

    def first(names: Sequence[str]) -> str:
        return next((FLAGS[name] for name in flags if name in names), "")

    loose = _LOOSE if joined and "keyword-list" not in flags else ""
    careful = first(_CAREFUL) or CONTRADICTED * contradicts(reading.clauses)
    return Guard(first(_BLIND), careful, first(_IN_PART), tuple(flags), loose)


def _has_words(reading: Reading) -> bool:
    """Tell whether there are words; "my answer is" before what is encoded says nothing."""
    words = sum(len(token.word) <= _LONGEST_WORD for token in reading.tokens)
    return words > (0 if words == len(reading.tokens) else _PROSE_FROM)


def _of_rubric(reading: Reading, known: frozenset[str]) -> bool:
    return len(reading.stems & known) >= max(2.0, _KEYWORDS * len(reading.stems))


def _unshown(text: str) -> bool:
    """Tell whether there is text that a marker does not see."""
    if _HIDDEN.search(text):
        return True
    if "<span" in visible(_PLAIN_CONTROLS.sub(" ", text)):
        return True  # the text's own markup is escaped there
    return bool(_UNSHOWN.search(_INLINE_CODE.sub("", _FENCED.sub("", text))))


def _repeats(reading: Reading, copied: frozenset[int]) -> bool:
    """Tell whether most of what an answer says repeats the question."""
    content = [sum(t.content for t in clause.tokens) for clause in reading.clauses]
    repeated = sum(content[number] for number in copied)
    return repeated >= 3 and repeated >= _REPEATS * sum(content)


def _all_code(text: str) -> bool:
    """Tell whether nothing is left of an answer without its fenced blocks and lines of code."""
    outside = [line for line in _FENCED.sub("", text).splitlines() if not _CODE.search(line)]
    coded = "\n".join(outside).strip() != text.strip()
    return coded and len(tokens("\n".join(outside))) < _PROSE_FROM


def copied_clauses(reading: Reading, questions: Sequence[str]) -> frozenset[int]:
    """Return the clauses of an answer that only repeat the question."""
    found: set[int] = set()
    asked = [(" ".join(t.stem for t in tokens(q)), frozenset(stems(q))) for q in questions]
    for number, clause in enumerate(reading.clauses):
        content = [t.stem for t in clause.tokens if t.content]
        said = " ".join(t.stem for t in clause.tokens)
        for text, words in asked:
            # A term of the question is not a copy of it: "JSON Web Token" may be an answer.
            if len(content) < 2 or len(clause.tokens) < min(5, 0.6 * len(text.split())):
                continue
            share = sum(1 for stem in content if stem in words) / len(content)
            if share >= _COPIED and fuzz.partial_ratio(said, text) >= 85:
                found.add(number)
                break
    return frozenset(found)
