"""Recomputes an audit kit from its own folder: entries, lines, balances, seal and chain. It says which row differs.

    python -I -S verify.py [FOLDER] [--seal HEX] [--kit HEX] [--language en|ja]

FOLDER is the one that this program lies in, unless you name another. Nothing but Python 3.10 or later is needed: no package, no database, no network,
and nothing of the system that wrote the kit. Exit status: 0 all agrees, 1 something differs, 2 this is no kit. Memory does not grow with the kit.
What is recomputed, and how each digest is made, is written in README.txt.
"""

from __future__ import annotations

import argparse
import csv
import hashlib
import json
import os
import re
import sys
import zlib
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

FORM = "kakutei-kit-1"
TOLD_MOST = 50  # rows that are named; the rest is counted
ACCOUNTS_A_PASS = 500_000  # accounts that are held at once; of more, the lines are read again
# The columns that name a row to people, by file.
NAMES = {
    "seals.csv": ("number", "period"),
    "trial_balance.csv": ("seal", "category", "role"),
    "entries.csv": ("date", "reference"),
    "lines.csv": ("date", "reference", "line"),
    "balances.csv": ("account",),
    "postings.csv": ("posting", "origin"),
    "batches.csv": ("batch", "source", "file_name"),
    "decisions.csv": ("subject", "number", "action", "by"),
}
# A spreadsheet takes a text that begins so for a formula: the kit has an apostrophe before it, which is no part of the text.
FORMULA = re.compile("'*[=+\\-@\t\r\n\uff1d\uff0b\uff0d\uff20\u207a\u207b\u207c\u208a\u208b\u208c\u2212\ufe62\ufe63\ufe66\ufe6b]")
WHOLE = re.compile("-?[0-9]{1,40}")
csv.field_size_limit(10**7)
JAPANESE = {
    "file is missing": "ファイルがありません",
    "cannot be read further: {why}": "これ以上読めません: {why}",
    "is not what kit.json says of it": "kit.json の記載と異なります",
    "is no part of this kit": "このキットに含まれるファイルではありません",
    "the columns are not those of kit.json": "列が kit.json の記載と異なります",
    "was changed, or a row before it was removed, added or moved": "変更されたか、その前の行が削除・追加・移動されています",
    "{there} rows are here and {said} were written: rows are missing or were added after this one": "行数は {there}、作成時は {said} です。この行の後で行が失われたか、追加されています",
    "“{text}” is no whole number": "「{text}」は整数ではありません",
    "does not come after the row before it": "前の行より後の順序になっていません",
    "belongs to no entry of entries.csv": "entries.csv のどの仕訳にも属していません",
    "has {there} lines in lines.csv and not {said}": "lines.csv の明細行は {there} 行で、{said} 行ではありません",
    "the lines come to {sum} and not to zero": "明細の合計が {sum} で、ゼロではありません",
    "its text and lines come to the digest {found}": "本文と明細から計算したダイジェストは {found} です",
    "{name} is {said}, and the rows come to {found}": "{name} は {said} ですが、行からの計算では {found} です",
    "is moved by lines.csv and is not in balances.csv": "lines.csv に明細があるのに balances.csv にありません",
    "the balances of seal {seal} do not sum to zero": "封印 {seal} の残高の合計がゼロになりません",
    "and {count} more": "ほか {count} 件",
    "It agrees: {entries} entries, {lines} lines, {balances} accounts, {decisions} decisions.": "一致しました: 仕訳 {entries} 件、明細 {lines} 行、勘定 {balances} 件、決裁 {decisions} 件。",
    "It does not agree: {count} differences.": "一致しません: 相違 {count} 件。",
    "Seal {number} of {book} {period}: {digest}": "{book} {period} の封印 {number}: {digest}",
    "This kit: {digest}": "このキット: {digest}",
    "Hold both against what you were told on another way than this folder.": "どちらも、このフォルダー以外の経路で知らされた値と照合してください。",
    "is not the one that you gave: {given}": "指定された値 {given} と異なります",
    "{folder} is no kit that this program knows: {why}": "{folder} はこのプログラムが扱えるキットではありません: {why}",
}


