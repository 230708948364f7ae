"""Words that carry no subject matter: function words, negators, and plain synonyms.

The synonyms are of everyday verbs and nouns that students swap freely. Technical terms are left
apart on purpose: "encode" and "encrypt" are the difference that a rubric is about.
"""

from __future__ import annotations

import snowballstemmer

__all__ = ["FUNCTION_WORDS", "LIGHT_STEMS", "NEGATORS", "SYNONYMS"]

FUNCTION_WORDS = frozenset(
    """
    a an the this that these those it its it's he she they them their there here i me my you your
    we us our who whom whose which what when where why how is am are was were be been being
    do does did done doing has have had having will would shall should can could may might must
    and or but if then else so as than because since while whereas although though however also too
    of in on at by for from to with into onto about over under between through during
    up down out off again further just very really quite even still yet any some all each every
    both more most other such own like e.g i.e eg ie etc via per s t re ve ll d m let get gets
    got getting make makes made making go goes going thing things something anything stuff lot lots
    much many well basically actually probably maybe kind sort example examples instance
    mean means meaning say says said know
    """.split()
)

NEGATORS = frozenset(
    """
    no not never none nobody nothing nowhere neither nor without cannot cant can't dont don't doesnt
    doesn't didnt didn't isnt isn't arent aren't wasnt wasn't wont won't wouldnt wouldn't couldnt
    couldn't shouldnt shouldn't hardly barely unable lacks lack lacking
    """.split()
)

# Words that matter in "one way only" and "before the code", but a little less than a noun does.
LIGHT_STEMS = frozenset({"one", "onli", "way", "befor", "after", "same", "need", "use", "want"})

_GROUPS = """
change modify alter tamper edit manipulate messed mess
check verify validate confirm verification validation
person people user visitor customer human
hacker attacker adversary
fast quick speedy rapid
slow slower
big large huge
little small tiny
whole entire complete full
send transmit transfer pass deliver
show demonstrate display
error fault bug mistake defect
begin start launch
stop prevent avoid
hide conceal
safe secure
insecure unsafe vulnerable
ensure guarantee assure sure
store save keep
create generate produce build
receive obtain
several multiple various many
single individual
part piece portion component
function method
together combine combined
alone isolation isolated itself
fake dummy stub simulated pretend
simulate imitate mimic
website site webpage
app application program
easy simple
hard difficult
cheap inexpensive
expensive costly
often frequently
automatic automatically automated
return returns
row record
database db
information info data
credential password
end e2e
invalid reject refuse
""".strip()

# Words that a stemmer would throw together with quite another idea: "integration", "authenticate".
_APART = {"integrity": "integrity", "authenticity": "authenticity", "authentic": "authenticity"}

_STEMMER = snowballstemmer.stemmer("english")


def _synonyms() -> dict[str, str]:
    """Map each word, and its stem, to the stem of the first word of its line."""
    found = dict(_APART)
    for line in _GROUPS.splitlines():
        words = line.split()
        head = str(_STEMMER.stemWord(words[0]))
        for word in words:
            found.setdefault(word, head)
            found.setdefault(str(_STEMMER.stemWord(word)), head)
    return found


SYNONYMS: dict[str, str] = _synonyms()
