"""What the source itself must keep to: functions from a parsed module to the places that break a rule."""

import ast
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from html.parser import HTMLParser

FUNCTION_LINES = 70
FILE_LINES = 400

WRITING_METHODS = frozenset(
    f"{prefix}{name}"
    for prefix in ("", "a")
    for name in ("save", "create", "update", "delete", "bulk_create", "bulk_update", "get_or_create", "update_or_create")
)
WRITING_SQL = re.compile(
    r"\b(INSERT\s+(IGNORE\s+|OR\s+\w+\s+)?INTO|REPLACE\s+INTO|UPDATE\s+\S+\s+(AS\s+\w+\s+|\w+\s+)?(SET|JOIN)"
    r"|DELETE\s+(\w+\s+)?FROM|TRUNCATE\s+(TABLE\s+)?\w+|LOAD\s+DATA|MERGE\s+INTO)\b",
    re.IGNORECASE,
)
CLOCKS = frozenset(
    {
        "datetime.date.today",
        "datetime.datetime.now",
        "datetime.datetime.today",
        "datetime.datetime.utcnow",
        "django.db.models.functions.Now",
        "django.utils.timezone.localdate",
        "django.utils.timezone.localtime",
        "django.utils.timezone.now",
        "time.gmtime",
        "time.localtime",
        "time.time",
        "time.time_ns",
    }
)
AGGREGATES = frozenset({"django.db.models.Sum", "django.db.models.Avg", "django.db.models.aggregates.Sum"})
SUMMING_SQL = re.compile(r"(?<![\w])(SUM|TOTAL|AVG)\s*\(", re.IGNORECASE)
SURROUNDINGS = ("django.conf", "django.contrib.messages", "django.http", "django.shortcuts", "rest_framework")
ROW_LOCK = re.compile(r"\b(FOR UPDATE|LOCK IN SHARE MODE|FOR SHARE)\b")
STATEMENT = re.compile(r"\s*(SELECT|INSERT|UPDATE|DELETE|REPLACE|CREATE|DROP|ALTER|WITH|SET|PRAGMA|LOCK|CALL)\s", re.IGNORECASE)
STATEMENT_DOORS = frozenset({"execute", "executemany", "callproc", "raw", "extra", "RawSQL"})
QUOTING = frozenset({"quote_name", "_quoted"})
TABLE_LIBRARIES = frozenset({"openpyxl", "odf", "pandas", "polars", "pyexcel", "tablib", "unicodecsv", "xlsxwriter", "xlwt"})
DATABASE_ERRORS = frozenset({"DatabaseError", "OperationalError"})
# What a person calls a place in the file system; `/` there joins and does not divide.
PLACES = re.compile(r"(path|file|folder|directory|dir|root|home)s?$", re.IGNORECASE)


@dataclass(frozen=True)
class Breach:
    """One place that breaks a rule; ``within`` is the dotted name of the function or class it stands in."""

    line: int
    within: str
    what: str


# MariaDB and MySQL: rows found through another table or a list.
GIVEN_WRITE = re.compile(r"^\s*(?:UPDATE|DELETE)\b.*(?<!CROSS )JOIN\b", re.DOTALL)


def writes(tree: ast.Module) -> Iterator[Breach]:
    """Yield calls that write rows, and SQL that does."""
    skipped = set(_docstrings_and_parts(tree))
    for node, within in _walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in WRITING_METHODS:
            # A digest, a dictionary or a cache takes its content by position; a row takes it by name.
            if node.args and node.func.attr in {"update", "delete"}:
                continue
            yield Breach(node.lineno, within, f".{node.func.attr}(")
        elif isinstance(node, ast.JoinedStr | ast.Constant) and id(node) not in skipped:
            found = WRITING_SQL.search(_text(node))
            if found is not None:
                yield Breach(node.lineno, within, " ".join(found.group().split()))


