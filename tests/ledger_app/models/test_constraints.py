"""Where a row alone can be wrong, the schema refuses it: each constraint is violated once, by SQL."""

from itertools import chain
from typing import Any

import pytest
from django.apps import apps
from django.db import IntegrityError, OperationalError, connection, models, transaction

from ledger_app.books.operations import books
from ledger_app.models import (
    Adjustment,
    AdjustmentDecision,
    AdjustmentLimit,
    Attachment,
    Balance,
    ContraAccount,
    DeadLetter,
    Entry,
    ErasedDigest,
    Erasure,
    Event,
    Export,
    Holder,
    HoldRule,
    IdempotencyKey,
    Identity,
    Merge,
    Posting,
    Profile,
    ProfileVersion,
    RecoveryCode,
    Reversal,
    SecondFactor,
    SettingChange,
    Token,
    User,
    Webhook,
)
from ledger_app.verification import queries as schema
from tests.ledger_app.models import test_lot_constraints
from tests.support import adjusting, profile_samples


def reversal(**changed: str) -> str:
    """Return the statement that inserts a proposal, whole but for what is changed."""
    columns = {
        "entry_id": "{entry}",
        "effective_on": "'2017-01-10'",
        "prior_period": "''",
        "reason": "'x'",
        "ticket": "''",
        "digest": "'{digest}'",
        "state": "'proposed'",
        "version": "1",
        "holds_entry": "1",
        "proposed_by_id": "{user}",
        "proposed_at": "'2017-02-01 00:00:00'",
        **changed,
    }
    row = ", ".join(columns.values())
    return f"INSERT INTO ledger_app_reversal ({', '.join(columns)}) SELECT {row}"


def ended(**changed: str) -> str:
    """Return the statement that ends the proposal to reverse."""
    return f"UPDATE ledger_app_reversal SET {', '.join(f'{column} = {value}' for column, value in changed.items())}"


DECIDED = {"decided_by_id": "{other}", "decided_at": "'2017-02-01 00:00:00'"}


def copied(model, **changed):
    """Return the statement that inserts a row like the first of a table, but for what is changed."""
    names = [field.column for field in model._meta.concrete_fields if field.column != "id"]
    listed, values = (
        ", ".join(each) for each in ([f"`{name}`" for name in names], [changed.get(name, f"`{name}`") for name in names])
    )
    return f"INSERT INTO {model._meta.db_table} ({listed}) SELECT {values} FROM {model._meta.db_table} LIMIT 1"


DECIDED_AMOUNT = (
    "INSERT INTO ledger_app_decidedamount (kind, subject_id, book_id, account_id, amount, decided_by_id, decided_at)"
    " VALUES ('{kind}', 1, {{book}}, {{cash}}, {amount}, {{user}}, '2017-02-01 00:00:00')"
)
IDENTIFIER = (
    "INSERT INTO ledger_app_identifier (kind, value, key_name, last_four, holder_id)"
    " VALUES ('{kind}', '{value}', '{key}', '{last_four}', {{holder}})"
)
MERGE = (
    "INSERT INTO ledger_app_merge (state, version, holder_id, survivor_id, holds_holder, preview, digest, reason, proposed_by_id, proposed_at)"
    " VALUES ('{state}', 1, {{holder}}, {survivor}, {holds}, '{{{{}}}}', '{{digest}}', 'x', {{user}}, '2017-02-01 00:00:00')"
)


def template(category: str) -> str:
    """Return the statement that inserts a template of accounts of the category."""
    columns = "INSERT INTO ledger_app_accounttemplate (book_id, role, category)"
    return f"{columns} SELECT {{book}}, 'points', {category} FROM ledger_app_book"


