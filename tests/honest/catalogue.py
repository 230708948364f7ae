"""Forged answers, and honest tests of many kinds: data for the tests and for a page of the docs."""

from __future__ import annotations

from dataclasses import dataclass, field

ASSERTS = "assert square(3) == 9\nassert square(-4) == 16, 'the hidden one'"
ANY = """class Any:
    def __eq__(self, other): return True
"""
WRONG = "def square(x):\n    return 0\n"


@dataclass(frozen=True)
class Forgery:
    """An answer that gets a test's points without what the test asks for."""

    name: str
    answer: str
    test: str = ASSERTS
    setup: str = ""  # an unlocked cell of the release, before the answer
    edited: str = ""  # what the student made of it
    helpers: dict[str, bytes] = field(default_factory=dict)


@dataclass(frozen=True)
class Style:
    """An honest answer, a test of some kind, and whether a clean process can run that."""

    name: str
    answer: str
    test: str
    examined: bool = True
    setup: str = ""  # a locked cell of the release, before the answer
    stub: str = ""  # the answer's cell as released
    why: str = ""
    helpers: dict[str, bytes] = field(default_factory=dict)


SHELL = "ip = get_ipython()\n"

FORGERIES = (
    Forgery(
        "an AST transformer takes the asserts out",
        f"""import ast
class Strip(ast.NodeTransformer):
    def visit_Assert(self, node): return ast.copy_location(ast.Pass(), node)
{SHELL}ip.ast_transformers.append(Strip())
{WRONG}""",
    ),
    Forgery(
        "IPython's run_code is replaced",
        f"{SHELL}async def run_code(*args, **more): return False\nip.run_code = run_code",
    ),
    Forgery(
        "IPython's run_cell_async is replaced",
        f"""{SHELL}from IPython.core.interactiveshell import ExecutionResult
async def run(*args, **more):
    result = ExecutionResult(None)
    result.execution_count = 1
    return result
ip.run_cell_async = run""",
    ),
    Forgery(
        "an input transformer empties the cell",
        f"{SHELL}ip.input_transformers_post.append(lambda lines: ['pass\\n'])",
    ),
    Forgery(
        "a clean-up transformer empties the cell",
        f"{SHELL}ip.input_transformer_manager.cleanup_transforms.append(lambda lines: ['1;\\n'])",
    ),
    Forgery(
        "IPython's parser is replaced",
        f"{SHELL}import ast\nip.compile.ast_parse = lambda *args, **more: ast.parse('pass')",
    ),
    Forgery(
        "IPython's runner of syntax trees is replaced",
        f"{SHELL}async def nothing(*args, **more): return False\nip.run_ast_nodes = nothing",
    ),
    Forgery(
        "the kernel's do_execute is replaced",
        f"""{SHELL}async def execute(*args, **more):
    return {{'status': 'ok', 'execution_count': 1, 'payload': [], 'user_expressions': {{}}}}
ip.kernel.do_execute = execute""",
    ),
    Forgery(
        "errors are not shown, and results say success",
        f"""{SHELL}from IPython.core.interactiveshell import ExecutionResult
ExecutionResult.success = property(lambda self: True)
ip.showtraceback = lambda *args, **more: None
{WRONG}""",
    ),
    Forgery(
        "the session drops errors and changes replies",
        f"""{SHELL}send = ip.kernel.session.send
def quiet(stream, kind, *args, **more):
    if kind == 'error':
        return None
    if kind == 'execute_reply':
        args = ({{'status': 'ok', 'execution_count': 1, 'payload': [],
                 'user_expressions': {{}}}}, *args[1:])
    return send(stream, kind, *args, **more)
ip.kernel.session.send = quiet
ip.display_pub.session = ip.kernel.session
{WRONG}""",
    ),
    Forgery("an object that equals everything", f"{ANY}def square(x):\n    return Any()"),
    Forgery(
        "an int that equals everything",
        "class Any(int):\n    def __eq__(self, other): return True\n"
        "def square(x):\n    return Any()",
    ),
    Forgery(
        "a text that equals everything",
        "class Any(str):\n    def __eq__(self, other): return True\n"
        "def square(x):\n    return Any('x')",
        test="assert square(3) == 'nine'",
    ),
    Forgery(
        "a list that equals everything",
        "class Any(list):\n    def __eq__(self, other): return True\n"
        "def square(x):\n    return Any()",
        test="assert square(3) == [9, 27]",
    ),
    Forgery(
        "an object that says it is an int",
        "class Any:\n    __class__ = int\n    def __eq__(self, other): return True\n"
        "def square(x):\n    return Any()",
        test="assert isinstance(square(3), int)\nassert square(3) == 9",
    ),
    Forgery(
        "an equal object within a list",
        f"{ANY}def square(x):\n    return [1, Any()]",
        test="assert square(3) == [1, 9]",
    ),
    Forgery(
        "an equal object within a dictionary",
        f"{ANY}def square(x):\n    return {{'result': Any()}}",
        test="assert square(3)['result'] == 9",
    ),
    Forgery(
        "an object whose differences are zero",
        "class Near:\n    def __sub__(self, other): return 0.0\ndef square(x):\n    return Near()",
        test="assert abs(square(3) - 9) < 1e-9",
    ),
    Forgery(
        "an object whose differences are itself, and which is small",
        "class Near:\n    def __sub__(self, other): return self\n"
        "    def __abs__(self): return 0.0\n"
        "def square(x):\n    return Near()",
        test="assert abs(square(3) - 9) < 1e-9",
    ),
    Forgery(
        "an object that is less and more than everything",
        "class Any:\n    def __lt__(self, other): return True\n"
        "    def __gt__(self, other): return True\ndef square(x):\n    return Any()",
        test="assert 8.99 < square(3) < 9.01",
    ),
    Forgery(
        "an object that contains everything",
        "class Any:\n    def __contains__(self, item): return True\n"
        "def square(x):\n    return Any()",
        test="assert 9 in square(3)",
    ),
    Forgery(
        "the expected value is read from the cell's text",
        """import re
def square(x):
    text = get_ipython().user_ns['In'][-1]
    return int(re.search(rf'square[(]{x}[)] == (-?[0-9]+)', text)[1])""",
    ),
    Forgery(
        "the expected value is read from the caller's constants",
        """import sys
def square(x):
    constants = [c for c in sys._getframe(1).f_code.co_consts if isinstance(c, int)]
    return constants[constants.index(abs(x)) + 1]""",
        test="assert square(3) == 9",
    ),
    Forgery(
        "the test's own variables are read from its frame",
        "import sys\ndef square(x):\n    return sys._getframe(1).f_globals['expected']",
        test="expected = 9\nassert square(3) == expected",
    ),
    Forgery(
        "an event reads the test before it runs",
        f"""{SHELL}import re
table = {{}}
def look(info):
    table.update((int(a), int(b)) for a, b in
                 re.findall(r'square[(](-?[0-9]+)[)] == ([0-9]+)', info.raw_cell))
ip.events.register('pre_run_cell', look)
def square(x):
    return table.get(x, 0)""",
    ),
    Forgery(
        "abs is replaced",
        f"import builtins\nbuiltins.abs = lambda x: 0\n{WRONG}",
        test="assert abs(square(3) - 9) < 1e-9",
    ),
    Forgery(
        "abs is shadowed",
        f"abs = lambda x: 0\n{WRONG}",
        test="assert abs(square(3) - 9) < 1e-9",
    ),
    Forgery(
        "all is replaced",
        f"import builtins\nbuiltins.all = lambda items: True\n{WRONG}",
        test="assert all(square(n) == n * n for n in range(9))",
    ),
    Forgery(
        "range is shadowed by nothing",
        f"range = lambda *args: []\n{WRONG}",
        test="for n in range(1, 9):\n    assert square(n) == n * n",
    ),
    Forgery(
        "math.isclose is replaced",
        f"import math\nmath.isclose = lambda *args, **more: True\n{WRONG}",
        test="import math\nassert math.isclose(square(3), 9)",
    ),
    Forgery(
        "numpy.testing is replaced",
        f"import numpy.testing\nnumpy.testing.assert_allclose = lambda *args: None\n{WRONG}",
        test="import numpy as np\nnp.testing.assert_allclose(square(3), 9)",
    ),
    Forgery(
        "unittest's assertEqual is replaced",
        f"import unittest\nunittest.TestCase.assertEqual = lambda *args, **more: None\n{WRONG}",
        test="import unittest\nunittest.TestCase().assertEqual(square(3), 9)",
    ),
    Forgery(
        "pytest.raises is replaced",
        "import contextlib, pytest\n"
        f"pytest.raises = lambda *args: contextlib.nullcontext()\n{WRONG}",
        test="import pytest\nwith pytest.raises(TypeError):\n    square('x')",
    ),
    Forgery(
        "the course's helper function is defined anew",
        f"{WRONG}def check(got, wanted):\n    pass",
        test="check(square(3), 9)",
        setup="def check(got, wanted):\n    assert got == wanted",
    ),
    Forgery(
        "the course's helper module is put in advance",
        f"import sys, types\nfake = types.ModuleType('checks')\nfake.same = lambda *args: None\n"
        f"sys.modules['checks'] = fake\n{WRONG}",
        test="import checks\nchecks.same(square(3), 9)",
        helpers={"checks.py": b"def same(got, wanted):\n    assert got == wanted\n"},
    ),
    Forgery(
        "the course's helper file is overwritten",
        f"open('checks.py', 'w').write('def same(*args): pass')\n{WRONG}",
        test="import checks\nchecks.same(square(3), 9)",
        helpers={"checks.py": b"def same(got, wanted):\n    assert got == wanted\n"},
    ),
    Forgery(
        "the course's star-imported helper is defined anew",
        f"{WRONG}def same(*args): pass",
        test="same(square(3), 9)",
        setup="from checks import *",
        helpers={"checks.py": b"def same(got, wanted):\n    assert got == wanted\n"},
    ),
    Forgery(
        "the tolerance in a cell of the release is edited",
        WRONG,
        test="assert abs(square(3) - 9) < TOLERANCE",
        setup="TOLERANCE = 1e-9",
        edited="TOLERANCE = 1e9",
    ),
    Forgery(
        "an exception that skips unittest's tests",
        "import unittest\ndef square(x):\n    raise unittest.SkipTest('later')",
        test="import io, unittest\nclass T(unittest.TestCase):\n    def test(self):\n"
        "        self.assertEqual(square(3), 9)\n"
        "suite = unittest.defaultTestLoader.loadTestsFromTestCase(T)\n"
        "assert unittest.TextTestRunner(io.StringIO()).run(suite).wasSuccessful()",
    ),
    Forgery(
        "numbers are displayed as full points",
        f"{SHELL}ip.display_formatter.formatters['text/plain'].for_type("
        f"int, lambda value, printer, cycle: printer.text('2'))\n{WRONG}",
        test="points = 0\nif square(3) == 9:\n    points += 2\npoints",
    ),
    Forgery(
        "a result is published before the test's own",
        f"""{SHELL}def forge():
    ip.kernel.session.send(ip.kernel.iopub_socket, 'execute_result',
        {{'data': {{'text/plain': '2'}}, 'metadata': {{}}, 'execution_count': 1}},
        parent=ip.kernel.get_parent())
ip.events.register('pre_execute', forge)
{WRONG}""",
        test="points = 0\nif square(3) == 9:\n    points += 2\npoints",
    ),
    Forgery(
        "the last value is an object that shows full points",
        "class Two:\n    def __add__(self, other): return self\n    __radd__ = __add__\n"
        "    def __repr__(self): return '2'\ndef square(x):\n    return Two()",
        test="points = 0\npoints += square(3) - square(3) if False else square(0)\npoints",
    ),
)

