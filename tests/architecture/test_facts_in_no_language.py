"""What is kept of a refusal is in nobody's language: a fact that is a word is a lazy one, or a phrase, and never a text that was translated when it was written."""

import ast
from pathlib import Path

from django.conf import settings

from tests.ledger_app.errors.test_errors import ALL

ROOT = Path(settings.BASE_DIR)


def eager(tree: ast.Module) -> set[str]:
    """Return the names under which a module translates at once."""
    found = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.module == "django.utils.translation":
            found |= {each.asname or each.name for each in node.names if each.name in {"gettext", "ngettext", "pgettext"}}
    return found


def translated(tree: ast.Module) -> list[int]:
    """Return the lines on which an error, or a phrase of one, is made with a fact that is translated at once."""
    names = eager(tree)
    found = []
    for node in ast.walk(tree):
        made = node.func.attr if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) else ""
        made = made or (node.func.id if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) else "")
        if isinstance(node, ast.Call) and (made in ALL or made in {"phrase", "Words"}):
            inner = [each for given in [*node.args, *[one.value for one in node.keywords]] for each in ast.walk(given)]
            if any(isinstance(each, ast.Call) and isinstance(each.func, ast.Name) and each.func.id in names for each in inner):
                found.append(node.lineno)
    return found


def test_a_fact_that_is_translated_at_once_is_found() -> None:
    sample = "from django.utils.translation import gettext as _\nerrors.NotFound(what=_('user'), name=1)\nprint(_('x'))\n"
    assert translated(ast.parse(sample)) == [2]
    assert translated(ast.parse(sample.replace("gettext as", "gettext_lazy as"))) == []


def test_no_operation_query_or_rule_keeps_a_fact_in_the_language_of_whoever_writes() -> None:
    paths = [
        path
        for application in ("ledger_app", "ingestion_app")
        for floor in ("operations", "queries", "rules")
        for path in (ROOT / application / floor).glob("*.py")
    ]
    found = [
        f"{path.relative_to(ROOT)}:{line}"
        for path in sorted(paths)
        for line in translated(ast.parse(path.read_text(encoding="utf-8")))
    ]
    assert found == []