# Constraint → the statement that violates it. Names in braces are filled from ``places`` below.
VIOLATIONS = {
    "account_category_known": "UPDATE ledger_app_account SET category = 'debt' WHERE id = {cash}",
    "account_state_known": "UPDATE ledger_app_account SET state = 'gone' WHERE id = {cash}",
    "account_stripes_in_range": "UPDATE ledger_app_account SET stripes = 65 WHERE id = {cash}",
    "account_floor_not_striped": "UPDATE ledger_app_account SET floor = 0 WHERE id = {settlement}",
    "balance_key_computed": "UPDATE ledger_app_balance SET id = id + 1000000 WHERE account_id = {cash}",
    "balance_unused_is_zero": "UPDATE ledger_app_balance SET amount = 1 WHERE account_id = {wallet}",
    "book_exponent_small": "UPDATE ledger_app_book SET exponent = 7",
    "period_span_forward": "UPDATE ledger_app_period SET ends_on = '2017-02-28' WHERE name = '2017-03'",
    "period_state_known": "UPDATE ledger_app_period SET state = 'thawed' WHERE name = '2017-03'",
    "seal_chained": (
        "INSERT INTO ledger_app_seal (book_id, period_id, number, previous_id, digest, form, entry_count, line_count, debit_total,"
        " trial_balance, controls, code_version, sealed_by_id, sealed_at)"
        " VALUES ({book}, {period}, 2, NULL, '{digest}', 'x', 0, 0, 0, '[]', '{{}}', 'x', {user}, '2017-02-01 00:00:00')"
    ),
    "entry_reference_given": (
        "INSERT INTO ledger_app_entry (id, posting_id, book_id, effective_on, reference, description, digest)"
        " VALUES (7, {posting}, {book}, '2017-01-02', '', '', '{digest}')"
    ),
    "line_amount_not_zero": (
        "INSERT INTO ledger_app_line (id, entry_id, account_id, stripe, sequence, amount, balance_after)"
        " VALUES (7, {entry}, {cash}, 0, 9, 0, 0)"
    ),
    "line_sequence_positive": (
        "INSERT INTO ledger_app_line (id, entry_id, account_id, stripe, sequence, amount, balance_after)"
        " VALUES (7, {entry}, {cash}, 0, 0, 1, 1)"
    ),
    "identifier_value_given": IDENTIFIER.format(kind="card_token", value="", key="", last_four=""),
    "identifier_card_is_hashed": IDENTIFIER.format(kind="card_number", value="4111111111111111", key="new", last_four="1111"),
    "identifier_span_forward": "UPDATE ledger_app_identifier SET active_from = '2017-02-01', active_to = '2017-01-01'",
    "account_code_unique": "UPDATE ledger_app_account SET code = 'sales' WHERE id = {cash}",
    "account_role_unique": (
        "UPDATE ledger_app_account SET holder_id = (SELECT * FROM (SELECT MIN(holder_id) FROM ledger_app_account) AS one)"
        " WHERE role = 'receivable'"
    ),
    "period_name_unique": "UPDATE ledger_app_period SET name = '2017-02' WHERE name = '2017-03'",
    "entry_reference_unique": (
        "INSERT INTO ledger_app_entry (id, posting_id, book_id, effective_on, reference, description, digest)"
        " VALUES (7, {posting}, {book}, '2017-01-02', 'r-1', '', '{digest}')"
    ),
    "line_sequence_unique": (
        "INSERT INTO ledger_app_line (id, entry_id, account_id, stripe, sequence, amount, balance_after)"
        " VALUES (7, {entry}, {cash}, 0, 1, 1, 1)"
    ),
    "profile_name_unique": copied(Profile),
    "profile_version_unique": copied(ProfileVersion),
    "export_period_once": copied(Export),
    "export_slips_forward": copied(Export, next_slip="0", period_id="(SELECT MAX(id) FROM ledger_app_period)"),
    "posting_origin_unique": (
        "INSERT INTO ledger_app_posting (origin_kind, origin_id, posted_by_id, posted_at, reason, entry_count, line_count)"
        " SELECT origin_kind, origin_id, posted_by_id, posted_at, reason, 0, 0 FROM ledger_app_posting"
    ),
    "contra_account_unique": copied(ContraAccount),
    "adjustment_limit_unique": copied(AdjustmentLimit),
    "adjustment_limit_rises": "UPDATE ledger_app_adjustmentlimit SET two_deciders_above = amount_most + 1",
    "adjustment_limit_in_sum": "UPDATE ledger_app_adjustmentlimit SET window_days = 0",
    "decided_amount_kind_known": DECIDED_AMOUNT.format(kind="gift", amount=1),
    "decided_amount_above_zero": DECIDED_AMOUNT.format(kind="batch", amount=0),
    "adjustment_key_unique": copied(Adjustment),
    "adjustment_amount_in_range": copied(Adjustment, key="'k-2'", amount="0"),
    "adjustment_accounts_differ": copied(Adjustment, key="'k-2'", account_id="contra_account_id"),
    "adjustment_text_given": copied(Adjustment, key="'k-2'", text="''"),
    "adjustment_state_known": "UPDATE ledger_app_adjustment SET state = 'gone'",
    "adjustment_decision_unique": copied(AdjustmentDecision),
    "adjustment_decision_known": copied(AdjustmentDecision, decision="'perhaps'", decided_by_id="{user}"),
    "adjustment_approval_covers": copied(AdjustmentDecision, digest="NULL", decided_by_id="{user}"),
    "attachment_name_unique": copied(Attachment),
    "attachment_not_empty": copied(Attachment, name="'b.txt'", size="0"),
    "identifier_unique": IDENTIFIER.format(kind="member_number", value="CARD-M1", key="", last_four=""),
    "merge_holder_once": MERGE.format(survivor="{third}", state="proposed", holds="1"),
    "merge_undone_once": (
        "INSERT INTO ledger_app_merge (state, version, holder_id, undoes_id, holds_undone, preview, digest, reason, proposed_by_id, proposed_at)"
        " SELECT 'proposed', 1, {third}, {merge}, 1, '{{}}', '{digest}', 'x', {user}, '2017-02-01 00:00:00' FROM ledger_app_book AS once"
        " UNION ALL SELECT 'proposed', 1, {third}, {merge}, 1, '{{}}', '{digest}', 'y', {user}, '2017-02-01 00:00:00'"
    ),
    "merge_state_known": "UPDATE ledger_app_merge SET state = 'gone'",
    "merge_not_into_itself": MERGE.format(survivor="{holder}", state="proposed", holds="1"),
    "merge_survivor_given": MERGE.format(survivor="NULL", state="proposed", holds="1"),
    "merge_done_is_whole": "UPDATE ledger_app_merge SET state = 'done', decided_by_id = {other}, decided_at = proposed_at",
    "merge_decided_by_given": "UPDATE ledger_app_merge SET state = 'rejected', holds_holder = NULL",
    "merge_decided_by_another": (
        "UPDATE ledger_app_merge SET state = 'rejected', holds_holder = NULL, decided_by_id = {user}, decided_at = proposed_at"
    ),
    "merge_holds_while_open": "UPDATE ledger_app_merge SET holds_holder = NULL",
    "moved_identifier_to_another": (
        "INSERT INTO ledger_app_movedidentifier (merge_id, identifier_id, from_holder_id, to_holder_id)"
        " SELECT {merge}, MIN(id), {holder}, {holder} FROM ledger_app_identifier"
    ),
    "moved_identifier_once": (
        "INSERT INTO ledger_app_movedidentifier (merge_id, identifier_id, from_holder_id, to_holder_id)"
        " SELECT {merge}, (SELECT MIN(id) FROM ledger_app_identifier), {holder}, {third} FROM ledger_app_holder"
    ),
    "redirected_to_another": "INSERT INTO ledger_app_redirectedentry (entry_id, named_id, holder_id) VALUES ({entry}, {holder}, {holder})",
    "reversal_entry_unique": f"{reversal()} UNION ALL {reversal().partition(') ')[2]}",
    "reversal_state_known": ended(state="'gone'"),
    "reversal_decided_by_another": ended(**DECIDED | {"decided_by_id": "{user}"}, state="'rejected'", holds_entry="NULL"),
    "reversal_decided_is_whole": ended(state="'rejected'", holds_entry="NULL"),
    "reversal_posted_is_whole": ended(**DECIDED, state="'posted'"),
    "reversal_holds_while_it_may": reversal(holds_entry="NULL"),
    "reversal_reason_given": reversal(reason="''"),
    "holdrule_of_something": "INSERT INTO ledger_app_holdrule (book_id, amount_most, hours_most, version) VALUES ({book}, 0, 1, 1)",
    "closepolicy_in_order": (
        "INSERT INTO ledger_app_closepolicy (book_id, provisional_after_hours, freeze_after_hours, months_ahead, controls, version)"
        " VALUES ({book}, 2, 1, 0, '[]', 1)"
    ),
    "holdtarget_once": (
        "INSERT INTO ledger_app_holdtarget (rule_id, account_id) SELECT {rule}, {cash} FROM ledger_app_book"
        " UNION ALL SELECT {rule}, {cash} FROM ledger_app_book"
    ),
    "freezeattempt_ended": "UPDATE ledger_app_freezeattempt SET state = 'sealed'",
    "setting_change_kind_known": copied(SettingChange, kind="'other'"),
    "setting_change_state_known": "UPDATE ledger_app_settingchange SET state = 'gone'",
    "setting_change_decided_by_another": (
        "UPDATE ledger_app_settingchange SET state = 'rejected', decided_by_id = {user}, decided_at = proposed_at"
    ),
    "setting_change_decided_is_whole": "UPDATE ledger_app_settingchange SET state = 'applied'",
    "setting_change_reason_given": copied(SettingChange, reason="''"),
    "erasure_state_known": "UPDATE ledger_app_erasure SET state = 'gone'",
    "erasure_decided_by_another": (
        "UPDATE ledger_app_erasure SET state = 'rejected', decided_by_id = {user}, decided_at = proposed_at"
    ),
    "erasure_decided_is_whole": "UPDATE ledger_app_erasure SET state = 'rejected'",
    "erasure_done_has_digest": (
        "UPDATE ledger_app_erasure SET state = 'done', decided_by_id = {other}, decided_at = proposed_at"
    ),
    "erasure_reason_given": copied(Erasure, reason="''"),
    "erased_digest_once": copied(ErasedDigest),
    "access_review_note_given": (
        "INSERT INTO ledger_app_accessreview (digest, grant_count, own, note, signed_by_id, signed_at)"
        " SELECT '{digest}', 1, '[]', '', {user}, '2017-02-01 00:00:00' FROM ledger_app_book"
    ),
    "idempotency_key_unique": copied(IdempotencyKey),
    "idempotency_key_given": copied(IdempotencyKey, key="''"),
    "submission_not_empty": (
        "INSERT INTO ledger_app_submission (sent_by_id, sent_at, request, host, given_count)"
        " SELECT {user}, '2017-02-01 00:00:00', '', '', 0 FROM ledger_app_book"
    ),
    "webhook_named": copied(Webhook, name="''"),
    "webhook_generation_counted": copied(Webhook, name="'other'", generation="0"),
    "webhook_lease_whole": copied(Webhook, name="'other'", lease="'x'"),
    "dead_letter_once": copied(DeadLetter),
    "dead_letter_state_known": "UPDATE ledger_app_deadletter SET state = 'gone'",
    "template_category_known": template("'debt'"),
    "second_factor_credential_unique": copied(SecondFactor),
    "second_factor_name_given": "UPDATE ledger_app_secondfactor SET name = ''",
    "second_factor_step_forward": "UPDATE ledger_app_secondfactor SET step = -1",
    "second_factor_kind_whole": "UPDATE ledger_app_secondfactor SET key_name = 'a-key'",
    "recovery_code_unique": copied(RecoveryCode),
    "identity_subject_unique": copied(Identity, user_id="{other}"),
    "identity_given": "UPDATE ledger_app_identity SET subject = ''",
    "token_digest_unique": copied(Token),
    "token_name_given": "UPDATE ledger_app_token SET name = ''",
    "token_ends_later": "UPDATE ledger_app_token SET ends_at = '2001-01-01 00:00:00'",
    "token_ending_whole": "UPDATE ledger_app_token SET ending = 'revoked'",
    "user_folded_unique": "UPDATE ledger_app_user SET username = 'System', username_folded = 'system' WHERE id = {other}",
    "user_folded_given": "UPDATE ledger_app_user SET username = '', username_folded = '' WHERE id = {other}",
    "user_folded_follows": "UPDATE ledger_app_user SET username_folded = 'system-2' WHERE id = {other}",
    "template_role_unique": template("'asset'") + " UNION ALL SELECT {book}, 'points', 'asset' FROM ledger_app_book",
}
# What another check refuses first: a trigger the overlap of periods, the computed key a second row of a stripe, the chain a second number.
ELSEWHERE = {"seal_number_unique", "period_start_unique", "balance_stripe_unique", *test_lot_constraints.VIOLATIONS}


