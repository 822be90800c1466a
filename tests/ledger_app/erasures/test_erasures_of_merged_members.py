"""Merges lead on after an erasure, or are undone before and after it: who was one person is erased whole, and ``verify`` knows it."""

import io
from pathlib import Path

import pytest

from ledger_app import errors
from ledger_app.erasures import queries as asked
from ledger_app.erasures.operations import erasures, names
from ledger_app.members.operations import registering
from ledger_app.models import Account, Erasure, Holder
from ledger_app.reports import member_data
from tests.support import erasing
from tests.support.erasing import NAME, Office

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def office(files_dir: Path) -> Office:
    """Return the office, with its folder of attachments."""
    return erasing.build(files_dir / "attachments")


def register(office: Office, number: str, name: str = "") -> Holder:
    """Register one more member, with or without a name."""
    said = f', "name": "{name}"' if name else ""
    line = f'{{"member_number": "{number}"{said}}}\n'
    registering.register(stream=io.BytesIO(line.encode()), name=number, caller=office.desk.proposer)
    holder = Account.objects.get(code=f"points.{number}").holder
    assert holder is not None
    return holder


def erase(office: Office, holder_id: int) -> Erasure:
    row = office.ask(holder_id=holder_id)
    return erasures.approve(erasure_id=row.pk, caller=office.desk.decider, directory=office.directory)


def test_chains_that_go_on_after_an_erasure_or_are_undone_are_no_breach(office: Office) -> None:
    """One without a name has an attachment, and its chain is A → B → E; E is erased, the first merge is undone, and E goes into another."""
    first, second = register(office, "A"), register(office, "B", "Sato Jiro")
    office.attach("sato.txt", b"of A\n", code="points.A")
    one = office.merge(first.pk, second.pk)
    office.merge(second.pk, office.member.pk)
    row = erase(office, office.member.pk)
    assert row.parts.filter(table_name="ledger_app_attachment").count() == 2
    assert erasing.breaches() == []
    back = office.undo(one).survivor
    assert back is not None
    assert asked.family(back.pk) == [first.pk, back.pk]
    office.merge(office.member.pk, office.other.pk)
    erasing.link()
    assert erasing.breaches() == []


def test_whom_an_undoing_gave_back_is_erased_with_the_row_of_before(office: Office) -> None:
    """The row that was merged keeps its name and its accounts; who came back under a new number is that person."""
    back = office.undo(office.merge(office.member.pk, office.other.pk)).survivor
    assert back is not None
    assert (back.name, Holder.objects.get(pk=office.member.pk).name) == (NAME, NAME)
    assert asked.family(office.other.pk) == [office.other.pk]
    with pytest.raises(errors.Refused) as refusal:
        names.correct(holder_id=office.member.pk, name="X", shown=NAME, reason="r", caller=office.desk.proposer)
    assert refusal.value.reasons[0].facts["into"] == back.pk
    said = "\n".join(member_data.lines(back.pk, at=office.desk.decider.at))
    assert "yamada.txt" in said
    assert "tok-1" in said
    row = erase(office, back.pk)
    assert set(Holder.objects.filter(id__in=[office.member.pk, back.pk]).values_list("name", flat=True)) == {""}
    assert erasing.attached(office).name.startswith("[erased]")
    assert Holder.objects.get(pk=office.other.pk).name != ""
    erased = "\n".join(member_data.lines(back.pk, at=office.desk.decider.at))
    assert NAME not in erased
    assert f'"erased_by": {row.pk}' in erased
    erasing.link()
    assert erasing.breaches() == []


def test_whom_an_undoing_gives_back_after_an_erasure_gets_no_name_again(office: Office) -> None:
    one = office.merge(office.member.pk, office.other.pk)
    erase(office, office.other.pk)
    back = office.undo(one).survivor
    assert back is not None
    with pytest.raises(errors.Refused) as refusal:
        names.correct(holder_id=back.pk, name=NAME, shown="", reason="r", caller=office.desk.proposer)
    assert [reason.code for reason in refusal.value.reasons] == ["member_erased"]
    assert erasing.breaches() == []
