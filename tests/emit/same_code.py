"""Whether two Python files are the same but for the names and texts that their specs differ in."""

from __future__ import annotations

import ast

IMPORTED = {"torch", "torch.nn.functional", "typing", "collections", "collections.abc", "math"}


def imported(tree: ast.Module) -> set[str]:
    """The modules that a file imports, anywhere in it."""
    found: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            found.add(node.module or "")
    return found


def same(left: str, right: str) -> None:
    """Raises AssertionError unless one file is the other with names and texts replaced.

    Whether the replaced names still mean the same is for who runs the files to see.
    """
    trees = ast.parse(left), ast.parse(right)
    for tree in trees:
        assert imported(tree) <= IMPORTED
    _compare(*(_Unannotated().visit(tree) for tree in trees))


class _Unannotated(ast.NodeTransformer):
    """A variable is annotated where it first stands, so that which it is may depend on its name."""

    def visit_AnnAssign(self, node: ast.AnnAssign) -> ast.AST:  # the name that ast looks for
        return node if node.value is None else ast.Assign([node.target], node.value)


def _compare(left: object, right: object) -> None:
    assert type(left) is type(right), f"{_shown(left)} against {_shown(right)}"
    if isinstance(left, list) and isinstance(right, list):
        assert len(left) == len(right), f"{_shown(left)} against {_shown(right)}"
        for a, b in zip(left, right, strict=True):
            _compare(a, b)
    elif isinstance(left, ast.Constant) and isinstance(right, ast.Constant):
        assert type(left.value) is type(right.value)
        assert isinstance(left.value, str) or left.value == right.value, f"{_shown(left)} against {_shown(right)}"
    elif isinstance(left, ast.AST) and isinstance(right, ast.AST):
        for field in left._fields:
            _compare(getattr(left, field), getattr(right, field))
    else:
        assert left == right or isinstance(left, str), f"{left!r} against {right!r}"  # a name


def _shown(node: object) -> str:
    return ast.unparse(node) if isinstance(node, ast.AST) else repr(node)
