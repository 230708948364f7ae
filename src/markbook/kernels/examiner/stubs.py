"""What stands for the other side's functions, classes, generators and objects.

Each use of one is a question to the other side, and its answer is a value, or another of these.
A function's stub is a function, a generator's a generator, an exception's an exception of the
nearest built-in class, and a class's a class: ``callable``, ``isinstance``, ``except`` work.
"""

from __future__ import annotations

import inspect
from types import FunctionType
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable, Generator

__all__ = [
    "ARITHMETIC",
    "COMPARISONS",
    "CONVERSIONS",
    "OPERATORS",
    "Asker",
    "StubType",
    "make_class",
    "make_exception",
    "make_function",
    "make_generator",
    "make_object",
]


class Asker(Protocol):
    """The side that stubs belong to; numbers are those of the other side's objects."""

    def call(self, number: int, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """Call an object."""

    def operate(
        self, stub: Any, number: int, name: str, args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> Any:
        """Call one of an object's special methods."""

    def get_attribute(self, number: int, name: str) -> Any:
        """Return an attribute."""

    def set_attribute(self, number: int, name: str, value: Any) -> None:
        """Set an attribute."""

    def delete_attribute(self, number: int, name: str) -> None:
        """Delete an attribute."""

    def refuse(self, why: str) -> BaseException:
        """Return what is raised where a stub cannot do what the object could."""


COMPARISONS = frozenset({"__eq__", "__ne__", "__lt__", "__le__", "__gt__", "__ge__"})
_BINARY = ("add", "sub", "mul", "truediv", "floordiv", "mod", "divmod", "pow", "matmul", "and",
           "or", "xor", "lshift", "rshift")  # fmt: skip
ARITHMETIC = frozenset(f"__{kind}{name}__" for name in _BINARY for kind in ("", "r", "i"))
CONVERSIONS = frozenset({"__bool__", "__int__", "__float__", "__complex__", "__index__", "__abs__",
                         "__round__", "__trunc__", "__floor__", "__ceil__", "__neg__", "__pos__",
                         "__invert__", "__len__", "__str__", "__repr__", "__format__", "__hash__",
                         "__bytes__"})  # fmt: skip
_OTHERS = frozenset({"__getitem__", "__setitem__", "__delitem__", "__contains__", "__iter__",
                     "__next__", "__reversed__", "__call__", "__enter__", "__exit__",
                     "__length_hint__", "__missing__"})  # fmt: skip
OPERATORS = COMPARISONS | ARITHMETIC | CONVERSIONS | _OTHERS

_set: Callable[[Any, str, Any], None] = object.__setattr__


def _operator(name: str) -> Callable[..., Any]:
    def method(self: Any, *args: Any, **kwargs: Any) -> Any:
        asker = type(self)._markbook_asker
        return asker.operate(self, self._markbook_number, name, args, kwargs)

    method.__name__ = method.__qualname__ = name
    return method


_METHODS = {name: _operator(name) for name in OPERATORS}


class StubType(type):
    """The class of classes that stand for the other side's."""

    _markbook_asker: Asker
    _markbook_class: int

    def __new__(
        cls, name: str, bases: tuple[type, ...], namespace: dict[str, Any], **_: Any
    ) -> StubType:
        if "_markbook_asker" not in namespace:  # a class statement: a subclass on this side
            raise bases[0]._markbook_asker.refuse(  # type: ignore[attr-defined]
                f"a class {name!r} that inherits from one of the answer's"
            )
        return super().__new__(cls, name, bases, namespace)

    def __call__(cls, *args: Any, **kwargs: Any) -> Any:
        return cls._markbook_asker.call(cls._markbook_class, args, kwargs)

    def __getattr__(cls, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return cls._markbook_asker.get_attribute(cls._markbook_class, name)

    def __setattr__(cls, name: str, value: Any) -> None:
        cls._markbook_asker.set_attribute(cls._markbook_class, name, value)


def _attributes() -> dict[str, Any]:
    def __getattr__(self: Any, name: str) -> Any:  # noqa: N807
        if name.startswith("__") or name == "_markbook_number":
            raise AttributeError(name)
        return type(self)._markbook_asker.get_attribute(self._markbook_number, name)

    def __setattr__(self: Any, name: str, value: Any) -> None:  # noqa: N807
        type(self)._markbook_asker.set_attribute(self._markbook_number, name, value)

    def __delattr__(self: Any, name: str) -> None:  # noqa: N807
        type(self)._markbook_asker.delete_attribute(self._markbook_number, name)

    return {"__getattr__": __getattr__, "__setattr__": __setattr__, "__delattr__": __delattr__}


class _Stub:
    """What every object that stands for another has."""

    __slots__ = ("_markbook_number",)


_ATTRIBUTES = _attributes()
_SHOWN = {name: _METHODS[name] for name in ("__repr__", "__str__", "__format__")}


def make_class(
    asker: Asker, number: int, name: str, bases: tuple[type, ...], operators: list[str]
) -> StubType:
    """Make what stands for a class whose bases are ``bases`` over here."""
    exceptions = tuple(base for base in bases if issubclass(base, BaseException))
    ours = tuple(base for base in bases if isinstance(base, StubType))
    namespace: dict[str, Any] = {
        "_markbook_asker": asker,
        "_markbook_class": number,
        "__module__": "__main__",
    }
    if exceptions:  # what Python itself sets on exceptions stays on this side
        namespace["__getattr__"] = _ATTRIBUTES["__getattr__"]
    else:
        namespace |= _ATTRIBUTES | _SHOWN
        namespace |= {o: _METHODS[o] for o in operators if o in OPERATORS}
        namespace["__slots__"] = ()
    try:
        return StubType(name, exceptions or ours or (_Stub,), namespace)
    except TypeError:  # no order of methods: there was one over there, of other bases
        return StubType(name, exceptions[:1] or (_Stub,), namespace)


def make_object(kind: type, number: int) -> Any:
    """Make what stands for an instance of a class that ``make_class`` made."""
    stub: Any = object.__new__(kind)
    _set(stub, "_markbook_number", number)
    return stub


def make_exception(kind: type, number: int, args: tuple[Any, ...]) -> BaseException:
    """Make an exception to raise over here; attributes of its own are asked for."""
    new: Any = kind.__new__
    made: BaseException = new(kind, *args)
    made.args = args
    if isinstance(kind, StubType):
        _set(made, "_markbook_number", number)
    return made


_TEMPLATE: dict[str, Any] = {}
# No file: what looks for the source of an answer does not find ours, and fails.
exec(
    compile(
        "def stub(*args, **kwargs):\n    return _asker.call(_number, args, kwargs)",
        "<on the other side>",
        "exec",
    ),
    _TEMPLATE,
)
_CODE = _TEMPLATE["stub"].__code__
_KINDS = [
    inspect.Parameter.POSITIONAL_ONLY,
    inspect.Parameter.POSITIONAL_OR_KEYWORD,
    inspect.Parameter.VAR_POSITIONAL,
    inspect.Parameter.KEYWORD_ONLY,
    inspect.Parameter.VAR_KEYWORD,
]


def make_function(
    asker: Asker, number: int, name: str, doc: str | None, parameters: list[Any] | None
) -> Callable[..., Any]:
    """Make what stands for a function. ``parameters`` are names, kinds, and lists of defaults."""
    own = {"_asker": asker, "_number": number, "__name__": "__main__"}
    stub: Any = FunctionType(_CODE.replace(co_name=name), own, name)
    stub.__doc__ = doc
    if parameters is not None:
        stub.__signature__ = inspect.Signature(
            [
                inspect.Parameter(
                    str(parameter),
                    _KINDS[kind],
                    default=default[0] if default else inspect.Parameter.empty,
                )
                for parameter, kind, default in parameters
            ]
        )
    return stub  # type: ignore[no-any-return]


def make_generator(send: Callable[[Any], Any]) -> Generator[Any, Any, Any]:
    """Make a generator whose values are what ``send`` returns, until it raises StopIteration."""
    received: Any = None
    while True:
        try:
            value = send(received)
        except StopIteration as stop:
            return stop.value
        received = yield value
