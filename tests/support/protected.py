"""Say where Python source reaches for what a class or module of ours keeps to itself."""

from __future__ import annotations

import ast
import re

OURS = ("edge", "hub", "protocol")
PROTECTED = re.compile(r"_[A-Za-z]\w*\Z")
TUPLES = {"_replace", "_asdict", "_fields", "_make"}
"""What a NamedTuple offers to all."""


def reaches(source: str) -> list[str]:
    """Each use as "line: what": an import, an attribute of another object, a name given to setattr or a patch, or, in a
    class whose base is ours, a protected attribute that only that base can have made."""
    tree = ast.parse(source)
    modules = {alias.asname or alias.name for node in ast.walk(tree) if isinstance(node, ast.Import)
               for alias in node.names if alias.name.partition(".")[0] not in OURS}  # fmt: skip
    ours = {alias.asname or alias.name for node in ast.walk(tree)
            if isinstance(node, ast.ImportFrom) and str(node.module).partition(".")[0] in OURS
            for alias in node.names}  # fmt: skip
    found: list[tuple[int, str]] = []
    for node in ast.walk(tree):
        match node:
            case ast.ImportFrom(module=str(module), names=names) if module.partition(".")[0] in OURS:
                found += [(node.lineno, alias.name) for alias in names if PROTECTED.match(alias.name)]
            case ast.Attribute(value=ast.Name("self" | "cls")):
                pass
            case ast.Attribute(value=ast.Name(owner)) if owner in modules:
                pass
            case ast.Attribute(attr=name) if PROTECTED.match(name) and name not in TUPLES:
                found.append((node.lineno, name))
            case ast.Tuple(elts=[_, ast.Constant(value=str(text)), *_]) if PROTECTED.match(text):
                found.append((node.lineno, text))
            case ast.Call(args=[_, ast.Constant(value=str(text)), *_]) if PROTECTED.match(text):
                found.append((node.lineno, text))
            case ast.ClassDef(bases=bases) if any(isinstance(base, ast.Name) and base.id in ours for base in bases):
                found += _inherited(node)
    return [f"{line}: {what}" for line, what in sorted(found)]


def _inherited(cls: ast.ClassDef) -> list[tuple[int, str]]:
    """Uses of self._name that nothing in the class itself makes."""
    made = {node.name for node in ast.walk(cls) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)}
    used = []
    for node in ast.walk(cls):
        match node:
            case ast.Attribute(value=ast.Name("self" | "cls"), attr=name) if PROTECTED.match(name):
                if isinstance(node.ctx, ast.Store):
                    made.add(name)
                used.append((node.lineno, name))
            case ast.AnnAssign(target=ast.Name(name)) | ast.Assign(targets=[ast.Name(name)]):
                made.add(name)
    return [(line, name) for line, name in used if name not in made]
