"""The clean side: test cells run here, and ask for what the answer's cells defined.

A name is found, in this order, among what test cells defined here, the course's own cells (each
run when first needed), Python's built-ins, and last in the student's process. What the answer
would be seen to decide by itself (whether an object of its own equals the expected value) is
noted as a doubt: such a test verifies nothing.
"""

from __future__ import annotations

import builtins
import collections
import sys
import types
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from markbook.kernels.examiner import stubs
from markbook.kernels.examiner.peer import Peer, UncrossableError
from markbook.kernels.examiner.values import NoValueError
from markbook.kernels.examiner.wire import BrokenChannelError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from markbook.kernels.examiner.values import Table
    from markbook.kernels.examiner.wire import Channel

__all__ = ["Clean", "CleanSide"]

_ALIASES = {"np": "numpy", "pd": "pandas", "plt": "matplotlib.pyplot", "mpl": "matplotlib",
            "sp": "scipy", "sns": "seaborn", "sklearn": "sklearn"}  # fmt: skip
# What is not asked for: the other side could not mean ours by it.
_CLOSED = (types.ModuleType, types.FrameType, types.CodeType, types.TracebackType,
           types.CoroutineType, types.AsyncGeneratorType)  # fmt: skip
_CALLABLES = (types.FunctionType, types.MethodType)
_DATA = (list, dict, set, collections.deque, str, bytearray)
_STREAM = frozenset({"read", "readline", "readlines", "write", "writelines", "seek", "tell",
                     "getvalue", "truncate", "flush", "close"})  # fmt: skip
_CURSOR = frozenset({"execute", "executemany", "executescript", "fetchone", "fetchmany",
                     "fetchall", "close", "lastrowid", "rowcount", "description"})  # fmt: skip
# Only what cannot lead to code or files of this process: a connection loads extensions, too.
_LENT = {
    "_io.StringIO": _STREAM,
    "_io.BytesIO": _STREAM,
    "sqlite3.Cursor": _CURSOR,
    "sqlite3.Connection": _CURSOR | {"cursor", "commit", "rollback", "total_changes"},
}


