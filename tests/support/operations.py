"""The modules of operations of an application, wherever they stand, and the operations in them."""

import ast
from collections.abc import Iterator
from pathlib import Path

from django.conf import settings


def modules(application: str) -> Iterator[tuple[str, Path]]:
    """Yield each module of an application that operates, by its name: that of its subject, where the subject has one alone."""
    folder = Path(settings.BASE_DIR) / application
    for path in sorted([*folder.glob("*/operations/*.py"), *folder.glob("*/operations.py")]):
        if path.name != "__init__.py":
            yield (path.parent.name if path.stem == "operations" else path.stem), path


def public(application: str = "ledger_app") -> set[str]:
    """Return the public functions of an application's operations that are told who calls."""
    found = set()
    for name, path in modules(application):
        for node in ast.parse(path.read_text(encoding="utf-8")).body:
            if isinstance(node, ast.FunctionDef) and not node.name.startswith("_"):
                arguments = {each.arg for each in (*node.args.args, *node.args.kwonlyargs)}
                if "caller" in arguments:
                    found.add(f"{name}.{node.name}")
    return found
