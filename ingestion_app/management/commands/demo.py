"""demo: real months of purchases, from bytes to frozen periods, and the proof that the books are right."""

import io
import json
import subprocess
import sys
from datetime import date
from pathlib import Path
from time import perf_counter
from typing import Any

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import CommandParser

from config.doors import callers as doorways
from config.doors import scanning
from config.doors.commands import base as commands
from config.doors.commands.counting import counted
from ingestion_app.deciding.operations import deciding
from ingestion_app.demo import purchases, seeding
from ingestion_app.errors import DemonstrationStopped
from ingestion_app.management.commands import apply, approve, validate
from ingestion_app.models import Batch
from ingestion_app.receiving.operations import receiving
from ledger_app.base.queries.totals import Total
from ledger_app.books.queries import books
from ledger_app.close.operations import periods
from ledger_app.models import Book, Line, Seal
from ledger_app.rights.rules.rights import OF_PROGRAMS
from ledger_app.verification.operations import verification

RECEIVER, APPROVER, CLOSER = "engineer-1", "finance-1", "finance-2"
MONTHS_MOST = 12
PHASES = ("receive", "validate", "approve", "apply", "freeze")
INDEPENDENT = Path("tests/independent/totals.py")


class Command(commands.Command):
    """Runs the demonstration; run again, it finds everything done."""

    help = "Take real months of card purchases from bytes to frozen periods, verify the books, and say what was done."

    def arguments(self, parser: CommandParser) -> None:
        """Declare the arguments."""
        parser.add_argument("--months", type=commands.positive, default=1, metavar="N", help="how many months of 2017, up to 12")

    def run(self, **options: Any) -> commands.Outcome:
        """Run month after month, verify, and compare with what an independent script says."""
        seeding.refuse_in(settings.ENVIRONMENT)
        months = min(options["months"], MONTHS_MOST)
        self._say("Seeding books, members, accounts and users …")
        seeding.seed(months=months, caller=commands.caller(None))
        self._say("Reading the same purchases with a script that shares no code with the ledger …")
        independent = independent_totals(months)
        rows = [self._month(month, independent[purchases.LAST_DAYS[month - 1][:7]]) for month in range(1, months + 1)]
        self._say("Verifying the books from their rows …")
        started = perf_counter()
        verified = verification.verify(books=list(Book.objects.order_by("code")), at=doorways.now(), now=doorways.now)
        rows.append({"month": "verify", "seconds": {"verify": perf_counter() - started}})
        if months < MONTHS_MOST:
            purchases.write_month(months + 1, folder())
        self._say("Handing January over to three accounting programs …")
        exports = hand_over(purchases.LAST_DAYS[0][:7])
        through = date.fromisoformat(purchases.LAST_DAYS[months - 1])
        members_match = members(through) == independent_members(independent)
        sealed = Seal.objects.select_related("period__book").order_by("period__starts_on", "book__code")
        data = {
            "records": sum(row.get("records", 0) for row in rows),
            "entries": sum(row.get("entries", 0) for row in rows),
            "lines": sum(row.get("lines", 0) for row in rows),
            "control_total_matches": members_match and all(row["matches"] for row in rows if "matches" in row),
            "verify": verified.breaches == 0,
            "seals": {str(seal.period): bytes(seal.digest).hex() for seal in sealed},
            "exports": {name: said["sha256"] for name, said in exports.items()},
        }
        is_right = data["control_total_matches"] and data["verify"]
        told = [
            f"for {name}: {said['path']} ({counted(said['rows'], 'row')}, {counted(said['entries'], 'entry')})"
            for name, said in exports.items()
        ]
        lines = (*table(rows), *closing_words(data, members_match=members_match, months=months), *told, json.dumps(data))
        return commands.Outcome(data, lines, commands.DONE if is_right else commands.REFUSED)

    def _month(self, month: int, independent: dict[str, Any]) -> dict[str, Any]:
        """Take one month through all states, each by the one who may; return its figures."""
        path = purchases.write_month(month, folder())
        name = purchases.LAST_DAYS[month - 1][:7]
        self._say(f"{name}: {path.name}")
        seconds: dict[str, float] = {}
        started = perf_counter()

        def lap(phase: str) -> None:
            nonlocal started
            seconds[phase], started = perf_counter() - started, perf_counter()

        with path.open("rb") as stream:
            receipt = receiving.receive(
                stream=stream,
                name=path.name,
                source_code="card-usage",
                directory=Path(settings.KAKUTEI_FILES_DIR),
                caller=commands.caller(RECEIVER),
                scan=scanning.scanner(),
            )
        batch = (receipt.first or receipt).batch
        lap("receive")
        complain(validate.validate(batch, commands.caller(RECEIVER)))
        lap("validate")
        complain(approve.approve(Batch.objects.get(pk=batch.pk), APPROVER))
        lap("approve")
        complain(apply.apply(Batch.objects.get(pk=batch.pk), commands.caller(RECEIVER), workers=2))
        lap("apply")
        batch = Batch.objects.get(pk=batch.pk)
        if batch.state != Batch.State.FROZEN:
            batch = deciding.freeze(batch_id=batch.pk, caller=commands.caller(CLOSER))
        points = sum(points for _, points in independent["members"].values())
        sealed = [
            freeze("CARD", name, {"debits": independent["sum"]}),
            freeze("POINTS", name, {"debits": points, "points": -points}),
        ]
        lap("freeze")
        return {
            "month": name,
            "records": batch.record_count,
            "without_effect": batch.without_effect_count,
            "entries": sum(seal.entry_count for seal in sealed),
            "lines": sum(seal.line_count for seal in sealed),
            "sum": batch.record_sum,
            "trailer_sum": batch.trailer_sum,
            "matches": (batch.record_count, batch.record_sum)
            == (batch.trailer_count, batch.trailer_sum)
            == (independent["records"], independent["sum"])
            and sealed[0].debit_total == batch.record_sum,
            "seconds": seconds,
        }

    def _say(self, text: str) -> None:
        self.stderr.write(text)