def constraints():
    ledger = apps.get_app_config("ledger_app").get_models()
    return set(chain.from_iterable((each.name for each in model._meta.constraints) for model in ledger))


HELD_BOOK: dict[str, Any] = {"name": "Held", "unit": "JPY", "exponent": 0, "time_zone": "UTC"}


@pytest.fixture
def places(ledger):
    ledger.sell("r-1", 5)
    desk = adjusting.set_up(ledger)
    proposal = desk.propose()
    Attachment.objects.create(adjustment=proposal, name="a.txt", media_type="text/plain", size=1, sha256=bytes(32))
    AdjustmentDecision.objects.create(
        adjustment=proposal,
        decision="approved",
        decided_by=desk.decider.user,
        decided_at=desk.decider.at,
        version=1,
        digest=bytes(32),
    )
    accounts = {code: account.pk for code, account in ledger.accounts.items()}
    posting = Posting.objects.get()
    holder, survivor = (ledger.accounts[f"{name}-receivable"].holder for name in ("M1", "M2"))
    made = {"holder": holder, "survivor": survivor, "holds_holder": True, "preview": {}, "digest": b"0" * 32, "reason": "x"}
    merge = Merge.objects.create(**made, proposed_by=posting.posted_by, proposed_at=posting.posted_at)
    entry = Entry.objects.get()
    Reversal.objects.create(
        entry=entry,
        effective_on=entry.effective_on,
        reason="x",
        digest=b"0" * 32,
        holds_entry=True,
        proposed_by=posting.posted_by,
        proposed_at=posting.posted_at,
    )
    SettingChange.objects.create(
        kind="limit",
        setting="x",
        arguments={},
        after={},
        digest=b"0" * 32,
        reason="x",
        proposed_by=posting.posted_by,
        proposed_at=posting.posted_at,
    )
    asked = {"ticket": "T", "reason": "x", "proposed_by": posting.posted_by, "proposed_at": posting.posted_at}
    erasure = Erasure.objects.create(holder=holder, **asked)
    ErasedDigest.objects.create(erasure=erasure, table_name="ledger_app_link", row_id=1, digest=b"0" * 32)
    IdempotencyKey.objects.create(
        user=posting.posted_by, key="k", path="/", digest=b"0" * 32, fields={}, status=200, at=posting.posted_at
    )
    webhook = Webhook.objects.create(name="shop", url="https://receiver.example/", kept_by=posting.posted_by)
    event = Event.objects.earliest("id")
    DeadLetter.objects.create(webhook=webhook, event=event, tries=1, why="timeout", at=posting.posted_at)
    kept = {"kind": "passkey", "name": "x", "credential_digest": b"0" * 32, "content": b"x"}
    SecondFactor.objects.create(user=posting.posted_by, **kept, added_at=posting.posted_at)
    token = {"name": "till", "prefix": "kakutei_00000000", "digest": b"0" * 32, "issued_by": posting.posted_by}
    Token.objects.create(user=posting.posted_by, **token, issued_at=posting.posted_at, ends_at=posting.posted_at)
    known = {"issuer": "https://login.example", "subject": "a1", "bound_by": posting.posted_by}
    Identity.objects.create(user=posting.posted_by, **known, bound_at=posting.posted_at)
    RecoveryCode.objects.create(user=posting.posted_by, digest=b"0" * 32, made_at=posting.posted_at)
    period = ledger.periods["2017-01"]
    profile_samples.exported(period, posting)
    return accounts | {
        "rule": HoldRule.objects.create(book=books.open_book(code="HELD", **HELD_BOOK, caller=ledger.caller)).pk,
        "holder": holder.pk,
        "third": Holder.objects.create(opened_at=posting.posted_at).pk,
        "merge": merge.pk,
        "other": User.objects.create(username="another").pk,
        "book": ledger.book.pk,
        "period": period.pk,
        "posting": posting.pk,
        "entry": entry.pk,
        "user": posting.posted_by_id,
        "digest": "0" * 32,
    }