class Row(NamedTuple):
    """One row of a file: its number as an editor counts rows, and its cells by column."""

    file: str
    number: int
    cells: dict[str, str]

    def __str__(self) -> str:
        """Return where it is and what people call it."""
        names = " ".join(filter(None, (self.cells.get(name, "") for name in NAMES.get(self.file, ()))))
        return f"{self.file}:{self.number} ({names})"


class NoKitError(Exception):
    """The folder has no kit that this program knows."""


class Findings:
    """What differs, in the language that was asked for."""

    def __init__(self, language: str) -> None:
        """Begin with nothing."""
        self.told: list[str] = []
        self.count = 0
        self._words = JAPANESE if language == "ja" else {}

    def say(self, sentence: str, **facts: Any) -> str:
        """Return a sentence in the language."""
        return self._words.get(sentence, sentence).format(**facts)

    def add(self, place: Any, sentence: str, **facts: Any) -> None:
        """Keep that something differs, and where."""
        self.count += 1
        if len(self.told) < TOLD_MOST:
            self.told.append(f"{place}: {self.say(sentence, **facts)}")

    def compare(self, place: Any, name: str, said: Any, found: Any) -> None:
        """Compare what a row says with what was found."""
        if str(said) != str(found):
            self.add(place, "{name} is {said}, and the rows come to {found}", name=name, said=said, found=found)


class Table:
    """A file of the kit, read row by row; each row is compared with its digest as it is read."""

    def __init__(self, kit: Kit, name: str, *, is_again: bool = False) -> None:
        """Read ``name``; a second reading finds nothing again."""
        self._kit, self._name, self._findings = kit, name, Findings("en") if is_again else kit.findings

    def __iter__(self) -> Iterator[Row]:
        """Yield the rows, and say at the end whether all are there."""
        columns, rows, head = self._kit.files[self._name]
        if not (path := self._kit.folder / self._name).is_file():
            return  # told where the bytes are compared with kit.json
        before, count, row = row_digest(self._name, columns), 0, Row(self._name, 1, {})
        # A byte that is no text is read as another text, so that the row that has it is named.
        with path.open(encoding="utf-8", errors="backslashreplace", newline="") as file:
            reader = csv.reader(file)
            try:
                if next(reader, []) != columns:
                    self._findings.add(self._name, "the columns are not those of kit.json")
                    return
                for cells in reader:
                    count += 1
                    row = Row(self._name, count + 1, defaultdict(str, zip(columns, cells)))  # noqa: B905 - a row may be cut
                    if len(cells) != len(columns) or cells[-1] != row_digest(before, cells[:-1]):
                        self._findings.add(row, "was changed, or a row before it was removed, added or moved")
                    before = cells[-1] if cells else ""
                    yield row
            except csv.Error as error:
                self._findings.add(self._name, "cannot be read further: {why}", why=error)
        if (count, before) != (rows, head):
            sentence = "{there} rows are here and {said} were written: rows are missing or were added after this one"
            self._findings.add(row, sentence, there=count, said=rows)