def inexact_numbers(tree: ast.Module) -> Iterator[Breach]:
    """Yield float literals, ``float(``, ``Decimal(``, float and decimal columns, and divisions that are not whole."""
    for node, within in _walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, float | complex):
            yield Breach(node.lineno, within, repr(node.value))
        elif isinstance(node, ast.Call) and _last_name(node.func) in {"float", "Decimal", "FloatField", "DecimalField"}:
            yield Breach(node.lineno, within, f"{_last_name(node.func)}(")
        elif isinstance(node, ast.BinOp | ast.AugAssign) and isinstance(node.op, ast.Div) and not _joins_paths(node):
            yield Breach(node.lineno, within, "/")


def bare_sums(tree: ast.Module) -> Iterator[Breach]:
    """Yield each sum of the database's own, in SQL or by the ORM: one that passes sixty-four bits fails on SQLite, or is rounded."""
    skipped = set(_docstrings_and_parts(tree))
    imported = _imported_names(tree)
    for node, within in _walk(tree):
        if isinstance(node, ast.Attribute | ast.Name):
            named = _dotted(node)
            first, _, rest = named.partition(".")
            whole = ".".join(filter(None, (imported.get(first, first), rest)))
            if whole in AGGREGATES or (isinstance(node, ast.Attribute) and named in {"models.Sum", "models.Avg"}):
                yield Breach(node.lineno, within, named)
        elif isinstance(node, ast.JoinedStr | ast.Constant) and id(node) not in skipped:
            found = SUMMING_SQL.search(_text(node))
            if found is not None:
                yield Breach(node.lineno, within, found.group())


def clocks(tree: ast.Module) -> Iterator[Breach]:
    """Yield every mention of the time of day, called or passed on. ``time.monotonic`` measures and is not one."""
    imported = _imported_names(tree)
    for node, within in _walk(tree):
        if isinstance(node, ast.Attribute | ast.Name):
            dotted = _dotted(node)
            first, _, rest = dotted.partition(".")
            full = ".".join(filter(None, (imported.get(first, first), rest)))
            if full in CLOCKS:
                yield Breach(node.lineno, within, full)


def row_locks(tree: ast.Module) -> Iterator[Breach]:
    """Yield every lock of rows."""
    for node, within in _walk(tree):
        if isinstance(node, ast.Attribute) and node.attr == "select_for_update":
            yield Breach(node.lineno, within, node.attr)
        elif isinstance(node, ast.Constant) and isinstance(node.value, str) and ROW_LOCK.search(node.value):
            yield Breach(node.lineno, within, "SQL that locks")


def read_histories(tree: ast.Module) -> Iterator[Breach]:
    """Yield where rows of histories, or audit rows, are read: what is called on them other than to write."""
    for node, within in _walk(tree):
        if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)):
            continue
        of = node.func.value
        if isinstance(of, ast.Attribute) and node.func.attr not in WRITING_METHODS | {"bulk_history_create"}:
            name = f"{_last_name(of.value)}.{of.attr}"
            if of.attr == "history" or name == "AuditRow.objects" or re.fullmatch(r"Historical\w+\.objects", name):
                yield Breach(node.lineno, within, f".{of.attr}.{node.func.attr}(")


def surroundings(tree: ast.Module) -> Iterator[Breach]:
    """Yield imports of settings and of what belongs to a request."""
    for node, within in _walk(tree):
        if not isinstance(node, ast.Import | ast.ImportFrom):
            continue
        names = [alias.name for alias in node.names]
        if isinstance(node, ast.ImportFrom):
            names = [str(node.module), *(f"{node.module}.{name}" for name in names)]
        found = [name for name in names if name.startswith(SURROUNDINGS)]
        if found:
            yield Breach(node.lineno, within, found[0])


def caught_database_errors(tree: ast.Module) -> Iterator[Breach]:
    """Yield handlers of errors after which only the outermost transaction may decide what to do."""
    for node, within in _walk(tree):
        if not isinstance(node, ast.ExceptHandler) or node.type is None:
            continue
        caught = node.type.elts if isinstance(node.type, ast.Tuple) else [node.type]
        for error in caught:
            if _last_name(error) in DATABASE_ERRORS:
                yield Breach(node.lineno, within, f"except {_last_name(error)}")