def hand_over(period: str) -> dict[str, dict[str, Any]]:
    """Hand a period of the card book over by each profile, as the command does it, and return what it said of each."""
    where = folder() / "accounting"
    where.mkdir(parents=True, exist_ok=True)
    found: dict[str, dict[str, Any]] = {}
    for name in seeding.PROFILES:
        said = io.StringIO()
        path = where / f"{seeding.HANDED_OVER}-{period}-{name}.csv"
        given = ("--period", period, "--profile", name, "--output", str(path), "--user", CLOSER, "--json")
        try:
            call_command("export", seeding.HANDED_OVER, *given, stdout=said)
        except SystemExit as stopped:
            raise DemonstrationStopped(why=said.getvalue()) from stopped
        found[name] = json.loads(said.getvalue())
    return found


def folder() -> Path:
    """Return where the demonstration's files are written."""
    return Path(settings.VAR_DIR) / "demo"


def freeze(book: str, name: str, controls: dict[str, int]) -> Seal:
    """Freeze a period against the independent totals, unless it is frozen."""
    period = books.find_period(book, name)
    return Seal.objects.filter(period=period).first() or periods.freeze(
        period_id=period.pk, controls=controls, caller=commands.caller(CLOSER), code_version=settings.KAKUTEI_CODE_VERSION
    )


def complain(outcome: commands.Outcome) -> None:
    """Stop the demonstration where a step did not pass."""
    if outcome.status:
        raise DemonstrationStopped(why="; ".join(outcome.complaints) or "no reason was given")


def independent_totals(months: int) -> dict[str, Any]:
    """Return, by month, what a script that shares no code with the ledger says: records, sum, and cents and points by member."""
    script = Path(settings.BASE_DIR) / INDEPENDENT
    done = subprocess.run(
        [sys.executable, str(script), "--months", str(months), "--json"], check=True, capture_output=True, text=True
    )
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def independent_members(totals: dict[str, Any]) -> dict[str, list[int]]:
    """Add the months up by member: [cents, points], without members that come to nothing."""
    found: dict[str, list[int]] = {}
    for month in totals.values():
        for member, (cents, points) in month["members"].items():
            sums = found.setdefault(member, [0, 0])
            sums[0] += cents
            sums[1] += points
    return {member: sums for member, sums in found.items() if sums != [0, 0]}


def members(through: date) -> dict[str, list[int]]:
    """Return what the ledger says of the same: by member the change of receivable and points, in their natural direction."""
    found: dict[str, list[int]] = {}
    lines = Line.objects.filter(account__role__in=("receivable", "points"), entry__effective_on__lte=through)
    for code, role, amount in lines.values_list("account__code", "account__role").annotate(total=Total("amount")):
        sums = found.setdefault(code.partition(".")[2], [0, 0])
        sums[0 if role == "receivable" else 1] += int(amount) if role == "receivable" else -int(amount)
    return {member: sums for member, sums in found.items() if sums != [0, 0]}


def table(rows: list[dict[str, Any]]) -> list[str]:
    """Return the figures as a table for people."""
    heads = ["", "records", "no effect", "entries", "lines", "sum", "trailer", *[f"{phase} s" for phase in (*PHASES, "verify")]]
    cells = [heads]
    for row in rows:
        figures = [
            f"{row[name]:,}" if name in row else ""
            for name in ("records", "without_effect", "entries", "lines", "sum", "trailer_sum")
        ]
        seconds = [f"{row['seconds'][phase]:.1f}" if phase in row["seconds"] else "" for phase in (*PHASES, "verify")]
        cells.append([row["month"], *figures, *seconds])
    widths = [max(len(line[place]) for line in cells) for place in range(len(heads))]
    return ["  ".join(cell.rjust(width) for cell, width in zip(line, widths, strict=True)) for line in cells]


def closing_words(data: dict[str, Any], *, members_match: bool, months: int) -> list[str]:
    """Say what the figures mean, and who may log in."""
    said = [
        (
            f"Totals by member {'equal' if members_match else 'DIFFER FROM'} those of the independent script; "
            f"control totals {'match' if data['control_total_matches'] else 'DO NOT MATCH'}; "
            f"the books {'hold' if data['verify'] else 'DO NOT HOLD'}."
        ),
        *[f"seal {name}: {digest}" for name, digest in data["seals"].items()],
        f"Log in as {', '.join(name for name, group in seeding.USERS if group not in OF_PROGRAMS)}; the password of each is {seeding.PASSWORD}",
    ]
    if months < MONTHS_MOST:
        points = next(limit for limit in seeding.LIMITS if limit.book == "POINTS")
        said.append(
            f"{purchases.LAST_DAYS[months][:7]} is open: propose an adjustment of a member's points as support-1, dated in it, and decide it as "
            f"finance-1; above {points.alone:,} points finance-2 decides too, above {points.most:,} nobody does"
        )
        said.append(f"The next month waits to be received by hand: var/demo/card-usage-{purchases.LAST_DAYS[months]}-1.csv")
    return said
