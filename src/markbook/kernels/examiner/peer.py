"""One side of the conversation between a clean process and the student's: questions, answers.

A question may be answered by a question first (a function that was passed is called), and so on;
at any time one side is listening. Both sides answer the same questions: call an object, one of
its special methods, its attributes. Which objects the clean side lets be asked is its own matter.
"""

from __future__ import annotations

import builtins
import inspect
import sys
import types
from typing import TYPE_CHECKING, Any

from markbook.kernels.examiner import stubs
from markbook.kernels.examiner.said import collected
from markbook.kernels.examiner.values import Codec, NoValueError, Table, TooMuchError

if TYPE_CHECKING:
    from markbook.kernels.examiner.wire import Channel

__all__ = ["Peer", "UncrossableError"]

_FUNCTIONS: tuple[type, ...] = (
    types.FunctionType,
    types.BuiltinFunctionType,
    types.MethodType,
    types.MethodWrapperType,
)
_TYPES = {
    kind.__name__: kind
    for kind in (bool, int, float, complex, str, bytes, bytearray, list, tuple, dict, set,
                 frozenset, object, range)
}  # fmt: skip
_TYPES |= {
    name: kind
    for name, kind in vars(builtins).items()
    if isinstance(kind, type) and issubclass(kind, BaseException)
}
_TYPE_NAMES = {kind: name for name, kind in _TYPES.items()}


class UncrossableError(BaseException):
    """Something that cannot be asked across processes. No ``except Exception`` catches it."""