class Kit:
    """A folder, what kit.json says of it, and what was found against it."""

    def __init__(self, folder: Path, language: str = "en") -> None:
        """Read kit.json; raise NoKitError where it is not there, or of another form."""
        self.folder, self.findings = folder, Findings(language)
        try:
            text = (folder / "kit.json").read_bytes()
            said = json.loads(text.decode("utf-8"))
            self.said = {name: str(said[name]) for name in ("form", "book", "period", "starts_on", "ends_on", "seal")}
            self.files = {name: ([*map(str, of["columns"])], int(of["rows"]), of["head"]) for name, of in said["files"].items()}
            self.sha256 = {str(name): digest for name, digest in said["sha256"].items()}
        except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
            raise NoKitError(str(error)) from error
        if self.said["form"] != FORM or set(self.files) != set(NAMES):
            raise NoKitError(self.said["form"])
        self.digest = hashlib.sha256(text).hexdigest()
        self.seal: dict[str, str] = {}
        self.counts = {"entries": 0, "lines": 0, "debits": 0}
        self.moved: dict[tuple[str, str], list[int]] = {}

    def number(self, row: Row, name: str, *, is_again: bool = False) -> int:
        """Return a whole number of a row; 0 where it is none, which is said once."""
        text = row.cells[name]
        if WHOLE.fullmatch(text):
            return int(text)
        if not is_again:
            self.findings.add(row, "“{text}” is no whole number", text=text)
        return 0

    def check(self) -> Findings:
        """Recompute everything."""
        known = {*NAMES, *self.sha256}
        # What a desktop leaves in every folder has a name that begins with a full stop.
        there = {path.name for path in self.folder.iterdir() if not path.name.startswith(".")}
        for name in sorted(known | there - {"kit.json"}):
            if name not in known:
                self.findings.add(name, "is no part of this kit")
            elif not (self.folder / name).is_file():
                self.findings.add(name, "file is missing")
            elif file_digest(self.folder / name) != self.sha256.get(name):
                self.findings.add(name, "is not what kit.json says of it")
        last = self._seals()
        self._entries()
        if last is not None:
            self._seal_agrees(last)
        self._trial_balance(self._balances())
        for name in ("postings.csv", "batches.csv", "decisions.csv"):
            sum(1 for _row in Table(self, name))  # each row is compared with its digest as it is read
        return self.findings

    def _hold(self, row: Row, **found: Any) -> None:
        """Hold columns of a row against what was recomputed."""
        for name, value in found.items():
            self.findings.compare(row, name, row.cells[name], value)

    def _seals(self) -> Row | None:
        """Follow the chain of seals, and of what they cover besides, from the first to the one of this period."""
        previous, cover, row = "", "", None
        for place, row in enumerate(Table(self, "seals.csv"), start=1):
            self._hold(row, number=place, previous=previous)
            previous = row.cells["digest"]
            if row.cells["cover"]:
                link = (row.cells["link_number"], row.cells["link"])
                self._hold(row, cover=sha256("\n".join(("kakutei-cover-1", previous, cover, *link, ""))))
            cover = row.cells["cover"]
        self.seal = row.cells if row else {}
        for name, said in (("period", "period"), ("starts_on", "starts_on"), ("ends_on", "ends_on"), ("digest", "seal")):
            self.findings.compare(row or "seals.csv", name, meant(self.seal.get(name, "")), self.said[said])
        return row

    def _entries(self) -> None:
        """Recompute the digest of each entry from its lines, and the seal from the digests."""
        head = ("kakutei-seal-1", self.said["book"], self.said["period"], self.said["starts_on"], self.said["ends_on"])
        running = hashlib.sha256("\n".join((*head, self.seal.get("previous", ""), "")).encode("utf-8"))
        lines = Table(self, "lines.csv").__iter__()
        line = next(lines, None)
        before: tuple[str, bytes, int] = ("", b"", 0)
        for entry in Table(self, "entries.csv"):
            place = self._place(entry)
            if place <= before:
                self.findings.add(entry, "does not come after the row before it")
            before = place
            own: list[Row] = []
            while line is not None and (where := self._place(line)) <= place:
                self._take_in(line, None if where < place else own)
                line = next(lines, None)
            running.update(self._entry_digest(entry, own).encode("ascii") + b"\n")
        while line is not None:
            self._take_in(line, None)
            line = next(lines, None)
        self.recomputed = running.hexdigest()

    def _place(self, row: Row) -> tuple[str, bytes, int]:
        """Return where an entry stands in the order of the seal."""
        return row.cells["date"], meant(row.cells["reference"]).encode("utf-8"), self.number(row, "turn")

    def _take_in(self, line: Row, own: list[Row] | None) -> None:
        if own is None:
            self.findings.add(line, "belongs to no entry of entries.csv")
        else:
            own.append(line)
        amount = self.number(line, "amount")
        self.counts["lines"] += 1
        self.counts["debits"] += max(amount, 0)
        add_to(self.moved, (line.cells["category"], meant(line.cells["role"])), amount)

    def _entry_digest(self, entry: Row, lines: list[Row]) -> str:
        """Return what an entry comes to, and say where that is not what its row says."""
        self.counts["entries"] += 1
        cells = entry.cells
        amounts = [self.number(line, "amount") for line in lines]
        if str(len(lines)) != cells["lines"]:
            self.findings.add(entry, "has {there} lines in lines.csv and not {said}", there=len(lines), said=cells["lines"])
        if sum(amounts):
            self.findings.add(entry, "the lines come to {sum} and not to zero", sum=sum(amounts))
        texts = [meant(cells[name]) for name in ("date", "reference", "description", "reverses")]
        sides = ["{} {}".format(meant(line.cells["account"]), amount) for line, amount in zip(lines, amounts, strict=True)]
        found = sha256("\n".join(["kakutei-entry-1", self.said["book"], *texts, *sides, ""]))
        if found != cells["digest"]:
            self.findings.add(entry, "its text and lines come to the digest {found}", found=found)
        return found

    def _seal_agrees(self, row: Row) -> None:
        """Hold the seal, and the control totals that were given, against what was recomputed."""
        self._hold(row, digest=self.recomputed, **self.counts)
        known: dict[str, int] = defaultdict(int)
        for (_category, role), (debit, credit) in self.moved.items():
            known[role] += debit - credit
        # A role may have the name of a count: the count is meant then.
        known |= {name: self.counts[name] for name in ("entries", "debits")}
        for control in filter(None, row.cells["controls"].split(" ")):
            name, _equals, given = control.rpartition("=")
            self.findings.compare(row, name, given, known[name])

    def _balances(self) -> dict[tuple[str, str], list[int]]:
        """Compare the closing balance of each account with its opening and its lines; return opening and closing by category and role."""
        kinds: dict[tuple[str, str], list[int]] = {}
        passes = self.files["balances.csv"][1] // ACCOUNTS_A_PASS + 1
        for number in range(passes):
            moved: dict[str, list[int]] = {}
            for line in Table(self, "lines.csv", is_again=True):
                if part_of(line, passes) == number:
                    add_to(moved, line.cells["account"], self.number(line, "amount", is_again=True))
            for row in Table(self, "balances.csv", is_again=number > 0):
                if number == 0:
                    kind = kinds.setdefault((row.cells["category"], meant(row.cells["role"])), [0, 0])
                    kind[0] += self.number(row, "opening")
                    kind[1] += self.number(row, "closing")
                if part_of(row, passes) == number:
                    debit, credit = moved.pop(row.cells["account"], (0, 0))
                    closing = self.number(row, "opening", is_again=True) + debit - credit
                    self._hold(row, debit=debit, credit=credit, closing=closing)
            for account in moved:
                self.findings.add(account, "is moved by lines.csv and is not in balances.csv")
        return kinds

    def _trial_balance(self, kinds: dict[tuple[str, str], list[int]]) -> None:
        """Hold each trial balance against the one before it, and that of this period against lines and balances."""
        closed: dict[tuple[str, str], int] = {}
        before, sums, own, number = closed, {"": 0}, [], ""
        for row in Table(self, "trial_balance.csv"):
            if row.cells["seal"] != number:
                before, closed, number = closed, {}, row.cells["seal"]
            kind = (row.cells["category"], meant(row.cells["role"]))
            opening, debit, credit, closing = (self.number(row, name) for name in ("opening", "debit", "credit", "closing"))
            self._hold(row, opening=before.get(kind, 0), closing=opening + debit - credit)
            closed[kind] = closing
            sums[number] = sums.get(number, 0) + closing
            if number == self.seal.get("number"):
                own.append((row, kind))
        for seal in filter(sums.get, sums):
            self.findings.add("trial_balance.csv", "the balances of seal {seal} do not sum to zero", seal=seal)
        for row, kind in own:
            opening, closing = kinds.pop(kind, [0, 0])
            debit, credit = self.moved.pop(kind, [0, 0])
            self._hold(row, opening=opening, debit=debit, credit=credit, closing=closing)
        for kind in sorted(set(self.moved) | {kind for kind, amounts in kinds.items() if any(amounts)}):
            self.findings.compare("trial_balance.csv", " ".join(kind), "–", self.moved.get(kind) or kinds.get(kind))


