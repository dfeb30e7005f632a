"""The project's own source, parsed."""

from __future__ import annotations

import ast
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[2]


@cache
def modules() -> dict[str, ast.Module]:
    """Every module of the library by import name, parsed."""
    found = {}
    for folder, package in (("src", "triformers"), ("conversion", "triformers.conversion")):
        for path in sorted((ROOT / folder).rglob("*.py")):
            parts = path.relative_to(ROOT / folder).with_suffix("").parts
            name = ".".join([package, *(part for part in parts if part != "__init__")])
            found[name] = ast.parse(path.read_text(), filename=str(path))
    return found


def is_package(name: str) -> bool:
    """Whether a module is a package's `__init__`."""
    return any(other.startswith(f"{name}.") for other in modules())


def imports(name: str, top_level_only: bool = False) -> set[str]:
    """The modules that a module imports, relative ones resolved."""
    tree = modules()[name]
    nodes = tree.body if top_level_only else ast.walk(tree)
    found = set()
    for node in nodes:
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            parts = name.split(".") if is_package(name) else name.split(".")[:-1]
            base = parts[: len(parts) - node.level + 1] if node.level else []
            found.add(".".join([*base, *([node.module] if node.module else [])]))
    return found


def functions(tree: ast.AST) -> list[ast.FunctionDef]:
    """Every function and method."""
    return [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)]


def lines_without_docstring(function: ast.FunctionDef) -> int:
    """A function's length, its docstring not counted."""
    first = function.body[0]
    documented = isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant)
    docstring = (first.end_lineno or 0) - first.lineno + 1 if documented else 0
    return (function.end_lineno or 0) - function.lineno + 1 - docstring