def table_writers(tree: ast.Module) -> Iterator[Breach]:
    """Yield what writes CSV or workbooks: libraries, and media types without the one that writes them."""
    for node, within in _walk(tree):
        if isinstance(node, ast.Attribute) and _dotted(node) in {"csv.writer", "csv.DictWriter"}:
            yield Breach(node.lineno, within, _dotted(node))
        elif isinstance(node, ast.Import | ast.ImportFrom):
            named = [alias.name for alias in node.names]
            whole = [f"{node.module}.{name}" for name in named] if isinstance(node, ast.ImportFrom) else named
            for name in whole:
                if name in {"csv.writer", "csv.DictWriter"} or name.partition(".")[0] in TABLE_LIBRARIES:
                    yield Breach(node.lineno, within, name)


def statements(tree: ast.Module) -> Iterator[Breach]:
    """Yield each place where a statement of one's own is given to the database."""
    for node, within in _walk(tree):
        if isinstance(node, ast.Call) and _last_name(node.func) in STATEMENT_DOORS:
            yield Breach(node.lineno, within, f"{_last_name(node.func)}(")


def built_statements(tree: ast.Module) -> Iterator[Breach]:
    """Yield each piece that is put into the text of a statement and is neither a constant of a module nor quoted as a name."""
    for node, within in _walk(tree):
        pieces: list[ast.expr] = []
        if isinstance(node, ast.JoinedStr) and STATEMENT.match(_text(node)):
            pieces = [part.value for part in node.values if isinstance(part, ast.FormattedValue)]
        elif isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add | ast.Mod) and STATEMENT.match(_text(node.left)):
            pieces = [node.right]
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "format":
            is_one = STATEMENT.match(_text(node.func.value)) is not None
            pieces = [*node.args, *(keyword.value for keyword in node.keywords)] if is_one else []
        for piece in pieces:
            if not _is_of_the_code(piece):
                yield Breach(piece.lineno, within, ast.unparse(piece))


def _is_of_the_code(piece: ast.expr) -> bool:
    if isinstance(piece, ast.Constant):
        return True
    if isinstance(piece, ast.Subscript):
        return _is_of_the_code(piece.value)
    if isinstance(piece, ast.JoinedStr):
        return all(_is_of_the_code(part.value) for part in piece.values if isinstance(part, ast.FormattedValue))
    if isinstance(piece, ast.Call) and isinstance(piece.func, ast.Attribute) and piece.func.attr == "format":
        filled = [*piece.args, *(keyword.value for keyword in piece.keywords)]
        return _is_of_the_code(piece.func.value) and all(map(_is_of_the_code, filled))
    # The one home of what statements spell alike, asked for columns that are named in the code.
    if isinstance(piece, ast.Call) and _dotted(piece.func).startswith("sql."):
        return all(map(_is_of_the_code, piece.args))
    if isinstance(piece, ast.Call):
        names = (node for node in ast.walk(piece) if isinstance(node, ast.Name | ast.Attribute))
        return _last_name(piece.func) in QUOTING | {"join"} and any(_last_name(node) in QUOTING for node in names)
    return _last_name(piece).isupper()


def unforced_writes(tree: ast.Module) -> Iterator[Breach]:
    """Yield statements that write by a given list and leave it to the server how to find the rows: it may read a small table whole, and wait for every row of it."""
    parts = set(_docstrings_and_parts(tree))
    for node, within in _walk(tree):
        if isinstance(node, ast.JoinedStr | ast.Constant) and id(node) not in parts:
            text = _text(node)
            if GIVEN_WRITE.search(text) and "FORCE INDEX (PRIMARY)" not in text:
                yield Breach(node.lineno, within, "writes by a list without FORCE INDEX (PRIMARY)")


def long_functions(tree: ast.Module) -> Iterator[Breach]:
    """Yield functions of 70 lines or more, from ``def`` to the last line."""
    for node, within in _walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            length = (node.end_lineno or node.lineno) - node.lineno + 1
            if length >= FUNCTION_LINES:
                yield Breach(node.lineno, ".".join(filter(None, (within, node.name))), f"{length} lines")


