"""Words for comparing texts: the same question, however it is punctuated or marked up."""

from __future__ import annotations

import re
import threading
import unicodedata
from functools import lru_cache

import snowballstemmer

__all__ = ["normalise", "stem", "stems", "words"]

_TAG = re.compile(r"</?[A-Za-z][^<>]{0,200}>")
_LINK = re.compile(r"!?\[([^\[\]]{0,500})\]\([^()\s]{0,2000}\)")
_APOSTROPHES = str.maketrans(dict.fromkeys("\u2018\u2019\u201b\u02bc\u00b4`\uff07\u2032", "'"))
_INVISIBLE = re.compile("[\u200b-\u200f\u202a-\u202e\u2060-\u2064\ufeff\u00ad]")
# A word may hold marks inside that change its meaning: C++, C#, node.js stay apart from c and js.
_WORD = re.compile(r"[^\W_]+(?:'[^\W_]+)*(?:[+#]+(?!\w))?|[^\W_]+")

_WHOLE = {
    "can't": "can not",
    "cannot": "can not",
    "won't": "will not",
    "shan't": "shall not",
    "let's": "let us",
    "whats": "what is",
    "whos": "who is",
    "hows": "how is",
    "thats": "that is",
    "dont": "do not",
    "doesnt": "does not",
    "didnt": "did not",
    "isnt": "is not",
    "arent": "are not",
    "cant": "can not",
    "wont": "will not",
}
_ENDINGS = (("n't", "not"), ("'re", "are"), ("'ve", "have"), ("'ll", "will"), ("'m", "am"))
# After these, 's is short for "is"; after any other word it is a possessive and dropped.
_IS_AFTER = frozenset(
    "what who how where when why that it he she there here this everything something".split()
)
_SHORTENED_D = frozenset("i you he she it we they who what how".split())

_lock = threading.Lock()
_stemmer = snowballstemmer.stemmer("english")


def _spelled_out(word: str) -> str:
    if word in _WHOLE:
        return _WHOLE[word]
    if "'" not in word:
        return word
    for ending, full in _ENDINGS:
        if word.endswith(ending) and word != ending:
            return f"{word.removesuffix(ending)} {full}"
    head, _, tail = word.partition("'")
    if tail == "s":
        return f"{head} is" if head in _IS_AFTER else head
    if tail == "d" and head in _SHORTENED_D:
        return f"{head} would"
    return word.replace("'", "")


def normalise(text: str) -> str:
    """Return ``text`` for comparing: lower case, contractions spelled out, words only.

    Markdown marks, HTML tags, link targets, punctuation and back-ticks are dropped, compatibility
    characters (full width, ligatures) unified, and words joined by single spaces.
    """
    text = unicodedata.normalize("NFKC", _INVISIBLE.sub("", text.translate(_APOSTROPHES)))
    text = _LINK.sub(r"\1", _TAG.sub(" ", text)).casefold()
    return " ".join(_spelled_out(match.group()) for match in _WORD.finditer(text))


def words(text: str) -> list[str]:
    """Return the words of ``normalise(text)`` in order."""
    return normalise(text).split()


@lru_cache(maxsize=50_000)
def stem(word: str) -> str:
    """Return the English stem of one lower-case word; words beyond 40 characters as they are."""
    if len(word) > 40:
        return word
    with _lock:  # the stemmer keeps the word it works on in itself
        return str(_stemmer.stemWord(word))


def stems(text: str) -> list[str]:
    """Return the stems of ``words(text)`` in order."""
    return [stem(word) for word in words(text)]
