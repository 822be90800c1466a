"""Members are registered from a file: wholly checked first, block by block, and the same file once more changes nothing."""

import io
from collections.abc import Callable
from datetime import date

import pytest
from django.db import connection

from ledger_app import errors
from ledger_app.books.operations import books
from ledger_app.members.operations import member_rows, members, merges, opening, registering
from ledger_app.members.queries import merges as merge_queries
from ledger_app.members.rules.merges import digest
from ledger_app.models import Account, AuditRow, Balance, Holder, Identifier, LotRule
from ledger_app.points.operations.lot_rules import RuleGiven, set_rule
from tests.support.samples import SmallLedger

pytestmark = pytest.mark.django_db(transaction=True)

CSV = "member_number,name,card_tokens,card_numbers\n"
CARD = "4111111111111111"


@pytest.fixture
def register(ledger: SmallLedger) -> Callable[..., registering.Receipt]:
    opening.set_template(book=ledger.book, role="points", category="liability", floor=0, caller=ledger.caller)

    def run(text: str | bytes, caller=ledger.caller) -> registering.Receipt:
        content = text if isinstance(text, bytes) else text.encode()
        return registering.register(stream=io.BytesIO(content), name="members.csv", caller=caller)

    return run


def told(receipt: registering.Receipt) -> list[tuple[int, str, str]]:
    return [(finding.line, finding.column, finding.error.code) for finding in receipt.findings]


def test_members_get_identifiers_accounts_balances_and_a_history(ledger, register):
    receipt = register(f"{CSV}71,Aoki,tok-1;tok-2,4111 1111 1111 1111\n72,,,\n")
    assert (receipt.new, receipt.there, receipt.accounts) == (2, 0, 2)
    holder = Identifier.objects.get(value="71").holder
    assert (holder.name, holder.history.get().history_user) == ("Aoki", ledger.caller.user)
    kinds = sorted(holder.identifiers.values_list("kind", flat=True))
    assert kinds == ["card_number", "card_token", "card_token", "member_number"]
    assert not Identifier.objects.filter(value__contains=CARD).exists()
    account = Account.objects.get(code="points.71")
    assert (account.holder, account.floor, account.category, account.state) == (holder, 0, "liability", "open")
    assert account.history.get().history_user == ledger.caller.user
    assert Balance.objects.get(account=account).amount == 0
    row = AuditRow.objects.get(action="register")
    assert (row.outcome, row.facts["new"], row.facts["digest"]) == ("done", 2, receipt.sha256)


def test_accounts_of_a_role_with_a_rule_keep_lots(ledger, register):
    set_rule(book=ledger.book, role="points", given=RuleGiven(expiry="never", breakage="sales"), caller=ledger.caller)
    assert LotRule.objects.count() == 1
    register(f"{CSV}71,,,\n")
    assert Account.objects.get(code="points.71").keeps_lots


def test_the_same_once_more_finds_everything_there(register):
    text = f"{CSV}71,Aoki,tok-1,{CARD}\n72,,,\n"
    register(text)
    before = Holder.objects.count(), Identifier.objects.count(), Account.objects.count()
    again = register(text)
    assert (again.new, again.there, again.accounts, again.finding_count) == (0, 2, 0, 0)
    assert (Holder.objects.count(), Identifier.objects.count(), Account.objects.count()) == before


def test_json_lines_say_the_same(register):
    register(f"{CSV}71,Aoki,tok-1,\n")
    assert register('{"member_number": "71", "name": "Aoki", "card_tokens": ["tok-1"]}\n').there == 1


def test_who_is_there_is_opened_the_accounts_of_a_later_template(ledger, register):
    register(f"{CSV}71,,,\n")
    opening.set_template(book=ledger.book, role="gifts", category="liability", floor=None, caller=ledger.caller)
    assert register(f"{CSV}71,,,\n").accounts == 1
    assert Account.objects.get(code="gifts.71").holder == Account.objects.get(code="points.71").holder


