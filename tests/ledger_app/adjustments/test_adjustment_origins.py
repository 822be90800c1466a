"""An adjustment is told as what its entry came from."""

from ledger_app.adjustments.queries import adjustment_origins
from tests.support import adjusting, kept


@kept.fixture
def desk(_folder):
    return adjusting.build()


def test_who_proposed_who_approved_and_why_is_told_of_many_in_two_statements(desk, django_assert_num_queries):
    one, two = desk.propose(), desk.propose(amount=2000, ticket="")
    desk.decide(one)
    desk.decide(two, "endorse")
    desk.decide(two, who=desk.second)
    with django_assert_num_queries(2):
        told = adjustment_origins.decided_of([one.pk, two.pk])
    assert told[one.pk].sentence == (
        f"Adjustment #{one.pk}, proposed by support-1 and approved by finance-1: goodwill T-1, The till was down."
    )
    assert [who for who, _at in told[two.pk].approvals] == ["finance-1", "finance-2"]
