"""demo and seed_demo: not where figures are real."""

import pytest

from ledger_app.models import Account, AdjustmentLimit, Book, ReasonCode, User


@pytest.mark.django_db
@pytest.mark.parametrize("name", ["demo", "seed_demo"])
def test_the_demonstration_is_refused_in_production(run, settings, name):
    settings.ENVIRONMENT = "production"
    ended = run(name)
    assert ended.status == 1
    assert "demonstration_not_here" in ended.complaints
    assert list(User.objects.values_list("username", flat=True)) == [User.SYSTEM]


@pytest.mark.django_db
def test_whoever_has_seeded_it_can_propose_and_decide_by_one_and_by_two(run):
    assert run("seed_demo").status == 0
    book = Book.objects.get(code="POINTS")
    account = Account.objects.filter(book=book, role="points").order_by("id")[0].code
    for amount, deciders in ((5_000, ["finance-1"]), (5_001, ["finance-2", "finance-1"])):
        said = ("--reason", "missing-points", "--text", "The till was down.", "--date", "2017-02-10", "--user", "support-1")
        proposed = run("propose", "POINTS", account, str(amount), "--key", str(amount), *said, "--json")
        number = proposed.data["adjustment"]
        states = []
        for decider in deciders:
            decided = run("decide", str(number), "approve", "--user", decider, "--reason", "Seen.", "--json")
            states.append(decided.data["state"])
        assert states == ["endorsed", "approved"][-len(deciders) :]


@pytest.mark.django_db
def test_seeding_again_leaves_what_was_said_since(run):
    run("seed_demo")
    AdjustmentLimit.objects.update(amount_most=7, two_deciders_above=7)
    ReasonCode.objects.update(name="Said since")
    assert run("seed_demo").status == 0
    assert set(AdjustmentLimit.objects.values_list("amount_most", flat=True)) == {7}
    assert set(ReasonCode.objects.values_list("name", flat=True)) == {"Said since"}