@pytest.mark.parametrize(
    ("text", "findings"),
    [
        ("", [(1, "", "file_empty")]),
        ("\n \r\n\n", [(1, "", "file_empty")]),
        ("[]\n", [(1, "", "line_unreadable")]),
        ('[{"member_number": "71"}]\n', [(1, "", "line_unreadable")]),
        ('{"member_number": "71"}\n3\n', [(2, "", "line_unreadable")]),
        ("member_number\r71\r72\r", [(1, "", "line_unreadable")]),
        ("会員番号\n".encode("cp932"), [(1, "", "line_unreadable")]),
        ("member_number\n71\n".encode("utf-16"), [(1, "", "line_unreadable")]),
        ("number,name\n71,x\n", [(1, "", "column_unknown")]),
        ("member_number,member_number\n71,72\n", [(1, "", "column_unknown")]),
        (f"{CSV}71,x\n", [(2, "", "fields_differ")]),
        (f'{CSV}71,"x,,\n', [(2, "", "line_unreadable")]),
        (f"{CSV}71,{'x' * 70_000},,\n72,,,\n", [(2, "", "line_unreadable")]),
        (f"{CSV}71, x,,\n", [(2, "name", "value_unfit")]),
        (f"{CSV}71,{CARD},,\n", [(2, "name", "value_unfit")]),
        (f"{CSV}71,a\u202eb,,\n", [(2, "name", "value_unfit")]),
        ('{"member_number": "71", "name": "a\\u0085b"}\n', [(1, "name", "value_unfit")]),
        ('{"member_number": "71", "name": "\\ud800"}\n', [(1, "name", "value_unfit")]),
        (f"{CSV}{CARD},,,\n", [(2, "member_number", "card_number_in_clear")]),
        (f"{CSV}7 1,,,\n", [(2, "member_number", "code_invalid")]),
        (f"{CSV}71,,,123\n", [(2, "card_numbers", "card_number_invalid")]),
        (f"{CSV}71,a,,\n71,b,,\n", [(3, "member_number", "given_twice")]),
        (f"{CSV}71,,tok-1,\n72,,tok-1,\n", [(3, "card_tokens", "given_twice")]),
        (f"{CSV}71,,,{CARD}\n72,,,4111-1111-1111-1111\n", [(3, "card_numbers", "given_twice")]),
        ('{"member_number": "71"\n', [(1, "", "line_unreadable")]),
        ('{"member_number": "71", "member_number": "72"}\n', [(1, "", "line_unreadable")]),
        ('{"member_number": 71}\n', [(1, "member_number", "value_unfit")]),
        ('{"member_number": "71", "age": 3}\n', [(1, "", "column_unknown")]),
        (f"{CSV}settlement,,,\n", []),
    ],
)
def test_what_cannot_be_read_exactly_is_told_by_its_place_and_nobody_is_registered(register, text, findings):
    before = Holder.objects.count()
    receipt = register(text)
    assert told(receipt) == findings
    assert Holder.objects.count() == before + (0 if findings else 1)
    row = AuditRow.objects.get(action="register")
    assert row.outcome == ("refused" if findings else "done")
    assert CARD not in str(row.reasons)


def test_a_mark_and_crlf_and_blank_lines_are_read_through(register):
    assert register(b"\xef\xbb\xbfmember_number,name\r\n71,Aoki\r\n\r\n72,\r\n").new == 2


def test_one_finding_at_the_end_keeps_everybody_out(register, monkeypatch):
    monkeypatch.setattr(registering, "BLOCK", 3)
    before = Holder.objects.count()
    receipt = register(CSV + "".join(f"8{number},,,\n" for number in range(10)) + "x y,,,\n")
    assert told(receipt) == [(12, "member_number", "code_invalid")]
    assert Holder.objects.count() == before


def test_other_content_than_the_ledgers_is_told_field_by_field(register):
    register(f"{CSV}71,Aoki,tok-1,\n72,Baba,,\n")
    receipt = register(f"{CSV}71,Ono,tok-1,\n72,Baba,tok-9,\n73,,tok-1,\n")
    assert told(receipt) == [
        (2, "name", "member_differs"),
        (3, "card_tokens", "member_differs"),
        (4, "card_tokens", "identifier_taken"),
        (4, "card_tokens", "given_twice"),
    ]


def test_an_account_that_others_have_is_not_opened_twice(ledger, register):
    books.open_accounts(book=ledger.book, openings=[books.AccountOpening("points.71", "x", "asset")], caller=ledger.caller)
    assert told(register(f"{CSV}71,,,\n")) == [(2, "member_number", "account_code_taken")]


def test_role_and_number_that_run_into_those_of_another_are_told_by_the_line(ledger, register):
    opening.set_template(book=ledger.book, role="points.x", category="liability", floor=0, caller=ledger.caller)
    before = Holder.objects.count()
    assert told(register(f"{CSV}x.71,,,\n71,,,\n")) == [(3, "member_number", "account_code_taken")]
    assert Holder.objects.count() == before


def test_role_and_number_that_run_into_those_of_another_block_are_told_before_anything_is_written(ledger, register, monkeypatch):
    monkeypatch.setattr(registering, "BLOCK", 2)
    opening.set_template(book=ledger.book, role="points.x", category="liability", floor=0, caller=ledger.caller)
    receipt = register("member_number\nx.7\n8\n9\n7\n")
    (finding,) = receipt.findings
    assert (finding.line, finding.column, finding.error.code) == (5, "member_number", "account_code_taken")
    assert finding.error.facts == {"account": "points.x.7", "book": ledger.book.code}
    assert not Holder.objects.filter(identifiers__value__in=["x.7", "8", "9", "7"]).exists()


