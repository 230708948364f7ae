"""Which answers are sent to nobody, and what is covered in those that are."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from markbook.graders.outside.base import Problem, Reason

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["COVER", "covered", "sendable", "withheld"]

COVER = "\u2592"  # one for each letter covered, so that places in the text stay the same
_LONGEST = 20_000  # characters: what graders read of an answer, too; some 7,000 tokens
_SHORTEST_NAME = 3  # letters: "Al" and "Bo" are words of other languages, and tell nobody's name

_HIDDEN = re.compile(
    "[\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180e\u200b-\u200f\u202a-\u202e"
    "\u2060-\u206f\u3164\ufe00-\ufe0e\ufeff\uffa0\U000e0000-\U000e0fff]"
)
# Talk to whoever reads, in the forms that models are known to obey. Wider than the graders' own
# guard: there a false alarm costs a suggestion, here it costs a request not made.
_INSTRUCTIONS = re.compile(
    r"\b(?:ignore|disregard|forget|override|bypass)\b.{0,60}"
    r"\b(?:instructions?|rubrics?|criteri\w+|prompts?|rules?|above|previous)\b"
    r"|\b(?:give|award|grant|assign|mark|grade|rate|score)\b.{0,40}"
    r"\b(?:full|maximum|max|all|top|highest|perfect|every)\b.{0,20}"
    r"\b(?:marks?|points?|credits?|scores?|criteri\w+|grades?)\b"
    r"|\b(?:dear|note to the|attention|message (?:to|for) the)\s+(?:grader|marker|ai|model)\b"
    r"|\b(?:you are|act as|pretend to be)\s+(?:now\s+)?(?:an?\s+)?(?:\w+\s+)?"
    r"(?:ai|assistant|grader|marker|language model|chatbot)\b"
    r"|\b(?:system|developer)\s+(?:prompt|message|override)\b"
    r"|^\s*(?:system|assistant|developer)\s*:"
    r"|<\|?/?(?:im_start|im_end|system|assistant|user|endoftext|eot_id|start_header_id)\b[^>]{0,20}>"
    r"|\[/?INST\]"
    r"|[\"'](?:awarded|confidence|quote)[\"']\s*:",
    re.IGNORECASE | re.MULTILINE | re.DOTALL,
)
_HALVES = re.compile("[\ud800-\udfff]")
_MAIL = re.compile(r"[\w.+-]{1,64}@[\w-]{1,64}(?:\.[\w-]{1,64})+")


def withheld(text: str) -> Problem | None:
    """Return why an answer is sent to nobody, or None."""
    if not any(letter.isalnum() for letter in text):
        return Problem(Reason.NO_WORDS, "There are no words to judge.")
    if len(text) > _LONGEST:
        return Problem(Reason.TOO_LONG, f"It has more than {_LONGEST} characters.")
    if _HIDDEN.search(text):
        return Problem(Reason.HIDDEN_CHARACTERS, "The text has invisible characters.")
    if _INSTRUCTIONS.search(text):
        return Problem(Reason.INSTRUCTIONS, "The text seems to instruct whoever reads it.")
    return None


def sendable(text: str) -> str:
    """Put a mark for what cannot be sent (half a surrogate pair), so that places stay the same."""
    return _HALVES.sub("\ufffd", text)


def covered(text: str, names: Iterable[str]) -> str:
    """Return the text with names and addresses covered; it is as long as before.

    ``names`` are what is known of its writers (ids, first and last names, e-mail addresses); they
    are found as whole words, in capitals or not.
    """
    wanted = sorted({n.strip() for n in names if len(n.strip()) >= _SHORTEST_NAME}, key=len)
    patterns = [_MAIL]
    if wanted:
        joined = "|".join(re.escape(name) for name in reversed(wanted))
        patterns.append(re.compile(rf"(?<!\w)(?:{joined})(?!\w)", re.IGNORECASE))
    text = sendable(text)
    for pattern in patterns:
        text = pattern.sub(lambda found: COVER * len(found.group()), text)
    return text