def sha256(text: str) -> str:
    """Return the SHA-256 of a text in UTF-8, in hexadecimal."""
    return hashlib.sha256(text.encode("utf-8")).hexdigest()


def file_digest(path: Path) -> str:
    """Return the SHA-256 of a file, in hexadecimal."""
    found = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(1 << 20):
            found.update(block)
    return found.hexdigest()


def row_digest(before: str, cells: list[str]) -> str:
    """Return the digest of a row: of the one before it, and of each cell with its length in bytes before it."""
    parts = [b"%d:%s\n" % (len(said), said) for said in (cell.encode("utf-8") for cell in cells)]
    return hashlib.sha256(b"".join([before.encode("utf-8"), b"\n", *parts])).hexdigest()


def meant(cell: str) -> str:
    """Return the text that a cell stands for."""
    return cell[1:] if cell.startswith("'") and FORMULA.match(cell) else cell


def add_to(moved: dict[Any, list[int]], key: Any, amount: int) -> None:
    """Add an amount to the debits or the credits of something."""
    moved.setdefault(key, [0, 0])[amount < 0] += abs(amount)


def part_of(row: Row, parts: int) -> int:
    """Return in which part of so many the account of a row is looked at."""
    return zlib.crc32(row.cells["account"].encode("utf-8")) % parts