class Peer:
    """One side. ``exports`` are this side's objects that the other one may name by number."""

    def __init__(self, channel: Channel) -> None:
        self.channel = channel
        self.codec = Codec(self)
        self.exports: list[Any] = []
        self.export_numbers: dict[int, int] = {}
        self.told: set[int] = set()
        self.stubs: dict[int, Any] = {}
        self.stub_numbers: dict[int, int] = {}
        self.said: list[list[str]] = []  # while answering

    # -- asking

    def call(self, number: int, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """Call the other side's object."""
        return self.ask("call", number, args, kwargs)

    def operate(
        self, stub: Any, number: int, name: str, args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> Any:
        """Call a special method of the other side's object."""
        return self.ask("op", number, args, kwargs, name=name)

    def get_attribute(self, number: int, name: str) -> Any:
        """Return an attribute of the other side's object."""
        return self.ask("attribute", number, name=name)

    def set_attribute(self, number: int, name: str, value: Any) -> None:
        """Set an attribute of the other side's object."""
        self.ask("set", number, (value,), name=name)

    def delete_attribute(self, number: int, name: str) -> None:
        """Delete an attribute of the other side's object."""
        self.ask("delete", number, name=name)

    def refuse(self, why: str) -> BaseException:
        """Return what is raised where a stub cannot do what the object could."""
        return UncrossableError(why)

    def ask(
        self,
        what: str,
        number: int,
        args: tuple[Any, ...] = (),
        kwargs: dict[str, Any] | None = None,
        **more: Any,
    ) -> Any:
        """Ask, answer what is asked back, and return or raise what came of it."""
        table = Table()
        try:
            request = {
                "do": what,
                "number": number,
                "args": [self.codec.encode(value, table) for value in args],
                "kwargs": {k: self.codec.encode(v, table) for k, v in (kwargs or {}).items()},
                **more,
            }
            if self.said:  # what was printed before, where this side is answering itself
                request["said"] = self._take_said()
            self.channel.send(request)
        except ValueError as error:
            raise self.refuse(f"an argument that cannot cross: {error}") from None
        while "do" in (reply := self.channel.receive()):
            self._print(reply.get("said"))
            self.answer(reply)
        self._print(reply.get("said"))
        value, raised = self._outcome(reply, table)
        if raised is not None:
            raise raised
        return value

    def _outcome(self, reply: dict[str, Any], table: Table) -> tuple[Any, BaseException | None]:
        try:
            for place, content in reply.get("changed", ()):
                self.codec.fill(table.objects[_natural(place)], content, table)
            if "raised" not in reply:
                return self.codec.decode(reply.get("value"), table), None
            raised = self.codec.decode(reply["raised"], table)
        except (TypeError, ValueError, KeyError, IndexError, AttributeError) as error:
            raise NoValueError(str(error)) from error
        if not isinstance(raised, BaseException):
            raise NoValueError("no exception")
        return None, raised

    def _take_said(self) -> list[list[str]]:
        said = [pair[:] for pair in self.said]
        self.said.clear()
        return said

    def _print(self, said: Any) -> None:
        for pair in said if isinstance(said, list) else ():
            if isinstance(pair, list) and len(pair) == 2:
                stream = sys.stderr if pair[0] == "stderr" else sys.stdout
                stream.write(str(pair[1]))

    # -- answering

    def answer(self, request: dict[str, Any]) -> None:
        """Do what is asked, and say what came of it."""
        table = Table()
        before = self.said
        with collected() as self.said:
            try:
                args = tuple(self.codec.decode(node, table) for node in request.get("args", ()))
                kwargs = {
                    str(k): self.codec.decode(v, table)
                    for k, v in request.get("kwargs", {}).items()
                }
                given = [self.codec.held(value, table) for value in table.objects]
                value = self.perform(request, args, kwargs)
                reply = {"value": self.codec.encode(value, table)}
                changed = self._changed(given, table)
                if changed:
                    reply["changed"] = changed
            except BaseException as error:  # noqa: BLE001  (told to who asked)
                reply = self._failure(error, table)
            said = self._take_said()
        self.said = before
        if said:
            reply["said"] = said
        try:
            self.channel.send(reply)
        except ValueError as error:
            self.channel.send(self._failure(TooMuchError(str(error)), Table()))

    def _failure(self, error: BaseException, table: Table) -> dict[str, Any]:
        try:
            return {"raised": self.codec.encode(error, table)}
        except (ValueError, RecursionError):
            text = f"{type(error).__name__}"
            return {"raised": self.codec.encode(RuntimeError(text), Table())}

    def _changed(self, given: list[Any], table: Table) -> list[Any]:
        changed = []
        for place, before in enumerate(given):
            now = self.codec.held(table.objects[place], table)
            if now != before:
                changed.append([place, now])
        return changed

    def perform(
        self, request: dict[str, Any], args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> Any:
        """Do what is asked of an object of this side."""
        value = self.exports[request["number"]]
        what, name = request["do"], request.get("name", "")
        if what == "call":
            return value(*args, **kwargs)
        if what == "op":
            if name == "send":
                return value.send(*args)
            if name not in stubs.OPERATORS:
                raise NoValueError(f"no operator: {name}")
            return getattr(type(value), name)(value, *args, **kwargs)
        if what == "attribute":
            return getattr(value, name)
        if what == "set":
            return setattr(value, name, *args)
        if what == "delete":
            return delattr(value, name)
        raise NoValueError("no question")

    # -- references

    def export(self, value: Any) -> int:
        """Give one of this side's objects a number, by which the other side may name it."""
        number = self.export_numbers.get(id(value))
        if number is None:
            number = self.export_numbers[id(value)] = len(self.exports)
            self.exports.append(value)
        return number

    def refer(self, value: Any, table: Table) -> list[Any]:
        """Return JSON that stands for an object."""
        known = self.stub_numbers.get(id(value))
        if known is not None:
            return ["own", known]
        kind = type(value)
        if kind is types.ModuleType:
            return ["module", value.__name__]
        if kind is type and value in _TYPE_NAMES:
            return ["type", _TYPE_NAMES[value]]
        number = self.export(value)
        if number in self.told:
            return ["ref", number]
        self.told.add(number)
        try:
            return ["ref", number, self.describe(value, table)]
        except BaseException:
            self.told.discard(number)
            raise

    def describe(self, value: Any, table: Table) -> list[Any]:
        """Return what the other side has to know to stand something for an object."""
        kind = type(value)
        if kind in _FUNCTIONS and not getattr(value, "__dict__", None):
            doc = getattr(value, "__doc__", None)
            return [
                "function",
                str(getattr(value, "__name__", "function")),
                doc if type(doc) is str else None,
                self._parameters(value, table),
            ]
        if isinstance(value, type):
            return self._class(value, table)
        if kind is types.GeneratorType:
            return ["generator"]
        described = self.codec.encode(kind, table)
        if isinstance(value, BaseException):
            return ["exception", described, self.codec.encode(tuple(value.args), table)]
        return ["object", described]

    def _parameters(self, value: Any, table: Table) -> list[Any] | None:
        try:
            parameters = inspect.signature(value).parameters.values()
        except (ValueError, TypeError):
            return None
        return [
            [
                parameter.name,
                int(parameter.kind),
                []
                if parameter.default is inspect.Parameter.empty
                else [self.codec.encode(parameter.default, table)],
            ]
            for parameter in parameters
        ]

    def _class(self, value: type, table: Table) -> list[Any]:
        library = value.__module__ not in ("__main__", "builtins")
        if library and issubclass(value, BaseException):
            origin = [value.__module__, value.__qualname__]
        else:
            origin = []
        bases = [self.codec.encode(base, table) for base in value.__bases__]
        found = {name for kind in value.__mro__[:-1] for name in vars(kind)}
        operators = sorted(
            name
            for name in found & stubs.OPERATORS
            if getattr(value, name, None) is not getattr(object, name, None)
            and getattr(value, name, None) is not None
        )
        return ["class", value.__name__, bases, operators, origin]

    def resolve(self, node: list[Any], table: Table) -> Any:
        """Return what a reference of the other side's is here."""
        tag = node[0]
        if tag == "own":
            return self.exports[_natural(node[1])]
        if tag == "type":
            return _TYPES[node[1]]
        if tag == "module":
            return self.module(str(node[1]))
        if tag == "import":
            return self.function(node)
        if tag != "ref":
            raise NoValueError("no value")
        number = _natural(node[1])
        if number not in self.stubs:
            made = self._make(number, node[2], table)
            self.stubs[number] = made
            self.stub_numbers[id(made)] = number
        return self.stubs[number]

    def module(self, name: str) -> Any:
        """Return this side's module of that name."""
        return __import__(name, fromlist=["_"])

    def function(self, node: list[Any]) -> Any:
        """Return this side's own function of a library. The clean side never does."""
        raise NoValueError("no value")

    def _make(self, number: int, description: list[Any], table: Table) -> Any:
        kind, *more = description
        if kind == "function":
            name, doc, parameters = more
            for parameter in parameters or ():
                parameter[2] = [self.codec.decode(node, table) for node in parameter[2]]
            return stubs.make_function(self, number, str(name), doc, parameters)
        if kind == "class":
            return self._make_class(number, more, table)
        if kind == "generator":
            return stubs.make_generator(lambda sent: self.ask("op", number, (sent,), name="send"))
        described = self.codec.decode(more[0], table)
        if kind == "exception" and issubclass(described, BaseException):
            args = self.codec.decode(more[1], table)
            return stubs.make_exception(described, number, args)
        if kind == "object" and isinstance(described, stubs.StubType):
            return stubs.make_object(described, number)
        if kind == "object" and described in _TYPES.values():
            return self._plain_object(number)
        raise NoValueError("no object")

    def _plain_object(self, number: int) -> Any:
        return stubs.make_object(stubs.make_class(self, number, "object", (object,), []), number)

    def _make_class(self, number: int, more: list[Any], table: Table) -> type:
        name, nodes, operators, origin = more
        bases = [self.codec.decode(node, table) for node in nodes]
        if origin and (known := self.exception_class(*map(str, origin))) is not None:
            return known
        # Data types do not count: a subclass of int that is one over here would need its value.
        if not all(isinstance(base, type) for base in bases):
            raise NoValueError("no class")
        return stubs.make_class(self, number, str(name), tuple(bases), list(operators))

    def exception_class(self, module: str, name: str) -> type[BaseException] | None:
        """Return this side's own exception class of that name, if it is a library's."""
        if module.partition(".")[0] not in sys.stdlib_module_names and module not in sys.modules:
            return None
        if module.startswith("markbook"):
            return None
        try:
            kind: Any = __import__(module, fromlist=["_"])
            for part in name.split("."):
                kind = getattr(kind, part)
        except (ImportError, AttributeError):
            return None
        # Those that are no errors end tests quietly, and so does a skipped one.
        is_error = isinstance(kind, type) and issubclass(kind, Exception)
        return kind if is_error and kind.__name__ != "SkipTest" else None


def _natural(value: Any) -> int:
    if type(value) is not int or value < 0:
        raise NoValueError("no number")
    return value
