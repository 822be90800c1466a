"""Names are corrected and members erased by the API: asked for by one, decided by another, and no answer that is kept says a name."""

from pathlib import Path

import pytest

from ledger_app.models import Holder, IdempotencyKey
from tests.api.conftest import ClientOf, is_problem
from tests.support import erasing
from tests.support.erasing import FIRST, NAME, Office

pytestmark = pytest.mark.django_db


@pytest.fixture
def office(files_dir: Path) -> Office:
    return erasing.build(files_dir / "attachments")


def test_a_name_is_corrected_and_the_member_erased(office: Office, client_of: ClientOf) -> None:
    support, finance = client_of(office.desk.proposer.user), client_of(office.desk.decider.user)
    member = office.member.pk
    name = f"/api/v1/members/{member}/name/"
    given = {"name": "Hanako", "shown": NAME, "reason": "As she writes it."}
    assert is_problem(finance.post(name, given), 403, "not_permitted")
    assert is_problem(support.post(name, {**given, "shown": FIRST}), 409, "name_moved")
    assert support.post(name, given).json() == {"member": member}
    asked = support.post("/api/v1/erasures/", {"member": member, "ticket": "P-7", "reason": "Article 17."})
    assert asked.status_code == 201
    twice = support.post("/api/v1/erasures/", {"member": member, "ticket": "P-7", "reason": "Article 17."})
    assert (twice.status_code, twice.json()["id"]) == (200, asked.json()["id"])
    row = asked.json()
    assert (row["state"], row["member"], row["digest"]) == ("proposed", member, None)
    offered = {each["name"]: [reason["code"] for reason in each["reasons"]] for each in row["offers"]}
    assert offered == {"approve": ["not_permitted", "own_erasure"], "reject": ["not_permitted", "own_erasure"], "withdraw": []}
    at = f"/api/v1/erasures/{row['id']}/transitions"
    assert is_problem(support.post(f"{at}/approve/", {"version": 1}), 403, "not_permitted")
    done = finance.post(f"{at}/approve/", {"version": 1, "reason": "Checked."})
    assert (done.status_code, done.json()["state"], done.json()["decided_by"]) == (200, "done", "finance-1")
    assert is_problem(finance.post(f"{at}/reject/", {"version": 2, "reason": "No."}), 409, "wrong_state")
    listed = finance.get("/api/v1/erasures/", {"state": "done", "member": str(member)}).json()
    assert [each["id"] for each in listed["results"]] == [row["id"]]
    assert Holder.objects.get(pk=member).name == ""
    file = erasing.attached(office)
    gone = finance.get(f"/api/v1/adjustments/{office.adjustment.pk}/attachments/{file.pk}/")
    assert gone.status_code == 404
    (shown,) = finance.get(f"/api/v1/adjustments/{office.adjustment.pk}/").json()["attachments"]
    assert (shown["erased_by"], shown["sha256"]) == (row["id"], bytes(file.sha256).hex())
    assert not any(each in kept.body for kept in IdempotencyKey.objects.all() for each in (NAME, "Hanako"))
    again = support.post("/api/v1/erasures/", {"member": office.other.pk, "ticket": "P-8", "reason": "Asked."}).json()
    withdrawn = support.post(f"/api/v1/erasures/{again['id']}/transitions/withdraw/", {"version": 1})
    assert withdrawn.json()["state"] == "withdrawn"