class CleanSide(Peer):
    """The clean process's end of one conversation. ``doubts`` are sentences."""

    def __init__(self, channel: Channel, doubts: list[str], namespace: Mapping[str, Any]) -> None:
        super().__init__(channel)
        self.doubts = doubts
        self.namespace = namespace
        self.gone = False
        self.asked = ""  # the name that is being asked for
        self.tainted: set[int] = set()  # what came of an operator and one of the test's values

    def refuse(self, why: str) -> BaseException:
        """Note the doubt, and return what ends the test."""
        self.doubt(why)
        return UncrossableError(why)

    def ask(self, what: str, number: int, *rest: Any, **more: Any) -> Any:
        """Ask the student's side; where it does not answer as agreed, the test ends."""
        try:
            return super().ask(what, number, *rest, **more)
        except BrokenChannelError as error:
            self.gone = True
            raise self.refuse(f"the answer's process does not answer: {error}") from None
        except (NoValueError, RecursionError) as error:
            raise self.refuse(f"the answer's process sent what is no value: {error}") from None

    def operate(
        self, stub: Any, number: int, name: str, args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> Any:
        """Call a special method; what lets the answer see an expected value raises a doubt."""
        theirs = all(isinstance(type(value), stubs.StubType) for value in args)
        kind = type(stub).__name__
        if not theirs and name in stubs.COMPARISONS:
            self.doubt(f"an object of the answer's class {kind!r} compares itself with a value")
        elif not theirs and name == "__contains__":
            self.doubt(f"an object of the answer's class {kind!r} says itself what is in it")
        elif number in self.tainted and name in stubs.CONVERSIONS:
            self.doubt(f"an object of the answer's class {kind!r} was computed with")
        result = super().operate(stub, number, name, args, kwargs)
        if not theirs and name in stubs.ARITHMETIC and result is not NotImplemented:
            known = self.stub_numbers.get(id(result))
            if known is None:
                self.doubt(f"an object of the answer's class {kind!r} computes with a value")
            else:
                self.tainted.add(known)
        return result

    def doubt(self, why: str) -> None:
        """Note why what this test says is not to be relied on."""
        if why not in self.doubts:
            self.doubts.append(why)

    # -- what the other side may do with objects of this one

    def perform(
        self, request: dict[str, Any], args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> Any:
        """Do what is asked, if the object was passed to be used in that way."""
        value = self.exports[request["number"]]
        what, name = request["do"], str(request.get("name", ""))
        if self._allows(value, what, name):
            return super().perform(request, args, kwargs)
        raise self.refuse(f"the answer uses an object of the test, a {type(value).__name__}")

    def _allows(self, value: Any, what: str, name: str) -> bool:
        if what == "call" or name == "__call__":
            return _may_be_called(value) or self._is_own(value)
        if self._is_own(value):
            return not isinstance(value, type) and (what == "op" or not name.startswith("_"))
        if what == "op":
            steps = name == "send" and type(value) is types.GeneratorType
            iterates = name in ("__iter__", "__next__") and isinstance(value, Iterator)
            known = type(value).__module__ in ("builtins", "itertools") or bool(_lent(value))
            return steps or (iterates and known)
        return what == "attribute" and name in _lent(value)

    def _is_own(self, value: Any) -> bool:
        """Tell whether it is a class of the test cells, or an object of one."""
        kind = value if isinstance(value, type) else type(value)
        return kind.__module__ == "__main__" and not isinstance(kind, stubs.StubType)

    def refer(self, value: Any, table: Table) -> list[Any]:
        """Return JSON for an object of this side; built-in functions the other side has itself."""
        if type(value) in (types.BuiltinFunctionType, types.FunctionType):
            module, name = (
                str(getattr(value, "__module__", "")),
                str(getattr(value, "__name__", "")),
            )
            if module != "__main__" and getattr(sys.modules.get(module), name, None) is value:
                return ["import", module, name]
        if isinstance(value, _CLOSED) and type(value) is not types.ModuleType:
            raise self.refuse(f"the test passes a {type(value).__name__}")
        return super().refer(value, table)

    def module(self, name: str) -> Any:
        """Return a module that has its own name in the test; no other is the answer's to choose."""
        if self.asked in (name, name.rpartition(".")[2]) or _ALIASES.get(self.asked) == name:
            return super().module(name)
        raise NoValueError("no module")


def _may_be_called(value: Any) -> bool:
    if type(value) in _CALLABLES:
        return True
    if type(value) is types.BuiltinFunctionType:  # results.append, say
        owner = value.__self__
        return type(owner) in _DATA or value.__name__ in _lent(owner)
    mock: Any = sys.modules.get("unittest.mock")
    return mock is not None and isinstance(value, mock.Base)


def _lent(value: Any) -> frozenset[str]:
    """Return what the answer may use of an object that a test passes to it."""
    return _LENT.get(f"{type(value).__module__}.{type(value).__name__}", frozenset())


class Clean(dict[str, Any]):
    """The names of test cells; those that are not there are looked for.

    ``answers`` are the names that the release leaves to the answer, built-in ones too.
    """

    def __init__(self) -> None:
        super().__init__(__name__="__main__", __doc__=None, display=_display)
        self.side: CleanSide | None = None
        self.answers: frozenset[str] = frozenset()
        self.providers: dict[str, Callable[[], None]] = {}
        self.stars: Callable[[], None] | None = None
        self.fetched: set[str] = set()

    def meet(self, side: CleanSide | None) -> None:
        """Ask this side from now on; what another one was asked for is forgotten."""
        self.side = side
        for name, value in list(self.items()):
            theirs = isinstance(type(value), stubs.StubType) or isinstance(value, stubs.StubType)
            if theirs or name in self.fetched:
                del self[name]
        self.fetched.clear()

    def __missing__(self, name: str) -> Any:
        for provide in (self.providers.pop(name, None), self.stars):
            if provide is not None:
                provide()
                if name in self.keys():
                    return self[name]
        if name.startswith("__") or (hasattr(builtins, name) and name not in self.answers):
            raise KeyError(name)
        if self.side is None:
            raise KeyError(name)
        if name in ("get_ipython", "In", "Out"):
            raise self.side.refuse(f"the test uses {name}, which is the kernel's")
        return self._fetch(name, self.side)

    def _fetch(self, name: str, side: CleanSide) -> Any:
        side.asked = name
        try:
            answer = side.ask("name", 0, name=name)
        finally:
            side.asked = ""
        if type(answer) is not tuple or len(answer) != 2:
            raise side.refuse("the answer's process sent what is no value")
        found, value = answer
        if found is not True:
            raise KeyError(name)
        if type(value) is types.FunctionType or isinstance(value, type):
            self[name] = value
            self.fetched.add(name)
        return value

    def __contains__(self, name: object) -> bool:
        if super().__contains__(name):
            return True
        try:
            self[str(name)]
        except KeyError:
            return False
        return True

    def get(self, name: str, default: Any = None) -> Any:
        """Return what a name stands for, wherever it is."""
        try:
            return self[name]
        except KeyError:
            return default


def _display(*values: Any, **_: Any) -> None:
    for value in values:
        repr(value)
