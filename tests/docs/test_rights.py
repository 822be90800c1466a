"""docs/rights.md is what the code says, and the API and the pages answer each cell as it says."""

import itertools
import re
from collections.abc import Callable, Iterator
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.contrib import admin
from django.contrib.auth.models import Group
from django.test import Client
from django.urls import reverse
from rest_framework.test import APIClient

from config.doors import telling
from ingestion_app.management.commands import draw_rights
from ingestion_app.management.commands.draw_rights import ADMINISTRATOR, NO, OTHERS, OWN, ROLES, YES
from ingestion_app.models import Batch
from ledger_app.adjustments.operations import adjustments
from ledger_app.adjustments.queries import adjustments as adjustment_rows
from ledger_app.adjustments.queries import limits
from ledger_app.adjustments.rules.adjustments import Proposal
from ledger_app.base.rules.transitions import Transition
from ledger_app.members.operations import merges
from ledger_app.members.queries import merges as merge_rows
from ledger_app.models import Account, Adjustment, Entry, Erasure, Hold, Merge, Period, Reversal, SettingChange, User
from ledger_app.reversals import operations as reversals
from ledger_app.rights.rules import rights
from ledger_app.setting_changes import operations as setting_changes
from tests.support import every_table, profile_samples
from tests.support import world as worlds
from tests.support.world import Purchase

PARAMETER = re.compile(r"\(\?P<\w+>(?:[^()]|\([^()]*\))*\)")
# What a guard says that asks who one is; anything else is about the case.
WHO = {
    *(
        "not_permitted",
        "own_adjustment",
        "own_proposal",
        "own_erasure",
        "merge_decided_by_proposer",
        "own_reversal",
        "own_setting_change",
    ),
    *("not_proposer", "hold_of_other", "own_rights"),
}
# Beside the limit that the world has proposed.
SETTINGS: dict[str, dict[str, Any]] = {
    "reason_code": {"code": "gifts", "name": "Gifts", "contra_accounts": {"LOTS": "lots.expense"}},
    "template": {"book": "LOTS", "role": "gifts", "category": "liability", "floor": 0},
    "lot_rule": {"book": "LOTS", "role": "gifts", "expiry": "days", "validity": 20, "breakage": "lots.breakage"},
    "hold_rule": {"book": "CARD", "amount_most": 7},
    "close_policy": {"book": "CARD", "months_ahead": 1},
    "profile": {"text": profile_samples.text("freee")},
    "rights": {"user": "second", "groups": ["finance", "support"]},
}
OWNERS = {"adjustment": "proposed_by", "merge": "proposed_by", "reversal": "proposed_by", "setting": "proposed_by"}
OWNERS |= {"erasure": "proposed_by", "hold": "placed_by", "batch": "received_by"}
NAMES = {"setting": "setting-change"}
# Decisions that anyone who set the decider's password may have a hand in: they approve nothing that this person proposed. A rejection ends what its proposer could
# withdraw; freezing and closing are nobody's proposal; a batch is withdrawn, or its reversal proposed, by anyone who may. Any other decision asks.
APPROVE_NOTHING = {
    *((subject, "reject") for subject in ("adjustment", "erasure", "merge", "reversal", "setting")),
    *(("batch", name) for name in ("freeze", "reverse", "withdraw")),
    *(("account", "close"), ("period", "freeze")),
}


# As it stood before any test ran: none that draws it anew makes it right.
KEPT = (Path(settings.BASE_DIR) / "docs" / "rights.md").read_text(encoding="utf-8")


@pytest.mark.anywhere
def test_the_document_is_what_the_code_says() -> None:
    assert draw_rights.drawing() == KEPT, "run manage.py draw_rights"


@pytest.fixture
def world(db: None, tmp_path: Path) -> worlds.World:
    return every_table.build(tmp_path)


def become(user: User, role: str) -> User:
    """Have a user be what a role is and nothing beside, and return the user as the row says. By the rows: the history tells nothing of it."""
    User.objects.filter(pk=user.pk).update(is_superuser=role == ADMINISTRATOR, is_staff=True, is_active=True)
    User.user_permissions.through.objects.filter(user_id=user.pk).delete()
    User.groups.through.objects.filter(user_id=user.pk).delete()
    if role != ADMINISTRATOR:
        User.groups.through.objects.create(user_id=user.pk, group_id=Group.objects.get(name=role).pk)
    return User.objects.get(pk=user.pk)


