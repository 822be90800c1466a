"""Who has which right, since when and from whom; and who signed that off, over which state."""

from datetime import UTC, datetime, timedelta

import pytest

from ledger_app import errors
from ledger_app.base.operations.audit import Caller
from ledger_app.models import AccessReview, AuditRow, User
from ledger_app.people.operations import people, reviews
from ledger_app.people.queries import reviews as queries
from ledger_app.reports import access
from ledger_app.rights.operations import tokens
from ledger_app.rights.rules import rights
from ledger_app.setting_changes import operations as setting_changes

pytestmark = pytest.mark.django_db
AT = datetime(2026, 1, 5, 3, 0, tzinfo=UTC)
PASSWORD = "a-password-of-these-tests"


def caller(name: str, at: datetime = AT) -> Caller:
    return Caller(User.objects.get(username=name), at, "admin")


def told() -> dict[tuple[str, str], tuple[datetime | None, str, str, bool]]:
    return {
        (each.user, each.grant): (each.since, each.given_by, each.decided_by, each.is_alone)
        for each in queries.grants(at=AT + timedelta(days=9))
    }


@pytest.fixture(name="office")
def _office() -> None:
    """An administrator alone makes one of finance, then another administrator; the two give a third right."""
    User.objects.create(username="root-1", is_staff=True, is_superuser=True, date_joined=AT)
    people.keep_user(username="fumiko", groups=["finance"], caller=caller("root-1"))
    people.keep_user(username="root-2", groups=[], flags={"is_superuser": True, "is_staff": True}, caller=caller("root-1"))
    later = AT + timedelta(days=9)
    said = {"username": "fumiko", "groups": ["finance", "support"], "reason": "Stands in."}
    row = people.keep_user(**said, caller=caller("root-1", later)).proposed  # type: ignore[arg-type]
    assert row is not None
    setting_changes.approve(change_id=row.pk, caller=caller("root-2", later))


@pytest.mark.usefixtures("office")
def test_each_grant_tells_since_when_from_whom_and_who_decided() -> None:
    found = told()
    assert found["fumiko", "finance"] == (AT, "root-1", "", True)
    assert found["fumiko", "support"] == (AT + timedelta(days=9), "root-1", "root-2", False)
    assert found["root-2", "administrator"] == (AT, "root-1", "", True)
    conflicts = next(each.conflicts for each in queries.grants(at=AT + timedelta(days=9)) if each.grant == "support")
    assert "ledger_app.propose_adjustment+ledger_app.decide_adjustment" in conflicts
    # Given again after it was taken, it is since then.
    people.keep_user(username="fumiko", groups=["support"], caller=caller("root-2"))
    assert ("fumiko", "finance") not in told()
    life = {"ends_at": AT + timedelta(days=30), "days_most": 30}
    made = tokens.issue(username="fumiko", name="books", operations=[], books=None, **life, caller=caller("fumiko")).token  # type: ignore[arg-type]
    assert told()["fumiko", f"token:{made.prefix}"] == (AT, "fumiko", "", False)
    (each,) = [each for each in queries.grants(at=AT) if each.token == made]
    assert f"fumiko,yes,token:{made.prefix},{AT:%Y-%m-%d}" in "".join(access.lines([each]))
    assert ",books,,*," in "".join(access.lines([each]))
    # One that has ended gives nothing.
    tokens.end(token_id=made.pk, caller=caller("root-1"))
    assert ("fumiko", f"token:{made.prefix}") not in told()


@pytest.mark.usefixtures("office")
def test_a_review_is_signed_over_what_was_shown_and_is_good_for_half_a_year() -> None:
    assert 181 <= rights.REVIEW_DAYS <= 184  # half a year
    stand = queries.standing(at=AT + timedelta(days=10))
    assert (stand.last, stand.is_overdue) == (None, False)
    assert queries.standing(at=AT + timedelta(days=rights.REVIEW_DAYS)).is_overdue
    fumiko = caller("fumiko", AT + timedelta(days=10))
    for given, code in (
        ({"digest": stand.digest, "note": " ", "caller": fumiko}, "reason_required"),
        ({"digest": "0" * 64, "note": "x", "caller": fumiko}, "grants_moved"),
    ):
        with pytest.raises(errors.Refused) as refused:
            reviews.sign(**given)  # type: ignore[arg-type]
        assert [reason.code for reason in refused.value.reasons] == [code]
    row = reviews.sign(digest=stand.digest, note="Looked through.", caller=fumiko)
    assert reviews.sign(digest=stand.digest, note="Twice.", caller=fumiko) == row
    assert AuditRow.objects.get(action="sign_review").facts["digest"] == stand.digest
    after = queries.standing(at=fumiko.at)
    assert (after.last, after.has_moved, after.is_due) == (row, False, False)
    assert after.due_at == fumiko.at + timedelta(days=rights.REVIEW_DAYS)
    people.keep_user(username="fumiko", groups=["finance"], caller=caller("root-1"))
    assert queries.standing(at=fumiko.at).has_moved


@pytest.mark.usefixtures("office")
def test_who_gave_alone_does_not_sign_that_off_alone() -> None:
    root, fumiko = caller("root-1"), caller("fumiko")
    state = queries.standing(at=AT).digest
    row = reviews.sign(digest=state, note="Looked through.", caller=root)
    assert row.own == [["fumiko", "finance"], ["root-2", "administrator"]]
    stand = queries.standing(at=AT)
    assert (stand.own_left, stand.is_due) == (row.own, True)
    reviews.sign(digest=state, note="I too.", caller=fumiko)
    assert not queries.standing(at=AT).is_due
    with pytest.raises(errors.Refused):
        people.keep_user(username="sora", groups=["support"], password=PASSWORD, caller=fumiko)
    assert AccessReview.objects.count() == 2


def test_no_group_holds_a_conflict_of_duty_by_itself() -> None:
    assert {name: pairs for name in rights.ACTIONS if (pairs := rights.conflicts_of(rights.of_group(name)))} == {}
    known = set().union(*rights.ACTIONS.values()) | {"ledger_app.change_user"}
    assert {right for pair in rights.CONFLICTS for right in pair[:2]} <= known