def long_file(source: str) -> Iterator[Breach]:
    """Yield one breach for a file of 400 lines or more."""
    length = len(source.splitlines())
    if length >= FILE_LINES:
        yield Breach(length, "", f"{length} lines")


def unsafe_markup(source: str) -> Iterator[Breach]:
    """Yield what a strict Content-Security-Policy would refuse, and what switches escaping off, in a Django template."""
    for number, line in enumerate(source.splitlines(), start=1):
        for found in re.finditer(r"\|\s*safe(seq)?\b|{%\s*autoescape\s+off", line):
            yield Breach(number, "", found.group())
    reader = _MarkupReader()
    # Tags of the template language may hold quotes and angle brackets of their own; keep the lines as they are.
    plain = re.sub(r"{%.*?%}|{#.*?#}", " ", source)
    reader.feed(re.sub(r"{{.*?}}", "x", plain))
    reader.close()
    yield from reader.breaches


class _MarkupReader(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.breaches: list[Breach] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        line = self.getpos()[0]
        given = dict(attrs)
        if tag == "script" and "src" not in given:
            self.breaches.append(Breach(line, "", "<script> without src"))
        if tag == "style":
            self.breaches.append(Breach(line, "", "<style>"))
        for name, value in given.items():
            if name == "style" or name.startswith("on"):
                self.breaches.append(Breach(line, "", f"{name}="))
            if (value or "").strip().lower().startswith("javascript:"):
                self.breaches.append(Breach(line, "", "javascript:"))


def _walk(node: ast.AST, within: str = "") -> Iterator[tuple[ast.AST, str]]:
    """Yield each node below ``node`` with the dotted name of what it stands in."""
    for child in ast.iter_child_nodes(node):
        yield child, within
        inner = within
        if isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            inner = f"{within}.{child.name}" if within else child.name
        yield from _walk(child, inner)


def _docstrings_and_parts(tree: ast.Module) -> Iterable[int]:
    """Yield the identities of strings that stand alone as statements, and of the parts of strings that are filled in."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Expr):
            yield id(node.value)
        elif isinstance(node, ast.JoinedStr):
            yield from (id(part) for part in node.values)


def _text(node: ast.AST) -> str:
    """Return the text of a string, with a word in the place of each value that is filled in; of anything else none."""
    if not isinstance(node, ast.JoinedStr):
        return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else ""
    return "".join(str(part.value) if isinstance(part, ast.Constant) else "filled" for part in node.values)


def _last_name(node: ast.AST) -> str:
    return node.attr if isinstance(node, ast.Attribute) else node.id if isinstance(node, ast.Name) else ""


def _dotted(node: ast.AST) -> str:
    if isinstance(node, ast.Attribute):
        return f"{_dotted(node.value)}.{node.attr}"
    return node.id if isinstance(node, ast.Name) else "?"


def _imported_names(tree: ast.Module) -> dict[str, str]:
    """Return what each imported name stands for, in full."""
    names = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                names[alias.asname or alias.name.partition(".")[0]] = alias.name if alias.asname else alias.name.partition(".")[0]
        elif isinstance(node, ast.ImportFrom):
            for alias in node.names:
                names[alias.asname or alias.name] = f"{node.module}.{alias.name}"
    return names


def _joins_paths(node: ast.BinOp | ast.AugAssign) -> bool:
    """Tell whether a ``/`` joins paths: one side is text, or is named as a place."""
    sides = [node.left, node.right] if isinstance(node, ast.BinOp) else [node.target, node.value]
    return any(
        isinstance(side, ast.JoinedStr)
        or (isinstance(side, ast.Constant) and isinstance(side.value, str))
        or (isinstance(side, ast.BinOp) and isinstance(side.op, ast.Div) and _joins_paths(side))
        or PLACES.search(_last_name(side.func if isinstance(side, ast.Call) else side)) is not None
        for side in sides
    )
