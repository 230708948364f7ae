"""Values cross as JSON and come back as what they were; nothing else does."""

from __future__ import annotations

import collections
import datetime as dt
import decimal
import fractions
import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from markbook.kernels.examiner.values import Codec, NoValueError, Table, TooMuchError


class Refusing:
    """References of a side that knows none."""

    def refer(self, value, table):
        raise NoValueError(f"a reference to a {type(value).__name__}")

    def resolve(self, node, table):
        raise NoValueError("a reference")


CODEC = Codec(Refusing())
PLAIN = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.integers(min_value=2**60, max_value=2**3000),
    st.floats(allow_nan=False),
    st.complex_numbers(allow_nan=False),
    st.text(st.characters()),
    st.binary(),
    st.dates(),
    st.times(),
    st.datetimes(),
    st.datetimes(timezones=st.just(dt.UTC)),
    st.timedeltas(),
    st.decimals(allow_nan=False),
    st.fractions(),
    st.builds(range, st.integers(), st.integers(), st.integers(1, 2**70)),
    st.just(...),
)
KEYS = st.one_of(st.integers(), st.text(), st.tuples(st.integers(), st.text()), st.booleans())
VALUES = st.recursive(
    PLAIN,
    lambda inner: st.one_of(
        st.lists(inner, max_size=4),
        st.lists(inner, max_size=4).map(tuple),
        st.lists(inner, max_size=4).map(collections.deque),
        st.dictionaries(KEYS, inner, max_size=4),
        st.dictionaries(KEYS, inner, max_size=4).map(collections.OrderedDict),
        st.sets(KEYS, max_size=4),
        st.frozensets(KEYS, max_size=4),
        st.binary(max_size=9).map(bytearray),
    ),
    max_leaves=12,
)


def crossed(value):
    node = json.loads(json.dumps(CODEC.encode(value, Table()), allow_nan=False))
    return CODEC.decode(node, Table())


def kinds(value):
    """The types in a value, in order: 1 == True == 1.0, so equality alone says too little."""
    if isinstance(value, dict):
        return [type(value), [(kinds(k), kinds(v)) for k, v in value.items()]]
    if isinstance(value, list | tuple | collections.deque):
        return [type(value), [kinds(item) for item in value]]
    return type(value)


@given(VALUES)
def test_a_value_comes_back_equal_and_of_the_same_types(value):
    back = crossed(value)
    assert back == value
    assert kinds(back) == kinds(value)


@pytest.mark.parametrize("value", [float("nan"), float("inf"), float("-inf"), -0.0])
def test_floats_that_json_does_not_have_come_back(value):
    assert repr(crossed(value)) == repr(value)


@given(
    hnp.arrays(
        st.one_of(hnp.boolean_dtypes(), hnp.integer_dtypes(), hnp.floating_dtypes(endianness="<"),
                  hnp.complex_number_dtypes(), hnp.unicode_string_dtypes()),
        hnp.array_shapes(min_dims=0, min_side=0),
    )
)  # fmt: skip
def test_an_array_comes_back_with_its_type_and_shape(array):
    back = crossed(array)
    assert (type(back), back.dtype, back.shape) == (np.ndarray, array.dtype, array.shape)
    np.testing.assert_array_equal(back, array)


@pytest.mark.parametrize("value", [np.float64(1.5), np.int8(-3), np.True_, np.str_("x")])
def test_a_scalar_of_numpys_stays_one(value):
    back = crossed(value)
    assert (type(back), back) == (type(value), value)


def test_an_array_of_objects_holds_values():
    array = np.array([1, "a", [2]], dtype=object)
    assert crossed(array).tolist() == [1, "a", [2]]


def test_the_same_list_twice_is_the_same_list_twice():
    inner = [1]
    back = crossed([inner, inner, {"x": inner}])
    assert back[0] is back[1] is back[2]["x"]


def test_a_list_in_itself_comes_back_in_itself():
    loop = []
    loop.append(loop)
    back = crossed(loop)
    assert back[0] is back