STYLES = (
    Style("asserts on values", "def add(a, b):\n    return a + b", "assert add(1, 2) == 3"),
    Style(
        "a loop over cases",
        "def add(a, b):\n    return a + b",
        "for a, b, c in [(1, 2, 3), ('x', 'y', 'xy'), ([1], [2], [1, 2])]:\n"
        "    assert add(a, b) == c, f'{a} and {b}'",
    ),
    Style(
        "a helper function in the test",
        "def add(a, b):\n    return a + b",
        "def check(n):\n    assert add(n, n) == 2 * n\nfor n in range(50):\n    check(n)",
    ),
    Style(
        "a helper function of a locked cell",
        "def add(a, b):\n    return a + b",
        "same(add(1, 2), 3)",
        setup="def same(a, b):\n    assert a == b",
    ),
    Style(
        "a helper module of the course",
        "def add(a, b):\n    return a + b",
        "from checks import same\nsame(add(1, 2), 3)",
        helpers={"checks.py": b"def same(a, b):\n    assert a == b\n"},
    ),
    Style(
        "everything imported from a helper module, in a locked cell",
        "def add(a, b):\n    return a + b",
        "same(add(1, 2), 3)",
        setup="from checks import *",
        helpers={"checks.py": b"def same(a, b):\n    assert a == b\n"},
    ),
    Style("a variable", "answer = 42", "assert answer == 42\nassert type(answer) is int"),
    Style(
        "keyword and default arguments",
        "def greet(name, *, end='!'):\n    return f'Hello {name}{end}'",
        "assert greet('Ada') == 'Hello Ada!'\nassert greet(name='Bo', end='?') == 'Hello Bo?'",
    ),
    Style(
        "floats with a tolerance",
        "def half(x):\n    return x / 2",
        "import math\nassert math.isclose(half(3), 1.5)\nassert abs(half(1) - 0.5) < 1e-9",
    ),
    Style(
        "nested containers",
        "def table(n):\n    return {'rows': [(i, {i, -i}) for i in range(n)], 'n': n}",
        "assert table(2) == {'rows': [(0, {0}), (1, {1, -1})], 'n': 2}",
    ),
    Style(
        "dates, decimals, fractions",
        "import datetime, decimal, fractions\ndef values():\n"
        "    return datetime.date(2026, 1, 2), decimal.Decimal('1.50'), fractions.Fraction(1, 3)",
        "import datetime, decimal, fractions\nassert values() == (datetime.date(2026, 1, 2),"
        " decimal.Decimal('1.5'), fractions.Fraction(1, 3))",
    ),
    Style(
        "a named tuple",
        "from collections import namedtuple\nPoint = namedtuple('Point', 'x y')\n"
        "def origin():\n    return Point(0, 0)",
        "assert origin() == (0, 0)\nassert origin().x == 0",
    ),
    Style(
        "a list that the answer changes",
        "def clean(items):\n    items.sort()\n    items.append('end')",
        "items = [3, 1, 2]\nassert clean(items) is None\nassert items == [1, 2, 3, 'end']",
    ),
    Style(
        "a dictionary that the answer changes",
        "def count(words, into):\n    for w in words:\n        into[w] = into.get(w, 0) + 1",
        "into = {'a': 1}\ncount(['a', 'b'], into)\nassert into == {'a': 2, 'b': 1}",
    ),
    Style(
        "the same object comes back",
        "def same(items):\n    return items\ndef copied(items):\n    return list(items)",
        "items = [1]\nassert same(items) is items\nassert copied(items) is not items",
    ),
    Style(
        "printed output",
        "def hello(n):\n    for i in range(n):\n        print('hello', i)",
        "import io\nfrom contextlib import redirect_stdout\nout = io.StringIO()\n"
        "with redirect_stdout(out):\n    hello(2)\nassert out.getvalue() == 'hello 0\\nhello 1\\n'",
    ),
    Style(
        "an expected exception",
        "def root(x):\n    if x < 0:\n        raise ValueError('negative')\n    return x ** 0.5",
        "try:\n    root(-1)\nexcept ValueError as error:\n    assert 'negative' in str(error)\n"
        "else:\n    raise AssertionError('no exception')",
    ),
    Style(
        "pytest.raises",
        "def root(x):\n    if x < 0:\n        raise ValueError('negative')\n    return x ** 0.5",
        "import pytest\nwith pytest.raises(ValueError, match='neg'):\n    root(-1)",
    ),
    Style(
        "a library's exception",
        "import json\ndef load(text):\n    return json.loads(text)",
        "import json\ntry:\n    load('{')\nexcept json.JSONDecodeError:\n    pass\n"
        "else:\n    assert False",
    ),
    Style(
        "an exception class of the answer",
        "class Empty(Exception):\n    pass\ndef pop(items):\n"
        "    if not items:\n        raise Empty('nothing')\n    return items.pop()",
        "try:\n    pop([])\nexcept Empty as error:\n    assert error.args == ('nothing',)\n"
        "else:\n    assert False\nassert issubclass(Empty, Exception)",
    ),
    Style(
        "a class with methods and attributes",
        "class Account:\n    def __init__(self, owner, balance=0):\n"
        "        self.owner, self.balance = owner, balance\n"
        "    def deposit(self, n):\n        self.balance += n\n        return self.balance",
        "a = Account('Ada')\nassert a.deposit(5) == 5\nassert a.balance == 5\na.balance = 7\n"
        "assert a.deposit(1) == 8\nassert isinstance(a, Account)\nassert hasattr(a, 'owner')",
    ),
    Style(
        "a class with length, items and iteration",
        "class Deck:\n    def __init__(self, cards):\n        self.cards = cards\n"
        "    def __len__(self): return len(self.cards)\n"
        "    def __getitem__(self, i): return self.cards[i]",
        "d = Deck(['a', 'b', 'c'])\nassert len(d) == 3\nassert d[1] == 'b'\n"
        "assert [c for c in d] == ['a', 'b', 'c']",
    ),
    Style(
        "objects of the answer compared with each other",
        "class Point:\n    def __init__(self, x): self.x = x\n"
        "    def __eq__(self, other): return self.x == other.x",
        "assert Point(1) == Point(1)\nassert Point(1) != Point(2)",
    ),
    Style(
        "objects of the answer added and shown",
        "class V:\n    def __init__(self, x): self.x = x\n"
        "    def __add__(self, other): return V(self.x + other.x)\n"
        "    def __mul__(self, n): return V(self.x * n)\n"
        "    def __repr__(self): return f'V({self.x})'",
        "assert repr(V(1) + V(2)) == 'V(3)'\nassert (V(2) * 3).x == 6",
    ),
    Style(
        "a data class",
        "from dataclasses import dataclass\n@dataclass\nclass P:\n    x: int\n    y: int = 0",
        "assert P(1) == P(1, 0)\nassert P(2).x == 2\nassert repr(P(1)) == 'P(x=1, y=0)'",
    ),
    Style(
        "inheritance within the answer",
        "class Animal:\n    def speak(self): return '...'\nclass Dog(Animal):\n"
        "    def speak(self): return 'wuff'",
        "assert issubclass(Dog, Animal)\nassert isinstance(Dog(), Animal)\n"
        "assert [a.speak() for a in (Animal(), Dog())] == ['...', 'wuff']",
    ),
    Style(
        "abstract and multiple inheritance within the answer",
        "from abc import ABC, abstractmethod\nclass Shape(ABC):\n    @abstractmethod\n"
        "    def area(self): ...\nclass Named:\n    def name(self): return 'it'\n"
        "class Square(Shape, Named):\n    def area(self): return 4",
        "assert Square().area() == 4 and Square().name() == 'it'\n"
        "assert issubclass(Square, Named)\ntry:\n    Shape()\nexcept TypeError:\n    pass\n"
        "else:\n    assert False",
    ),
    Style(
        "a context manager of the answer",
        "class Box:\n    def __enter__(self):\n        self.open = True\n        return self\n"
        "    def __exit__(self, *error):\n        self.open = False",
        "with Box() as box:\n    assert box.open is True\nassert box.open is False",
    ),
    Style(
        "a function that makes functions",
        "def adder(n):\n    return lambda x: x + n",
        "add2, add3 = adder(2), adder(3)\nassert callable(add2)\nassert add2(1) == 3\n"
        "assert add3(1) == 4",
    ),
    Style(
        "a decorator on a function of the test",
        "import functools\ndef twice(f):\n    @functools.wraps(f)\n    def g(x):\n"
        "        return f(f(x))\n    return g",
        "@twice\ndef inc(x):\n    return x + 1\nassert inc(1) == 3",
    ),
    Style(
        "functions passed to the answer",
        "def apply(f, items):\n    return [f(i) for i in items]",
        "assert apply(lambda x: x + 1, [1, 2]) == [2, 3]\n"
        "assert apply(len, ['a', 'bb']) == [1, 2]\n"
        "import math\nassert apply(math.sqrt, [4]) == [2.0]\nseen = []\n"
        "apply(seen.append, [1, 2])\nassert seen == [1, 2]",
    ),
    Style(
        "an object of the test passed to the answer",
        "def total(shapes):\n    return sum(s.area() for s in shapes)",
        "class Square:\n    def __init__(self, a): self.a = a\n"
        "    def area(self): return self.a ** 2\nassert total([Square(1), Square(2)]) == 5",
    ),
    Style(
        "recursion",
        "def hanoi(n, a='A', b='B', c='C'):\n"
        "    return hanoi(n - 1, a, c, b) + [(a, c)] + hanoi(n - 1, b, a, c) if n else []",
        "assert len(hanoi(7)) == 127\nassert hanoi(1) == [('A', 'C')]",
    ),
    Style(
        "a generator",
        "def fib():\n    a, b = 0, 1\n    while True:\n        yield a\n        a, b = b, a + b",
        "from itertools import islice\nimport types\nassert list(islice(fib(), 6)) =="
        " [0, 1, 1, 2, 3, 5]\ng = fib()\nassert next(g) == 0\n"
        "assert isinstance(g, types.GeneratorType)",
    ),
    Style(
        "an answer named like a built-in function",
        "def sum(items):\n    total = 0\n    for i in items:\n        total += i\n    return total",
        "assert sum([1, 2]) == 3",
        stub="def sum(items):\n    raise NotImplementedError",
    ),
    Style(
        "numpy arrays",
        "import numpy as np\ndef scale(a):\n    return (a - a.mean()) / a.std()",
        "import numpy as np\nx = np.arange(5.0)\nnp.testing.assert_allclose(scale(x).mean(), 0,"
        " atol=1e-9)\nassert scale(x).shape == (5,)\n"
        "np.testing.assert_array_equal(scale(np.array([1.0, 3.0])), [-1, 1])",
    ),
    Style(
        "a numpy array that the answer changes",
        "def clip(a):\n    a[a < 0] = 0",
        "import numpy as np\na = np.array([-1, 2])\nclip(a)\nassert a.tolist() == [0, 2]",
    ),
    Style(
        "numpy imported by the answer's cell only",
        "import numpy as np\ndef ones(n):\n    return np.ones(n)",
        "assert np.array_equal(ones(2), np.array([1.0, 1.0]))",
        stub="import numpy as np\ndef ones(n):\n    raise NotImplementedError",
    ),
    Style(
        "partial credit",
        "def share():\n    return 3",
        "points = 0\nif share() == 3:\n    points += 1.5\npoints",
    ),
    Style(
        "partial credit, case by case",
        "def f(x):\n    return 10 // x",
        "points = 0\nfor x, y in [(1, 10), (2, 5), (0, 0)]:\n    try:\n"
        "        points += 0.5 * (f(x) == y)\n    except ZeroDivisionError:\n        pass\npoints",
    ),
    Style(
        "unittest's assert methods",
        "def add(a, b):\n    return a + b",
        "import unittest\ntc = unittest.TestCase()\ntc.assertEqual(add(1, 2), 3)\n"
        "tc.assertAlmostEqual(add(0.1, 0.2), 0.3)",
    ),
    Style(
        "signature and docstring",
        "def area(width, height=1):\n    'The area.'\n    return width * height",
        "import inspect\nassert list(inspect.signature(area).parameters) == ['width', 'height']\n"
        "assert area.__doc__ and area.__name__ == 'area'",
    ),
    Style(
        "whether a name is there",
        "def used():\n    return 1",
        "assert 'used' in globals()\nassert 'unused' not in globals()",
    ),
    Style(
        "a database connection passed to the answer",
        "def titles(db):\n    return [t for (t,) in db.execute('SELECT title FROM book')]",
        "import sqlite3\ndb = sqlite3.connect(':memory:')\n"
        "db.execute('CREATE TABLE book (title)')\n"
        "db.execute(\"INSERT INTO book VALUES ('Emma')\")\nassert titles(db) == ['Emma']",
    ),
    Style(
        "a mock passed to the answer",
        "def notify(send):\n    send('hello', to='ada')",
        "from unittest import mock\nsend = mock.Mock(return_value=None)\nnotify(send)\n"
        "send.assert_called_once_with('hello', to='ada')",
    ),
    Style(
        "display and magics",
        "def add(a, b):\n    return a + b",
        "%matplotlib inline\ndisplay(add(1, 2))\nassert add(1, 2) == 3;",
    ),
    Style(
        "a counter that each call changes",
        "n = 0\ndef count():\n    global n\n    n += 1\n    return n",
        "assert count() == 1\nassert count() == 2\nassert n == 2",
    ),
    Style(
        "an object of the answer compared with a value",
        "class Money:\n    def __init__(self, n): self.n = n\n"
        "    def __eq__(self, other): return self.n == getattr(other, 'n', other)",
        "assert Money(3) == 3",
        examined=False,
        why="the answer's own `__eq__` is given the expected value, and decides",
    ),
    Style(
        "seeds of random numbers",
        "import random\ndef roll():\n    return random.randint(1, 6)",
        "import random\nrandom.seed(4)\na = [roll() for _ in range(5)]\nrandom.seed(4)\n"
        "assert a == [random.randint(1, 6) for _ in range(5)]",
        examined=False,
        why="the seed is set in the clean process, and the answer's is another",
    ),
    Style(
        "a replaced input()",
        "def ask():\n    return int(input('? '))",
        "from unittest import mock\nwith mock.patch('builtins.input', lambda _: '7'):\n"
        "    assert ask() == 7",
        examined=False,
        why="the answer's process has an input() of its own",
    ),
    Style(
        "a test that redefines a function the answer uses",
        "def base():\n    return 1\ndef more():\n    return base() + 1",
        "kept = base\ndef base():\n    return 10\ntry:\n    assert more() == 11\nfinally:\n"
        "    base = kept",
        examined=False,
        why="the answer goes on to use its own",
    ),
    Style(
        "the answer's source text",
        "def f(x):\n    return x + 1",
        "import inspect\nassert 'for' not in inspect.getsource(f)\nassert f(1) == 2",
        examined=False,
        why="a stand-in has no source",
    ),
    Style(
        "a file that the answer writes",
        "def save(text):\n    open('out.txt', 'w').write(text)",
        "save('x')\nassert open('out.txt').read() == 'x'",
        examined=False,
        why="the clean process has a folder of its own",
    ),
    Style(
        "await at the top of a test",
        "async def f():\n    return 1",
        "assert await f() == 1",
        examined=False,
        why="only IPython runs it",
    ),
    Style(
        "a class that the test derives from the answer's",
        "class Base:\n    def name(self): return 'base'",
        "class Mine(Base):\n    def name(self): return 'my ' + super().name()\n"
        "assert Mine().name() == 'my base'",
        examined=False,
        why="half of its objects would be in one process and half in the other",
    ),
)
