"""Cells as Python: what they define, what they show, and running them among other names."""

from __future__ import annotations

import ast
import io
import tokenize
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

__all__ = ["defined_names", "imports_of", "plain_python", "run_cell", "without_imports"]

_END = (tokenize.COMMENT, tokenize.NL, tokenize.NEWLINE, tokenize.ENDMARKER, tokenize.DEDENT)


def plain_python(source: str) -> ast.Module:
    """Return a cell's syntax, without lines that are commands of IPython and give no result.

    Raises ``SyntaxError`` for what is not Python then.
    """
    if "%" in source or "!" in source:
        lines = source.split("\n")
        changed = [
            "pass" if line[:1] in ("%", "!") and line[:2] != "%%" else line for line in lines
        ]
        source = "\n".join(changed)
    try:
        return ast.parse(source)
    except (ValueError, RecursionError, MemoryError) as error:
        raise SyntaxError(str(error)) from error


def defined_names(tree: ast.Module) -> Iterator[str]:
    """Find the names that a cell's statements bind, those within functions left out."""
    todo: list[ast.AST] = list(tree.body)
    while todo:
        node = todo.pop()
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            yield node.name
            continue
        if isinstance(
            node, ast.Lambda | ast.ListComp | ast.SetComp | ast.DictComp | ast.expr_context
        ):
            continue
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            yield node.id
        if isinstance(node, ast.alias):
            yield node.asname or node.name.partition(".")[0]
        todo.extend(ast.iter_child_nodes(node))


def imports_of(tree: ast.Module) -> Iterator[tuple[str, ast.stmt]]:
    """Find the imports at the top of a cell: each name, and the statement that binds it alone."""
    for node in tree.body:
        if not isinstance(node, ast.Import | ast.ImportFrom):
            continue
        for alias in node.names:
            name = alias.asname or alias.name.partition(".")[0]
            if isinstance(node, ast.Import):
                yield name, ast.Import([alias])
            else:
                yield name, ast.ImportFrom(node.module, [alias], node.level)


def without_imports(tree: ast.Module) -> ast.Module:
    """Return a cell without its imports, which are done when their names are needed."""
    kept = [node for node in tree.body if not isinstance(node, ast.Import | ast.ImportFrom)]
    return ast.Module(kept, [])


def run_cell(
    tree: ast.Module, source: str, names: dict[str, Any], show: Callable[[Any], None]
) -> None:
    """Run a cell; its last expression's value, if it is one to be shown, is shown."""
    *body, last = tree.body or [ast.Pass()]
    if isinstance(last, ast.Expr) and not _is_quiet(source):
        _execute(ast.Module(list(body), []), names)
        code = compile(ast.fix_missing_locations(ast.Expression(last.value)), "<test>", "eval")
        value = eval(code, names)
        if value is not None:
            show(value)
    else:
        _execute(tree, names)


def execute(tree: ast.Module, names: dict[str, Any]) -> None:
    """Run statements."""
    exec(compile(ast.fix_missing_locations(tree), "<test>", "exec"), names)


_execute = execute


def _is_quiet(source: str) -> bool:
    """Tell whether a cell ends with a semicolon, by which IPython shows nothing."""
    try:
        tokens = list(tokenize.generate_tokens(io.StringIO(source).readline))
    except (tokenize.TokenError, SyntaxError):
        return False
    said = [token for token in tokens if token.type not in _END]
    return bool(said) and said[-1].string == ";"
