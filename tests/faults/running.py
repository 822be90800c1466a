"""What the drill's children do: run a command, undisturbed or disturbed, and report what came of it."""

import io
import json
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import Any
from unittest import mock

from django.core.management import call_command

from ledger_app.base.operations import transactions
from tests.faults import disturbing, planted
from tests.faults.disturbing import Disturbance
from tests.faults.ground import Site
from tests.faults.processes import Report
from tests.faults.proxy import Cut, Proxy

DONE, AGAIN = 0, 75
LEDGER_KEYS = ("posting_origin_unique", "entry_reference_unique", "line_sequence_unique", "reverses_id", "PRIMARY")


def undisturbed(site: Site, command: Sequence[str]) -> Callable[[Report], None]:
    """Run a command and report the names of its steps."""

    def work(report: Report) -> None:
        site.enter()
        with disturbing.recorded() as names:
            report(ended=run(command))
        counted = Counter(names)
        for name in dict.fromkeys(names):
            report(step=name, count=counted[name])

    return work


def once(site: Site, command: Sequence[str], fault: str, disturbances: Sequence[Disturbance]) -> Callable[[Report], None]:
    """Run a command, which disturbances strike on its way where there are any."""

    def work(report: Report) -> None:
        site.enter()
        with planted.plant(fault, lambda: report(planted=fault)), watched(report), _disturbed(site, disturbances, report):
            report(ended=run(command))

    return work


def until_done(site: Site, command: Sequence[str], fault: str, cuts: Sequence[Cut]) -> Callable[[Report], None]:
    """Run a command again and again, by a way that is cut as planned, until it is done, or says “try again” where nothing was cut.

    A cut costs a process nothing but its connection, so all this is one process.
    """

    def work(report: Report) -> None:
        made: list[Cut] = []

        def told(cut: Cut) -> None:
            made.append(cut)
            report(struck=f"cut {cut.when}")

        with Proxy(port=site.server.port, cuts=cuts, told=told) as way:
            site.enter(way.port)
            with planted.plant(fault, lambda: report(planted=fault)), watched(report):
                ended, before = run(command), 0
                while ended["status"] == AGAIN and len(made) > before:
                    before = len(made)
                    ended = run(command)
            report(ended=ended)

    return work


def run(command: Sequence[str]) -> dict[str, Any]:
    """Run a command of the project in this process; return its exit status, the object it printed, and what it said on stderr."""
    out, complaints = io.StringIO(), io.StringIO()
    status: Any = DONE
    try:
        call_command(*command, "--json", stdout=out, stderr=complaints)
    except SystemExit as end:
        status = end.code
    return {"status": status, "said": json.loads(out.getvalue() or "{}"), "complaints": complaints.getvalue()[-1000:]}


def watched(report: Report) -> AbstractContextManager[Any]:
    """Report when two writers meet on a unique key of the ledger, which no two do that hold the locks."""
    cause_of = transactions.passing_cause

    def passing_cause(error: Any) -> str:
        cause = cause_of(error)
        if cause.startswith("two writers") and any(key in str(error) for key in LEDGER_KEYS):
            report(met=str(error))
        return cause

    return mock.patch.object(transactions, "passing_cause", passing_cause)


def _disturbed(site: Site, disturbances: Sequence[Disturbance], report: Report) -> AbstractContextManager[Any]:
    if not disturbances:
        return nullcontext()
    return disturbing.disturbed(
        disturbances, server_pid=site.server.pid, told=lambda what: report(struck=f"{what.kind} {what.when}")
    )
