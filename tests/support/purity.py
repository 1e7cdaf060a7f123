"""Say where Python source reads a clock, draws chance or touches the world, whatever name it was imported under."""

from __future__ import annotations

import ast

IMPURE_MODULES = (
    "time",
    "random",
    "secrets",
    "os",
    "asyncio",
    "socket",
    "sqlite3",
    "subprocess",
    "threading",
    "pathlib",
)
IMPURE = {
    "datetime.datetime.now", "datetime.datetime.utcnow", "datetime.datetime.today", "datetime.date.today",
    "uuid.uuid1", "uuid.uuid4", "open", "input", "print", "io.open",
}  # fmt: skip


def impurities(source: str) -> list[str]:
    """Each impure name used, as "line: dotted.name"; importing alone is import-linter's matter."""
    tree = ast.parse(source)
    names = _imported(tree)
    found = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Name | ast.Attribute) and isinstance(node.ctx, ast.Load):
            dotted = _dotted(node, names)
            if dotted in IMPURE or (dotted.partition(".")[0] in IMPURE_MODULES and "." in dotted):
                found.append(f"{node.lineno}: {dotted}")
    return found


def _imported(tree: ast.AST) -> dict[str, str]:
    """Local name to what it stands for, anywhere in the file."""
    names: dict[str, str] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                local = alias.asname or alias.name.partition(".")[0]
                names[local] = alias.name if alias.asname else local
        elif isinstance(node, ast.ImportFrom) and not node.level:
            for alias in node.names:
                names[alias.asname or alias.name] = f"{node.module}.{alias.name}"
    return names


def _dotted(node: ast.expr, names: dict[str, str]) -> str:
    """The full name an expression stands for; empty when it is no plain name, or a local one called like a module."""
    if isinstance(node, ast.Attribute):
        owner = _dotted(node.value, names)
        return f"{owner}.{node.attr}" if owner else ""
    if not isinstance(node, ast.Name):
        return ""
    return names.get(node.id, node.id if node.id in IMPURE else "")
