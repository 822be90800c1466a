"""merge propose|undo|decide: proposes that two members become one, or that a merge be undone, and decides such proposals."""

from argparse import SUPPRESS, ArgumentTypeError
from collections.abc import Sequence
from functools import partial
from operator import attrgetter
from typing import Any

from django.core.management.base import CommandParser
from django.utils.translation import gettext as _

from config.doors.commands import base as commands
from config.doors.commands import repeating
from ledger_app.base.operations.audit import Caller
from ledger_app.errors import LedgerError
from ledger_app.members.operations import merges
from ledger_app.members.queries import merges as queries
from ledger_app.members.rules.merges import MERGE, MergePlan, digest
from ledger_app.models import Book, Merge
from ledger_app.values.amounts import decimal_text

DONE_ALREADY = {"approve": Merge.State.DONE, "reject": Merge.State.REJECTED, "withdraw": Merge.State.WITHDRAWN}


class Command(commands.Command):
    """Proposes and decides merges of members."""

    help = (
        "Propose that a member be merged into another, or that a merge be undone; with --preview say only what that would do. Another person decides. "
        "Members go by the numbers that find_member prints."
    )

    def arguments(self, parser: CommandParser) -> None:
        """Declare what can be done, and the arguments of each."""
        kinds = parser.add_subparsers(dest="act", required=True, metavar="propose|undo|decide")
        propose = kinds.add_parser("propose", help="propose that a member be merged into another")
        propose.add_argument("member", type=commands.positive, metavar="MEMBER", help="who ends")
        propose.add_argument("survivor", type=commands.positive, metavar="SURVIVOR", help="who remains")
        undo = kinds.add_parser("undo", help="propose that a merge be undone")
        undo.add_argument("merge", type=commands.positive, metavar="MERGE")
        undo.add_argument(
            "--amount",
            action="append",
            type=_amount,
            metavar="BOOK:ROLE:AMOUNT",
            help="what is given back, in minor units; may be given several times; what was moved, as far as it is there, where it is not given",
        )
        for each in (propose, undo):
            each.add_argument("--date", type=commands.iso_date, metavar="D", help="of the entries; else the day of the decision")
            each.add_argument("--preview", action="store_true", help="write nothing, and say what would move and be refused")
        decide = kinds.add_parser("decide", help="decide what is proposed")
        decide.add_argument("merge", type=commands.positive, metavar="MERGE")
        decide.add_argument("decision", choices=sorted(DONE_ALREADY), metavar="DECISION", help="approve, reject or withdraw")
        decide.add_argument("--shown", metavar="DIGEST", help="the plan that U was shown; as it is now where it is not given")
        for each in (propose, undo, decide):
            each.add_argument("--user", required=True, metavar="U", help="who proposes or decides")
            each.add_argument("--reason", default="", metavar="T")
            commands.add_json(each, default=SUPPRESS)  # what stands before the name of the part holds too

    def run(self, **options: Any) -> commands.Outcome:
        """Preview, propose or decide."""
        if options["act"] == "decide":
            caller = commands.caller(options["user"], deciding=True)
            return _told_of(_decided(options, caller), caller)
        caller = commands.caller(options["user"])
        shared = {"reason": options["reason"], "effective_on": options["date"]}
        if options["act"] == "propose":
            wanted = queries.proposal(holder_id=options["member"], survivor_id=options["survivor"], **shared)
        else:
            wanted = queries.undoing(merge_id=options["merge"], amounts=options["amount"], **shared)
        if options["preview"]:
            plan, refusals, _shown = queries.preview(wanted, user=caller.user, at=caller.at)
            return _told(wanted, plan.as_json(), refusals)
        return _told_of(_standing(wanted, caller) or merges.propose(wanted, caller=caller), caller)


def _amount(text: str) -> tuple[str, str, int]:
    """Read BOOK:ROLE:AMOUNT, for argparse."""
    book, role, amount = text.split(":") if text.count(":") == 2 else ("", "", "")
    if not (book and role and amount.isascii() and amount.isdigit()):
        raise ArgumentTypeError(_("“{text}” is no amount to give back; write it like POINTS:points:120").format(text=text))
    return book, role, int(amount)


