"""``merge``: members are merged, and merges undone, from the command line, by two people and safe to run again."""

import pytest

from ledger_app.models import AuditRow, Identifier, Merge

ON = ("--date", "2017-02-03", "--reason", "One person.", "--json")


@pytest.fixture
def two(world):
    """Two members with balances, as their numbers."""
    world.applied()
    return [Identifier.objects.get(value=number).holder_id for number in ("1001", "1002")]


@pytest.fixture
def support(world):
    return ("--user", world.support.username)


@pytest.fixture
def finance(world):
    return ("--user", world.finance.username)


def refused(ended):
    return ended.status, [reason["code"] for reason in ended.data["refused"]]


def test_a_preview_says_what_would_move_and_writes_nothing(run, two, support):
    rows = AuditRow.objects.count()
    told = run("merge", "propose", *two, *support, *ON, "--preview")
    assert {(each["role"], each["amount"]) for each in told.data["moves"]} == {("points", 1), ("receivable", 249)}
    itself = run("merge", "propose", two[0], two[0], *support, *ON, "--preview")
    assert (itself.status, [reason["code"] for reason in itself.data["refused"]]) == (1, ["merge_into_itself"])
    for number in (10**9, 10**18, 10**25):
        nobody = run("merge", "propose", two[0], number, *support, *ON, "--preview")
        assert (nobody.status, [reason["code"] for reason in nobody.data["refused"]]) == (1, ["not_found"])
    assert (Merge.objects.count(), AuditRow.objects.count()) == (0, rows)


def test_a_merge_is_proposed_and_decided_once_by_another_who_was_shown_it(run, two, support, finance):
    made = run("merge", "propose", *two, *support, *ON)
    assert (made.status, made.data["state"], made.data["member"], made.data["survivor"]) == (0, "proposed", *two)
    number = made.data["merge"]
    assert run("merge", "propose", *two, *support, *ON).data == made.data
    other = ("--date", "2017-02-03", "--reason", "Other words.", "--json")
    assert refused(run("merge", "propose", *two, *support, *other)) == (1, ["merge_open"])
    assert refused(run("merge", "decide", number, "approve", *support, "--json")) == (
        1,
        ["not_permitted", "merge_decided_by_proposer"],
    )
    for shown in ("0" * 64, ""):
        stale = run("merge", "decide", number, "approve", *finance, "--shown", shown, "--json")
        assert refused(stale) == (1, ["merge_moved"])
    for _ in range(2):
        done = run("merge", "decide", number, "approve", *finance, "--shown", made.data["plan"], "--json")
        assert (done.status, done.data["state"], done.data["plan"]) == (0, "done", made.data["plan"])
    assert Identifier.objects.get(value="1001").holder_id == two[1]


def test_undoing_gives_back_what_is_stated_to_a_new_member(run, two, support, finance):
    number = run("merge", "propose", *two, *support, *ON).data["merge"]
    for absent in (10**9, 10**25):
        assert refused(run("merge", "undo", absent, *support, *ON)) == (1, ["not_found"])
        assert refused(run("merge", "propose", absent, two[0], *support, *ON)) == (1, ["not_found"])
    assert refused(run("merge", "undo", number, *support, *ON)) == (1, ["merge_not_done"])
    assert run("merge", "decide", number, "approve", *finance).status == 0
    for wrong in (
        ["CARD:receivable:0"],
        ["CARD:receivable:" + "9" * 30],
        ["CARD:nosuch:1"],
        ["CARD:receivable:1", "CARD:receivable:2"],
    ):
        amounts = [part for amount in wrong for part in ("--amount", amount)]
        told = run("merge", "undo", number, *amounts, *support, *ON, "--preview")
        assert [reason["code"] for reason in told.data["refused"]] == ["merge_amount_invalid"], wrong
    stated = ("--amount", "CARD:receivable:49")
    undoing = run("merge", "undo", number, *stated, *support, *ON)
    assert run("merge", "undo", number, *stated, *support, *ON).data == undoing.data
    assert [(each["role"], each["amount"]) for each in undoing.data["moves"] if each["amount"]] == [("receivable", 49)]
    done = run("merge", "decide", undoing.data["merge"], "approve", *finance, "--json")
    assert (done.data["state"], done.data["undoes"]) == ("done", number)
    assert refused(run("merge", "undo", number, *support, *ON)) == (1, ["merge_undone"])
    assert Identifier.objects.get(value="1001").holder_id == done.data["survivor"] not in two


def test_a_proposal_is_withdrawn_by_its_proposer_and_rejected_by_another_with_a_reason(run, two, support, finance):
    number = run("merge", "propose", *two, *support, *ON).data["merge"]
    assert refused(run("merge", "decide", number, "reject", *finance, "--json")) == (1, ["reason_required"])
    for _ in range(2):
        ended = run("merge", "decide", number, "withdraw", *support, "--reason", "Two people.", "--json")
        assert (ended.status, ended.data["state"]) == (0, "withdrawn")
    assert refused(run("merge", "decide", number, "approve", *finance, "--json")) == (1, ["wrong_state"])


@pytest.mark.parametrize("amount", ["CARD:receivable", "CARD:receivable:-4", "CARD:receivable:４", ":receivable:4", "x"])
def test_an_amount_that_cannot_be_read_is_wrong_usage(run, two, support, amount):
    assert run("merge", "undo", 1, "--amount", amount, *support, *ON).status == 2


@pytest.mark.parametrize("number", ["0", "-1", "x"])
def test_what_is_no_number_of_a_member_or_merge_is_wrong_usage(run, two, support, number):
    assert run("merge", "propose", two[0], number, *support, *ON).status == 2
    assert run("merge", "undo", number, *support, *ON).status == 2


def test_json_may_stand_before_the_part_too(run, two, support):
    told = run("merge", "--json", "propose", *two, *support, "--date", "2017-02-03", "--preview")
    assert told.data["state"] is None


def test_a_decision_is_refused_where_deciding_by_command_is_off(run, two, support, finance, settings):
    number = run("merge", "propose", *two, *support, *ON).data["merge"]
    settings.KAKUTEI_DECIDE_BY_COMMAND = False
    ended = run("merge", "decide", number, "reject", *finance, "--reason", "No.", "--json")
    assert refused(ended) == (1, ["deciding_by_command_off"])