def main(arguments: list[str] | None = None) -> int:
    """Read the command line, check, and say what was found."""
    parser = argparse.ArgumentParser(description="Recompute an audit kit from its own folder.")
    parser.add_argument("folder", nargs="?", type=Path, default=Path(__file__).resolve().parent)
    parser.add_argument("--seal", metavar="HEX", help="the digest of the seal, as you were told it on another way")
    parser.add_argument("--kit", metavar="HEX", help="the digest of this kit, as you were told it on another way")
    language = "ja" if (os.environ.get("LC_ALL") or os.environ.get("LANG") or "").startswith("ja") else "en"
    parser.add_argument("--language", choices=("en", "ja"), default=language)
    asked = parser.parse_args(arguments)
    sys.stdout.reconfigure(errors="backslashreplace")  # type: ignore[union-attr]  # of a terminal that has not all characters
    try:
        kit = Kit(asked.folder, asked.language)
    except NoKitError as why:
        sentence = "{folder} is no kit that this program knows: {why}"
        sys.stderr.write(Findings(asked.language).say(sentence, folder=asked.folder, why=why) + "\n")
        return 2
    findings = kit.check()
    for place, given, found in (("seal", asked.seal, kit.seal.get("digest")), ("kit", asked.kit, kit.digest)):
        if given is not None and given.lower() != found:
            findings.add(place, "is not the one that you gave: {given}", given=given)
    facts = {name[:-4]: rows for name, (_columns, rows, _head) in kit.files.items()} | kit.said | kit.counts
    facts |= {"count": findings.count, "number": kit.seal.get("number", ""), "digest": kit.seal.get("digest", "")}
    agrees = "It agrees: {entries} entries, {lines} lines, {balances} accounts, {decisions} decisions."
    said = [
        *findings.told,
        *(findings.say("and {count} more", count=more) for more in [findings.count - TOLD_MOST] if more > 0),
        findings.say("It does not agree: {count} differences." if findings.count else agrees, **facts),
        findings.say("Seal {number} of {book} {period}: {digest}", **facts),
        findings.say("This kit: {digest}", digest=kit.digest),
        findings.say("Hold both against what you were told on another way than this folder."),
    ]
    sys.stdout.write("\n".join(said) + "\n")
    return 1 if findings.count else 0


if __name__ == "__main__":
    sys.exit(main())