def _standing(wanted: Merge, caller: Caller) -> Merge | None:
    """Return what this user has proposed already in the same words, and nobody has decided."""
    terms = attrgetter("holder_id", "survivor_id", "undoes_id", "effective_on", "reason", "amounts")
    mine = Merge.objects.filter(state=Merge.State.PROPOSED, proposed_by=caller.user)
    return next((row for row in mine if terms(row) == terms(wanted)), None)


def _decided(options: dict[str, Any], caller: Caller) -> Merge:
    """Decide, unless this user has done so."""
    row, name, reason = queries.find(options["merge"]), options["decision"], options["reason"]

    def act() -> Merge:
        if name != "approve":
            return merges.end(merge_id=row.pk, name=name, reason=reason, caller=caller, version=row.version)
        shown = options["shown"] if options["shown"] is not None else digest(_plan_now(row, caller).as_json()).hex()
        return merges.approve(merge_id=row.pk, digest_shown=shown, caller=caller, reason=reason, version=row.version)

    wanted = repeating.decision(
        MERGE,
        name,
        row.pk,
        caller,
        given={"--reason": reason, "--shown": options["shown"] if name == "approve" else None},
        kept={"--shown": lambda done: done.facts["digest"]},
    )
    return repeating.once(wanted, standing=Merge.objects.filter(pk=row.pk, state=DONE_ALREADY[name]).first, act=act)


def _plan_now(row: Merge, caller: Caller) -> MergePlan:
    return queries.facts(row, user=caller.user, at=caller.at).plan


def _told_of(row: Merge, caller: Caller) -> commands.Outcome:
    if row.state == Merge.State.PROPOSED:
        return _told(row, _plan_now(row, caller).as_json(), ())
    return _told(row, row.decided_preview or row.preview, ())


def _told(row: Merge, plan: dict[str, Any], refusals: Sequence[LedgerError]) -> commands.Outcome:
    """Say what a merge would do or did; status 1 where a rule would refuse it."""
    data = {
        "merge": row.pk,
        "state": row.state if row.pk else None,
        "member": row.holder_id,
        "survivor": row.survivor_id,
        "undoes": row.undoes_id,
        "plan": digest(plan).hex(),
        **plan,
    }
    status = commands.REFUSED if refusals else commands.DONE
    if refusals:
        data |= {"status": status, "refused": [reason.as_dict() for reason in refusals]}
    name = _("Merge {number}").format(number=row) if row.pk else _("A merge")
    state = row.get_state_display() if row.pk else _("not proposed")
    remains = row.survivor_id or _("a new member")
    lines = [
        _("{merge}: {state}; member {member} → {survivor}").format(
            merge=name, state=state, member=row.holder_id, survivor=remains
        )
    ]
    books = Book.objects.in_bulk([each["book"] for each in plan["moves"]], field_name="code")
    for each in plan["moves"]:
        told = partial(_in_unit, books[each["book"]])
        lines.append(f"  {each['book']} {each['from']} → {each['to'] or _('a new account')}: {told(each['amount'])}")
        if each.get("moved", each["amount"]) != each["amount"]:
            lines[-1] += " " + _("of {moved} that the merge moved; the rest is not there").format(moved=told(each["moved"]))
        lines += [f"    {on}: {told(amount)}" for on, amount in each.get("later", [])]
        lines += [
            f"    #{lot} {kind} {granted}–{last}: {told(amount)}" for lot, kind, granted, last, amount in each.get("lots", [])
        ]
    lines += [f"  {kind} {value}" for _key, kind, value in plan["identifiers"]]
    return commands.Outcome(data, tuple(lines), status, tuple(str(reason) for reason in refusals))


def _in_unit(book: Book, amount: int) -> str:
    return f"{decimal_text(amount, book.exponent)} {book.unit}"
