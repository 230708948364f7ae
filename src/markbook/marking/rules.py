"""Rules by which a person accepts suggestions in bulk: ``confidence >= 0.9``.

A rule is one condition in a small language: names, numbers, quoted texts, comparisons, ``in``,
``and``, ``or``, ``not`` and brackets. It is read with Python's parser and evaluated by us; nothing
is ever executed.
"""

from __future__ import annotations

import ast
import dataclasses
import operator
import warnings
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from markbook.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["Facts", "Rule", "parse_rule"]

# Longer than any rule a person states; keeps the parser's recursion shallow.
_LONGEST = 500
# Far above any score; refuses 1e999, which Python reads as infinity.
_LARGEST = 1_000_000

_EXAMPLE = "Write for example: confidence >= 0.9 and question != 'tdd'"


@dataclass(frozen=True, slots=True)
class Facts:
    """What a rule may ask about one answer with a full set of suggestions.

    ``confidence`` is the least over the rubric's criteria, ``score`` what the suggestions would
    earn, ``points`` the most the question can earn, ``awarded`` the number of criteria suggested
    as earned.
    """

    confidence: float
    score: float
    points: float
    awarded: int
    question: str


_TEXT_NAMES = ("question",)
_NAMES = tuple(field.name for field in dataclasses.fields(Facts))

_COMPARE: dict[type[ast.cmpop], Callable[[Any, Any], bool]] = {
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
    ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
    ast.In: lambda left, right: left in right,
    ast.NotIn: lambda left, right: left not in right,
}


@dataclass(frozen=True, slots=True)
class Rule:
    """A rule that was checked: ``text`` as stated, ``questions`` the question ids it names."""

    text: str
    questions: tuple[str, ...]
    _tree: ast.expr = dataclasses.field(repr=False, compare=False)

    def matches(self, facts: Facts) -> bool:
        """Tell whether the rule covers an answer of which these facts hold."""
        return bool(_evaluate(self._tree, facts))


def parse_rule(text: str) -> Rule:
    """Read a rule; ``UsageError`` names what is not part of the language, and what is."""
    stated = " ".join(text.split())
    if not stated:
        raise UsageError("The rule is empty.", hint=_EXAMPLE)
    if len(stated) > _LONGEST:
        raise UsageError(f"The rule is longer than {_LONGEST} characters.", hint=_EXAMPLE)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            tree = ast.parse(stated, mode="eval").body
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        detail = getattr(error, "msg", "") or "it cannot be read"
        raise UsageError(
            f"The rule {stated!r} is not a condition: {detail}.", hint=_EXAMPLE
        ) from None
    _Checker(stated).condition(tree)
    return Rule(stated, _questions(tree), tree)


def _questions(tree: ast.expr) -> tuple[str, ...]:
    # Texts are only ever compared with question, so every text in a rule is a question id.
    texts = [
        node.value
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    ]
    return tuple(dict.fromkeys(texts))


class _Checker:
    """Lets through what the language has, with sensible types, and refuses the rest."""

    def __init__(self, text: str) -> None:
        self.text = text

    def refuse(self, why: str, hint: str = _EXAMPLE) -> UsageError:
        return UsageError(f"The rule {self.text!r} {why}.", hint=hint)

    def condition(self, node: ast.expr) -> None:
        if isinstance(node, ast.BoolOp):
            for part in node.values:
                self.condition(part)
        elif isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not):
            self.condition(node.operand)
        elif isinstance(node, ast.Compare):
            self.comparison(node)
        else:
            piece = ast.unparse(node)
            if isinstance(node, ast.Name) and node.id in _NAMES:
                raise self.refuse(f"has {piece!r} without a comparison")
            self.kind(node)
            raise self.refuse(f"has {piece!r} where a comparison belongs")

    def comparison(self, node: ast.Compare) -> None:
        sides = [node.left, *node.comparators]
        for left, op, right in zip(sides, node.ops, sides[1:], strict=False):
            if type(op) not in _COMPARE:
                raise self.refuse("uses 'is'; compare with == or !=")
            if isinstance(op, ast.In | ast.NotIn):
                self.membership(left, right)
            elif (one := self.kind(left)) != (other := self.kind(right)):
                raise self.refuse(
                    f"compares a {one} ({ast.unparse(left)}) with a {other} ({ast.unparse(right)})"
                )
            elif one == "text" and not isinstance(op, ast.Eq | ast.NotEq):
                raise self.refuse("orders texts; compare a question with == or != or in")
            self.sensible(left, right)
            self.sensible(right, left)

    def membership(self, left: ast.expr, right: ast.expr) -> None:
        if not isinstance(right, ast.Tuple | ast.List | ast.Set):
            raise self.refuse(
                "needs a list behind 'in'", "Write for example: question in ('a', 'b')"
            )
        for item in right.elts:
            if not isinstance(item, ast.Constant) or self.kind(item) != self.kind(left):
                raise self.refuse(f"cannot look for {ast.unparse(left)} in {ast.unparse(right)}")

    def sensible(self, side: ast.expr, other: ast.expr) -> None:
        """Refuse ``confidence >= 90``: it would match nothing, and silently."""
        if not (isinstance(side, ast.Name) and side.id == "confidence"):
            return
        value = _evaluate(other, None) if not isinstance(other, ast.Name) else 0.0
        numbers = value if isinstance(value, tuple) else (value,)
        if any(not 0 <= number <= 1 for number in numbers):
            raise self.refuse(
                f"compares confidence with {ast.unparse(other)}",
                "Confidence goes from 0 to 1: write 0.9 for 90 percent.",
            )

    def kind(self, node: ast.expr) -> str:
        if isinstance(node, ast.Name):
            if node.id in _NAMES:
                return "text" if node.id in _TEXT_NAMES else "number"
            raise self.refuse(
                f"has the unknown name {node.id!r}",
                f"It may use {', '.join(_NAMES)}; question ids go in quotes.",
            )
        if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
            if self.kind(node.operand) == "number":
                return "number"
        elif isinstance(node, ast.Constant):
            if isinstance(node.value, str):
                return "text"
            # bool is an int to Python, and True is no number here.
            if type(node.value) in (int, float) and node.value <= _LARGEST:  # type: ignore[operator]
                return "number"
        raise self.refuse(
            f"has {ast.unparse(node)!r}, which is not part of the language",
            "It has names, numbers, quoted texts, comparisons, in, and, or, not and brackets.",
        )


def _evaluate(node: ast.expr, facts: Facts | None) -> Any:
    if isinstance(node, ast.Constant):
        return node.value
    if isinstance(node, ast.Name):
        return getattr(facts, node.id)
    if isinstance(node, ast.Tuple | ast.List | ast.Set):
        return tuple(_evaluate(item, facts) for item in node.elts)
    if isinstance(node, ast.UnaryOp):
        value = _evaluate(node.operand, facts)
        return not value if isinstance(node.op, ast.Not) else -value
    if isinstance(node, ast.BoolOp):
        check = all if isinstance(node.op, ast.And) else any
        return check(_evaluate(part, facts) for part in node.values)
    if isinstance(node, ast.Compare):
        sides = [_evaluate(side, facts) for side in (node.left, *node.comparators)]
        pairs = zip(sides, node.ops, sides[1:], strict=False)
        return all(_COMPARE[type(op)](left, right) for left, op, right in pairs)
    raise TypeError(f"unchecked rule: {ast.dump(node)}")