Point = collections.namedtuple("Point", "x y")


def test_a_named_tuple_keeps_its_names():
    back = crossed(Point(1, [2]))
    assert (back, back.y, type(back).__name__) == ((1, [2]), [2], "Point")


def test_dictionary_views_and_slices_cross():
    table = {"a": 1, "b": 2}
    assert crossed(table.keys()) == table.keys()
    assert list(crossed(table.values())) == [1, 2]
    assert crossed(table.items()) == table.items()
    assert crossed(slice(1, None, -1)) == slice(1, None, -1)
    assert crossed(collections.Counter("aab")) == collections.Counter("aab")


class MyInt(int):
    pass


class MyList(list):
    pass


class MyPoint(Point):
    def __eq__(self, other):
        return True

    __hash__ = Point.__hash__


@pytest.mark.parametrize(
    "value",
    [MyInt(3), MyList([1]), MyPoint(1, 2), object(), print, int, iter([1]), ValueError("x"),
     np.array([(1, 2.0)], dtype=[("a", int), ("b", float)])],
    ids=lambda value: type(value).__name__,
)  # fmt: skip
def test_what_only_looks_like_a_value_is_a_reference(value):
    with pytest.raises(NoValueError, match="a reference to"):
        CODEC.encode([value], Table())


def test_what_is_too_deep_or_too_large_does_not_cross():
    deep = []
    for _ in range(1000):
        deep = [deep]
    for value in (deep, [0] * 1_000_001, 1 << 500_000, np.zeros(2_000_000)):
        with pytest.raises(TooMuchError):
            CODEC.encode(value, Table())


@pytest.mark.parametrize(
    "node",
    [
        [], [1], ["nothing"], ["list"], ["list", 0], ["list", 5, []], ["list", 0, 3],
        ["list", "0", []], ["#", 0], ["#", -1], ["#", "x"], ["tuple", 3], ["tuple"],
        ["dict", 0, [[1]]], ["dict", 0, [[["list", 1, []], 2]]], ["set", 0, [["list", 1, []]]],
        ["int", "x"], ["int", 5], ["float", "1e9"], ["bytes", "%"], ["bytes", 5],
        ["date", "yesterday", 0], ["timedelta", "x", 0, 0], ["Fraction", "0x1", "0x0"],
        ["Decimal", []], ["range", "0x1"], ["named", "P", ["x"], []], ["named", 1, [], []],
        ["named", "P", ["import"], [1]], ["array", 0, ["<f8", [3], "AAAA"]],
        ["array", 0, ["O", [2], [1]]], ["array", 0, ["|V8", [1], "AAAAAAAAAAA="]],
        ["array", 0, ["<f8", [-1], ""]], ["array", 0, ["<f8", [10**9, 10**9], ""]],
        ["scalar", "<O8", "AAAA"], ["deque", 0, []], ["defaultdict", 0, []], {"a": 1},
        ["complex", "x", "y"], ["slice", [1]], ["frozenset", [["list", 0, []]]],
    ],
    ids=str,
)  # fmt: skip
def test_what_is_no_value_is_refused(node):
    with pytest.raises(NoValueError):
        CODEC.decode(node, Table())


JSON = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=5),
              st.sampled_from(["list", "dict", "tuple", "#", "array", "scalar", "named", "int",
                               "set", "Decimal", "deque", "defaultdict", "items", "keys"])),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=2),
    max_leaves=20,
)  # fmt: skip


@given(JSON)
def test_any_json_is_a_value_or_refused(node):
    try:
        CODEC.decode(node, Table())
    except (NoValueError, TooMuchError):
        pass


def test_nothing_that_is_read_is_called():
    """The types that a value may have are the schema's, whatever it says."""
    harmless = {decimal.Decimal, fractions.Fraction, dt.date, list}
    nodes = [["Decimal", "1"], ["Fraction", "0x1", "0x2"], ["date", "2026-01-01", 0]]
    assert {type(CODEC.decode(node, Table())) for node in nodes} <= harmless