def test_who_is_there_and_lacks_an_account_that_another_has_is_told_by_the_line(ledger, register):
    register("member_number\n5\n")
    opening.set_template(book=ledger.book, role="gifts", category="liability", floor=0, caller=ledger.caller)
    books.open_accounts(book=ledger.book, openings=[books.AccountOpening("gifts.5", "gifts", "asset")], caller=ledger.caller)
    (finding,) = register("member_number\n4\n5\n").findings
    assert (finding.line, finding.error.code) == (3, "account_code_taken")


def test_a_line_that_says_the_same_twice_is_counted_and_registered_once(register, monkeypatch):
    monkeypatch.setattr(registering, "BLOCK", 2)
    receipt = register(f"{CSV}71,a,,\n71,a,,\n72,,,\n71,a,,\n")
    assert (receipt.rows, receipt.new, receipt.finding_count) == (4, 2, 0)
    assert receipt.new + receipt.there + receipt.repeated == 4


def test_who_was_merged_into_another_is_there(ledger, register, make_user, caller_of):
    text = f"{CSV}71,Aoki,,\n72,Baba,,\n"
    register(text)
    one, other = (Identifier.objects.get(value=number).holder_id for number in ("71", "72"))
    maker, checker = caller_of(make_user("m", "support")), caller_of(make_user("c", "finance"))
    row = merges.propose(merge_queries.proposal(holder_id=one, survivor_id=other, reason="same"), caller=maker)
    facts = merge_queries.facts(row, user=checker.user, at=checker.at)
    merges.approve(merge_id=row.pk, digest_shown=digest(facts.plan.as_json()).hex(), caller=checker)
    again = register(text)
    assert (again.there, again.accounts, again.finding_count) == (2, 0, 0)
    # A card that nobody has would be given to nobody.
    assert told(register(f"{CSV}71,Aoki,tok-new,\n")) == [(2, "card_tokens", "member_differs")]


@pytest.mark.parametrize(("column", "kind"), [("member_number", 0), ("card_tokens", 1), ("card_numbers", 2)])
def test_what_a_member_had_is_not_taken_for_what_they_have(ledger, register, make_user, caller_of, column, kind):
    text = f"{CSV}71,Aoki,tok-1,{CARD}\n"
    register(text)
    number = Identifier.objects.get(value="71")
    row = number.holder.identifiers.order_by("id")[kind]
    support = caller_of(make_user("m", "support"))
    members.end_identifier(identifier_id=row.pk, active_to=date(2017, 1, 9), reason="lost", caller=support)
    assert told(register(text)) == [(2, column, "identifier_had")]


def test_killed_between_blocks_the_same_again_goes_on(register, monkeypatch):
    monkeypatch.setattr(registering, "BLOCK", 2)
    text = CSV + "".join(f"8{number},,,\n" for number in range(6))
    written = member_rows.write_members
    calls = []

    def killed(*arguments):
        calls.append(1)
        if len(calls) == 2:
            raise KeyboardInterrupt
        return written(*arguments)

    monkeypatch.setattr(member_rows, "write_members", killed)
    with pytest.raises(KeyboardInterrupt):
        register(text)
    monkeypatch.setattr(member_rows, "write_members", written)
    again = register(text)
    assert again.there > 0
    assert (again.there + again.new, Identifier.objects.filter(value__startswith="8").count()) == (6, 6)


class Moving(io.BytesIO):
    """A file of which somebody changes a line between its two readings."""

    def seek(self, *arguments):
        place = super().seek(*arguments)
        self.readings = getattr(self, "readings", 0) + 1
        if self.readings == 2:
            self.getbuffer()[-4:-3] = b"b"
        return place


def test_a_file_that_changes_while_it_is_read_is_not_registered(ledger, register):
    before = Holder.objects.count()
    with pytest.raises(errors.Refused) as refusal:
        registering.register(stream=Moving(f"{CSV}71,a,,\n".encode()), name="x", caller=ledger.caller)
    assert [reason.code for reason in refusal.value.reasons] == ["file_moved"]
    assert Holder.objects.count() == before
    row = AuditRow.objects.get(action="register")
    assert (row.outcome, [reason["code"] for reason in row.reasons]) == ("refused", ["file_moved"])


def test_statements_grow_with_blocks_and_not_with_members(register, django_assert_max_num_queries):
    # MySQL gives the number of one row at a time: a statement for each holder and each account.
    one_at_a_time = 0 if connection.features.can_return_rows_from_bulk_insert else 2 * 400
    with django_assert_max_num_queries(60 + one_at_a_time):
        register(CSV + "".join(f"9{number},n,tok-{number},\n" for number in range(400)))


@pytest.mark.parametrize(("group", "refused"), [("auditor", True), ("finance", True), ("support", False), ("engineer", False)])
def test_support_and_engineers_register(register, make_user, caller_of, group, refused):
    caller = caller_of(make_user("somebody", group))
    if not refused:
        assert register(f"{CSV}71,,,\n", caller).new == 1
        return
    with pytest.raises(errors.Refused) as refusal:
        register(f"{CSV}71,,,\n", caller)
    assert [reason.code for reason in refusal.value.reasons] == ["not_permitted"]
