"""Mutants of a module: copies of its source with one small fault in one of the functions that are named."""

from __future__ import annotations

import ast
from collections import Counter
from collections.abc import Collection, Iterator
from typing import Any, NamedTuple

_COMPARED: dict[type[ast.cmpop], list[type[ast.cmpop]]] = {
    ast.Lt: [ast.LtE, ast.Gt],
    ast.LtE: [ast.Lt],
    ast.Gt: [ast.GtE, ast.Lt],
    ast.GtE: [ast.Gt, ast.Eq],
    ast.Eq: [ast.NotEq],
    ast.NotEq: [ast.Eq],
    ast.Is: [ast.IsNot],
    ast.IsNot: [ast.Is],
    ast.In: [ast.NotIn],
    ast.NotIn: [ast.In],
}
_OPPOSITES = {"max": "min", "min": "max", "any": "all", "all": "any", "sorted": "list"}
_COMMUTATIVE = frozenset(
    {"merge", "_maximum", "_join_sets"}
)  # exchanging what they are given is no fault, by the laws of merging


class Mutant(NamedTuple):
    """`name` says where and what (`merge._join: a == b -> a != b`), `source` is the whole module with the fault in it."""

    name: str
    source: str


def mutants(module: str, source: str, functions: Collection[str]) -> list[Mutant]:
    """All mutants of `functions` (or methods) of a module; every one has a name of its own."""
    tree = ast.parse(source)
    found: list[Mutant] = []
    seen: Counter[str] = Counter()
    defined = [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef) and node.name in functions]
    missing = set(functions) - {node.name for node in defined}
    assert not missing, f"{module} has no {missing}"
    for function in defined:
        for what in _faults(function):
            name = f"{module}.{function.name}: {what}"
            seen[name] += 1
            found.append(Mutant(name if seen[name] == 1 else f"{name} ({seen[name]})", ast.unparse(tree)))
    return found


def _faults(function: ast.FunctionDef) -> Iterator[str]:
    """Put one fault after the other into `function`, say which, and take it out again."""
    body: list[ast.AST] = list(function.body)
    for node in [function, *_below(body)]:
        for holder, key, child in _slots(node):
            for new in _variants(child):
                holder[key] = new
                yield _told(child, new)
                holder[key] = child


def _below(nodes: list[ast.AST]) -> Iterator[ast.AST]:
    """All that is code; what is said in docstrings and to people in errors is not."""
    for node in nodes:
        if not isinstance(node, ast.Raise | ast.JoinedStr) and not _is_docstring(node):
            yield node
            yield from _below(list(ast.iter_child_nodes(node)))


def _is_docstring(node: ast.AST) -> bool:
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)


def _slots(node: ast.AST) -> Iterator[tuple[Any, Any, ast.AST]]:
    """Where the children of a node are kept, so that another can be put in their place."""
    fields = ("body",) if isinstance(node, ast.FunctionDef) else node._fields
    for field in fields:
        value = getattr(node, field)
        if isinstance(value, list):
            yield from ((value, position, item) for position, item in enumerate(value) if isinstance(item, ast.AST))
        elif isinstance(value, ast.AST):
            yield vars(node), field, value


def _told(old: ast.AST, new: ast.AST) -> str:
    before = " ".join(ast.unparse(old).split())[:110]
    return f"without `{before}`" if isinstance(new, ast.Pass) else f"{before} -> {' '.join(ast.unparse(new).split())[:110]}"


def _variants(node: ast.AST) -> Iterator[ast.AST]:
    """What may stand in place of `node`."""
    if _is_docstring(node) or isinstance(node, ast.Raise):
        return
    if isinstance(node, ast.stmt):
        yield from _statements(node)
    elif isinstance(node, ast.Constant):
        yield from _constants(node)
    elif isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
        yield from _calls(node, node.func.id)
    else:
        yield from _operations(node)


def _statements(node: ast.stmt) -> Iterator[ast.AST]:
    if isinstance(node, ast.Assign | ast.AugAssign | ast.Expr | ast.Continue | ast.If):
        yield ast.Pass()


def _constants(node: ast.Constant) -> Iterator[ast.AST]:
    if isinstance(node.value, bool):
        yield ast.Constant(not node.value)
    elif isinstance(node.value, int):
        yield ast.Constant(node.value + 1)
    elif isinstance(node.value, str):
        yield ast.Constant(f"{node.value}x")


def _calls(call: ast.Call, name: str) -> Iterator[ast.AST]:
    """The opposite function; two neighbouring arguments swapped."""
    if name in _OPPOSITES:
        yield ast.Call(ast.Name(_OPPOSITES[name]), call.args, call.keywords)
    elif name not in _COMMUTATIVE:
        for at in range(len(call.args) - 1):
            swapped = [*call.args[:at], call.args[at + 1], call.args[at], *call.args[at + 2 :]]
            yield ast.Call(call.func, swapped, call.keywords)


def _operations(node: ast.AST) -> Iterator[ast.AST]:
    match node:
        case ast.Compare(left=left, ops=[op], comparators=comparators):
            yield from (ast.Compare(left, [other()], comparators) for other in _COMPARED[type(op)])
        case ast.BoolOp(op=op, values=values):
            yield ast.BoolOp(ast.Or() if isinstance(op, ast.And) else ast.And(), values)
        case ast.UnaryOp(op=ast.Not(), operand=operand):
            yield operand
        case ast.BinOp(left=left, op=ast.BitOr(), right=right):
            yield from (left, right)
        case ast.BinOp(left=left, op=ast.Add(), right=right):
            yield ast.BinOp(left, ast.Sub(), right)
        case ast.IfExp(body=body, orelse=orelse):
            yield from (body, orelse)
        case ast.comprehension(target=target, iter=of, ifs=[_, *others]):
            yield ast.comprehension(target, of, others, 0)