def test_every_constraint_of_the_ledger_is_tried():
    assert constraints() - ELSEWHERE == VIOLATIONS.keys()


# What a statement breaks besides: MySQL names one of the two, and not the one that was made first.
BROKEN_BESIDES = {
    "erasure_state_known": "erasure_decided_is_whole",
    "merge_state_known": "merge_decided_by_given",
    "reversal_state_known": "reversal_decided_is_whole",
}


@pytest.mark.parametrize("name", sorted(VIOLATIONS))
def test_the_constraint_refuses(places, name):
    unique = name.endswith(("_unique", "_once"))
    with pytest.raises((IntegrityError, OperationalError)) as refused, transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(VIOLATIONS[name].format(**places))
    said = str(refused.value)
    names = {name, BROKEN_BESIDES.get(name, name)} if schema.engine() == "mysql" else {name}
    assert any(each in said for each in names) or (unique and "UNIQUE constraint failed" in said), said


def test_no_balance_has_a_key_of_another_account(places):
    for key, account_id, stripe in Balance.objects.values_list("id", "account_id", "stripe"):
        assert key == account_id * 64 + stripe


def test_a_line_needs_an_entry_and_an_account_that_are_there(places):
    statement = "INSERT INTO ledger_app_line (id, entry_id, account_id, stripe, sequence, amount, balance_after) VALUES (7, %s, %s, 0, 1, 1, 1)"

    def insert(entry, account):
        with transaction.atomic():
            with connection.cursor() as cursor:
                cursor.execute(statement, [entry, account])
            # SQLite asks at the end of the outermost transaction, which a test never reaches.
            connection.check_constraints()

    for entry, account in ((10**9, places["cash"]), (places["entry"], 10**9)):
        with pytest.raises(IntegrityError):
            insert(entry, account)


def test_every_amount_is_an_integer_column():
    fields = [field for model in apps.get_app_config("ledger_app").get_models() for field in model._meta.local_fields]
    assert not [field for field in fields if isinstance(field, models.FloatField | models.DecimalField)]