class Asked:
    """The doors, as somebody comes to them."""

    def __init__(self) -> None:
        self.others = {role: become(User.objects.create(username=f"{role}-8"), role) for role in ROLES}
        self._pages: dict[int, Client] = {}
        self.api = APIClient()

    def pages(self, user: User) -> Client:
        """Return the browser of a user: who is signed in stays so, whatever becomes of their groups."""
        if user.pk not in self._pages:
            self._pages[user.pk] = Client()
            self._pages[user.pk].force_login(user)
        return self._pages[user.pk]

    def offers_of_api(self, user: User, address: str) -> dict[str, set[str]]:
        """Return what the API offers, each with the codes of what holds it back; nothing where it shows nothing."""
        self.api.force_authenticate(user)
        answer = self.api.get(address)
        return coded(answer.json()["offers"], of="reasons") if answer.status_code == 200 else {}

    def offers_of_page(self, user: User, address: str) -> dict[str, set[str]]:
        """Return what a page offers, likewise."""
        shown = self.pages(user).get(address)
        assert shown.status_code == 200, (address, user)
        return coded(shown.context["offers"], of="blockers")


def coded(offers: list[dict[str, Any]], *, of: str) -> dict[str, set[str]]:
    """Return offers by name, each as the codes of its blockers, which the API calls reasons."""
    return {each["name"]: {blocker["code"] for blocker in each[of]} for each in offers}


def more(world: worlds.World) -> None:
    """Add what the world has not got: proposals of each kind, and batches on their way."""
    support = world.caller(world.support)
    holders = [Account.objects.get(code=f"lots.{number}").holder_id or 0 for number in (3, 4)]
    merges.propose(merge_rows.proposal(holder_id=holders[0], survivor_id=holders[1], reason="One."), caller=support)
    reversals.propose(entry_id=Entry.objects.get(reference="by-program").pk, reason="Returned.", caller=support)
    for kind, arguments in SETTINGS.items():
        setting_changes.propose(kind=kind, arguments=arguments, reason="As agreed.", caller=world.caller(world.superuser))
    for sequence, reach in enumerate((world.receive, world.validated, world.approved, world.applied), 10):
        bought = [Purchase("1003", "31", f"q{sequence}", "5", "2017-02-10T10:00:00Z")]
        content = worlds.card_file(bought, day=date(2017, 2, 28), sequence=sequence)
        reach(content, name=f"till-2017-02-28-{sequence}.csv")


def rows() -> Iterator[tuple[str, Any]]:
    """Yield of each kind of thing one row in each state that there is."""
    of_kind: dict[str, Any] = {
        "account": Account,
        "adjustment": Adjustment,
        "batch": Batch,
        "erasure": Erasure,
        "hold": Hold,
        "merge": Merge,
        "period": Period,
        "reversal": Reversal,
    }
    assert {*of_kind, "setting"} == telling.MACHINES.keys()
    for subject, model in of_kind.items():
        for state in sorted(set(model.objects.values_list("state", flat=True))):
            # What has come to its end offers nothing to anybody.
            if telling.MACHINES[subject].ahead(state):
                yield subject, model.objects.filter(state=state).earliest("pk")
    for kind in sorted(set(SettingChange.objects.values_list("kind", flat=True))):
        yield "setting", SettingChange.objects.filter(kind=kind).latest("pk")


def allowed(transition: Transition, role: str, kind: str, *, is_own: bool) -> bool:
    """Whether the matrix lets a role do it."""
    cell = draw_rights.may(transition, role, kind)
    return cell == YES or (cell == OWN and is_own) or (cell == OTHERS and not is_own)


def compare(subject: str, row: Any, role: str, *, is_own: bool, offers: dict[str, set[str]]) -> list[str]:
    """Return the cells that a door answers otherwise than the matrix says. A door that shows nothing lets nobody do anything."""
    machine = telling.MACHINES[subject]
    kind = row.kind if subject == "setting" else ""
    differing = []
    for each in machine.ahead(row.state):
        said = offers.get(each.name, {"not_permitted"})
        is_let = not said & WHO
        # Whose it is is asked of a thing whose case is open; what is over is nobody's.
        wanted = allowed(each, role, kind, is_own=is_own)
        if is_let != wanted or (each.name in offers and ("wrong_state" in said) != (row.state not in each.sources)):
            differing.append(f"{subject} {kind} {row.state} {each.name} {role} {'own' if is_own else 'other'}: {sorted(said)}")
    return differing


@pytest.mark.anywhere
def test_the_api_and_the_pages_answer_each_cell(world: worlds.World) -> None:
    """One test, for the world takes longer to make than to ask."""
    more(world)
    asked = Asked()
    differing = [*differing_transitions(asked), *differing_doors(asked), *differing_secrets(asked, world)]
    assert differing == []


def differing_transitions(asked: Asked) -> Iterator[str]:
    """Ask each thing, in each state, as each role, of whom it is and of whom it is not."""
    for subject, row in rows():
        api = reverse(f"{NAMES.get(subject, subject)}-detail", args=[row.pk])
        page = reverse(f"admin:{row._meta.app_label}_{row._meta.model_name}_change", args=[row.pk])
        owner = getattr(row, OWNERS[subject]) if subject in OWNERS else None
        for role in ROLES:
            doors = {"api other": (asked.others[role], False, asked.offers_of_api, api)}
            if owner is not None:
                owner = become(owner, role)
                doors["api own"] = (owner, True, asked.offers_of_api, api)
            if role not in rights.OF_PROGRAMS:
                doors["page other"] = (asked.others[role], False, asked.offers_of_page, page)
                if owner is not None and subject != "batch":
                    doors["page own"] = (owner, True, asked.offers_of_page, page)
            for door, (user, is_own, ask, address) in doors.items():
                for each in compare(subject, row, role, is_own=is_own, offers=ask(user, address)):
                    yield f"{door}: {each}"


