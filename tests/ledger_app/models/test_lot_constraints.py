"""Where a row of lots or holds alone can be wrong, the schema refuses it: each constraint is violated once, by SQL."""

from datetime import timedelta

import pytest
from django.db import IntegrityError, OperationalError, connection, transaction

from ledger_app.models import Hold, Line, Lot
from ledger_app.points.operations import holds
from tests.support import lot_samples, samples

pytestmark = pytest.mark.django_db
LOT = "INSERT INTO ledger_app_lot (id, account_id, line_id, kind, granted_on, expires_on, amount) VALUES (7, {account}, {line}, "
PART = "INSERT INTO ledger_app_holdlot (hold_id, lot_id, amount) VALUES "
VIOLATIONS = {
    "account_lots_expire_freely": "UPDATE ledger_app_account SET floor = 1 WHERE id = {account}",
    "lotrule_role_unique": (
        "INSERT INTO ledger_app_lotrule (book_id, role, expiry, {order}, kind, breakage_id)"
        " SELECT book_id, role, 'never', {order}, kind, breakage_id FROM ledger_app_lotrule"
    ),
    "lotrule_expiry_whole": "UPDATE ledger_app_lotrule SET validity = NULL",
    "lotrule_words_known": "UPDATE ledger_app_lotrule SET kind = 'lent'",
    "lot_amount_of_kind": LOT + "'free', '2017-01-10', NULL, -5)",
    "lotuse_amount_not_zero": "INSERT INTO ledger_app_lotuse (id, lot_id, line_id, amount) VALUES (7, {lot}, {line}, 0)",
    "openlot_held_within": "UPDATE ledger_app_openlot SET held = remaining + 1",
    "hold_reference_unique": "UPDATE ledger_app_hold SET reference = 'h-1'",
    "hold_of_something": "UPDATE ledger_app_hold SET amount = 0 WHERE reference = 'h-1'",
    "hold_span_forward": "UPDATE ledger_app_hold SET expires_at = placed_at WHERE reference = 'h-1'",
    "hold_settled_within": "UPDATE ledger_app_hold SET state = 'settled' WHERE reference = 'h-1'",
    "holdlot_once": PART + "({hold}, {lot}, 1)",
    "holdlot_of_something": PART + "({other}, {lot}, 0)",
}


@pytest.fixture
def places(make_user, caller_of):
    points = lot_samples.open_points(samples.machine_caller())
    points.gain("g-1", 100)
    points.gain("g-2", 100)
    till = caller_of(make_user("till-1", "till"), at=lot_samples.at(2017, 1, 12))
    account, target = points.accounts["M1"].pk, points.accounts["programme"].pk
    for reference, amount in (("h-1", 100), ("h-2", 5)):
        wanted = holds.Wanted(account, target, amount, reference, till.at + timedelta(days=1))
        holds.place(wanted=wanted, caller=till)
    return {
        "account": account,
        "line": Line.objects.filter(account=account).earliest("id").pk,
        "lot": Lot.objects.earliest("id").pk,
        "hold": Hold.objects.get(reference="h-1").pk,
        "other": Hold.objects.get(reference="h-2").pk,
        "order": connection.ops.quote_name("order"),
    }


@pytest.mark.parametrize("name", VIOLATIONS)
def test_the_constraint_refuses(places, name):
    with (
        pytest.raises((IntegrityError, OperationalError), match="UNIQUE|Duplicate|" + name),
        transaction.atomic(),
        connection.cursor() as cursor,
    ):
        cursor.execute(VIOLATIONS[name].format(**places))