def differing_secrets(asked: Asked, world: worlds.World) -> Iterator[str]:
    """Ask each decision of the person whose password is known to one who had a hand in what is decided: proposed it, or gave an approval before."""
    proposal = Proposal("by-two", "LOTS", "lots.2", 6_000, date(2017, 2, 27), "goodwill", "Late.")
    row = adjustments.propose(
        proposal=proposal, caller=world.caller(become(world.support, "support")), expires_at=every_table.LATER
    )
    shown = adjustment_rows.preview(adjustment_rows.terms_of(row)).digest
    adjustments.decide(
        adjustment_id=row.pk, name="endorse", caller=world.caller(become(world.finance, "finance")), digest_shown=shown
    )
    approving = {
        (subject, each.name) for subject, machine in telling.MACHINES.items() for each in machine.transitions if each.decides
    }
    approving -= APPROVE_NOTHING
    answered: set[tuple[str, str]] = set()
    decider = asked.others[ADMINISTRATOR]
    for subject, row in rows():
        for hand in hands(subject, row):
            User.objects.filter(pk=decider.pk).update(secret_known_to=hand)
            address = reverse(f"{NAMES.get(subject, subject)}-detail", args=[row.pk])
            offers = asked.offers_of_api(User.objects.get(pk=decider.pk), address)
            for name, said in offers.items():
                # In another state too: what a guard says is told beside it.
                if ("secret_of_proposer" in said) != ((subject, name) in approving):
                    yield f"{subject} {row.state} {name} by whose password {hand} set: {sorted(said)}"
            answered |= {(subject, name) for name in offers}
    yield from (f"{subject} {name} was asked of nobody" for subject, name in approving - answered)


def hands(subject: str, row: Any) -> list[User]:
    """Return who had a hand in what is decided."""
    if subject == "adjustment":
        return [row.proposed_by, *limits.givers(row)]
    return (
        [hand for hand in (row.received_by, row.planned_by) if hand]
        if subject == "batch"
        else ([row.proposed_by] if OWNERS.get(subject) == "proposed_by" else [])
    )


def differing_doors(asked: Asked) -> Iterator[str]:
    """Ask each address of the API and each list of the pages as each role."""
    patterns = dict(draw_rights.of_api())
    for name, methods, *cells in draw_rights.addresses():
        pattern: Any = patterns[name.strip("`")]
        address = f"/api/v1/{PARAMETER.sub(sample, str(pattern.pattern).strip('^$'))}"
        is_look = "GET" in methods
        if not is_look and hasattr(getattr(pattern.callback.cls, pattern.callback.actions["post"]), "takes_files"):
            continue  # who may not send files is refused at the door, whatever they may look at
        needs = draw_rights.needed(pattern)
        for role in one_of_each(lambda role, needs=needs: needs & draw_rights.of_role(role)):  # type: ignore[misc]
            cell = cells[ROLES.index(role)]
            asked.api.force_authenticate(asked.others[role])
            answer = asked.api.get(address) if is_look else asked.api.post(address, {}, format="json")
            for close in answer._resource_closers:  # type: ignore[attr-defined]  # of the framework's answers
                close()  # a file that is given away is open; the end of a request would close the database too
            # What passes the door of a POST may be refused behind it, for a right to act.
            if (answer.status_code == 403) != (cell == NO) and (is_look or cell == NO):
                yield f"{methods} {name} {role}: {answer.status_code}"
    for model, each in admin.site._registry.items():
        address = reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_changelist")
        for role in one_of_each(lambda role, each=each: (role in rights.OF_PROGRAMS, draw_rights.sees(each, role))):  # type: ignore[misc]
            status = asked.pages(asked.others[role]).get(address).status_code
            if status != (302 if role in rights.OF_PROGRAMS else 200 if draw_rights.sees(each, role) else 403):
                yield f"{address} {role}: {status}"


turns = itertools.count()


def one_of_each(told: Callable[[str], Any]) -> list[str]:
    """Return one role of those that are told alike, each time another: who has the same rights is answered by the same code."""
    alike: dict[Any, list[str]] = {}
    for role in ROLES:
        key = told(role)
        alike.setdefault(frozenset(key) if isinstance(key, set) else key, []).append(role)
    turn = next(turns)
    return [found[turn % len(found)] for found in alike.values()]


def sample(parameter: re.Match[str]) -> str:
    """Return what an address has in the place of a parameter."""
    return "validate" if "validate" in parameter[0] else "1"
