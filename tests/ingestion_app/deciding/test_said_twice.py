"""Asked for a second time, an operation on files says that it is done already, counts what it did, or refuses by name; so it does where something else was asked for."""

import pytest

from ingestion_app.applying.operations import applying
from ingestion_app.deciding.operations import deciding
from ingestion_app.deciding.queries import alerts
from ingestion_app.models import Batch, Receipt
from ingestion_app.sources import operations as sources
from ledger_app import errors
from ledger_app.models import AuditRow, Entry
from tests.support import world as worlds
from tests.support.alerted import alerted
from tests.support.operations import public
from tests.support.undoing import pause, stuck

pytestmark = pytest.mark.django_db


def received(world):
    return lambda: world.receipt(worlds.card_file())


def approved(world):
    batch = world.validated()
    return lambda: world.approve(batch)


def acknowledged(world):
    batch = alerted(world)
    shown = alerts.digest_of(batch)
    said = {"reason": "A sale.", "alerts_shown": shown, "caller": world.caller(world.finance)}
    return lambda: deciding.acknowledge(batch_id=batch.pk, **said)


def applied(world):
    batch = world.approved()
    return lambda: world.apply(batch)


def begun(name):
    def make(world):
        batch = world.approved()
        return lambda: world.begin(batch, name)

    return make


def carried_on(world):
    batch = world.begin(world.approved())
    return lambda: applying.carry_on(batch_id=batch.pk, caller=world.caller(), now=worlds.clock)


def paused(world):
    batch = world.begin(world.approved())
    return lambda: world.pause(batch)


def withdrawn(world):
    batch = world.receive()
    return lambda: world.withdraw(batch)


def left(world):
    batch = stuck(world)
    pause(world, batch)
    return lambda: world.leave(batch)


def frozen(world):
    batch = world.applied()
    return lambda: world.freeze(batch)


def reversed_(world):
    batch = world.applied()
    return lambda: world.reverse(batch)


def loaded(world):
    return lambda: sources.load(text=worlds.definition(chunk_records=7), caller=world.caller())


def same_receipt(first, second):
    return first.outcome == Receipt.Outcome.ACCEPTED and second.outcome == Receipt.Outcome.DUPLICATE and second.first == first


def nothing_applied(first, second):
    return (first.batch, first.applied) == (second.batch, second.skipped) and second.applied == 0


def same_version(first, second):
    return first[1] is True and second == (first[0], False)


# Operation → what makes the call, and what it answers the second time: a refusal by its code, or how the two answers say that it is done already.
TWICE = {
    "receiving.receive": (received, same_receipt),
    "deciding.approve": (approved, "wrong_state"),
    "deciding.acknowledge": (acknowledged, "alerts_acknowledged"),
    "deciding.withdraw": (withdrawn, "wrong_state"),
    "deciding.freeze": (frozen, "wrong_state"),
    "applying.apply": (applied, nothing_applied),
    "applying.carry_on": (carried_on, nothing_applied),
    "applying.begin apply": (begun("apply"), "wrong_state"),
    "applying.pause": (paused, "paused_already"),
    "leaving.leave": (left, "wrong_state"),
    "reversing.propose": (reversed_, "reversal_open"),
    "sources.load": (loaded, same_version),
}


@pytest.mark.parametrize("name", TWICE)
def test_a_second_time_is_answered(world, name):
    make, expected = TWICE[name]
    call = make(world)
    first = call()
    done, entries, batches = AuditRow.objects.filter(outcome="done").count(), Entry.objects.count(), Batch.objects.count()
    if callable(expected):
        assert expected(first, call())
    else:
        with pytest.raises(errors.Refused) as refused:
            call()
        assert expected in [reason.code for reason in refused.value.reasons]
    now = (AuditRow.objects.filter(outcome="done").count(), Entry.objects.count(), Batch.objects.count())
    assert now == (done, entries, batches)


def other_bytes(world):
    world.receive()
    return lambda: world.receipt(worlds.card_file(worlds.PURCHASES[:3]))


def other_plan(world):
    batch = world.approved()
    return lambda: world.approve(batch, user=world.superuser, digest="00" * 32)


def other_definition(world):
    loaded(world)()
    return lambda: sources.load(text=worlds.definition(chunk_records=8), caller=world.caller())


def other_reason(make, **said):
    def made(world):
        call, operation = make(world), {"paused": "pause", "reversed_": "reverse", "withdrawn": "withdraw"}[make.__name__]
        call()
        batch = Batch.objects.order_by("id").first()
        return lambda: getattr(world, operation)(batch, reason="For another reason.", **said)

    return made


# What is asked for after it, and is not the same: never taken for it.
OTHER = {
    "receiving.receive": (other_bytes, "slot_conflict"),
    "deciding.approve": (other_plan, "plan_not_shown"),
    "deciding.withdraw": (other_reason(withdrawn), "wrong_state"),
    "applying.pause": (other_reason(paused), "paused_already"),
    "reversing.propose": (other_reason(reversed_), "reversal_open"),
}


@pytest.mark.parametrize("name", OTHER)
def test_something_else_is_not_taken_for_the_same(world, name):
    make, expected = OTHER[name]
    call = make(world)
    with pytest.raises(errors.Refused) as refused:
        call()
    assert expected in [reason.code for reason in refused.value.reasons]


def test_another_definition_is_another_version(world):
    version, is_new = other_definition(world)()
    assert is_new
    assert version.number == 3


# What is not done once for all: it does what is left, counts it, and says how much, or is one part of an operation above.
COUNTED = {
    "applying.begin": "resume takes a batch up again, and counts anew how often it failed",
    "validating.validate": "the file is read again, under the newest version of its source; an approval is void",
    "validating.ask": "kept once until it is answered, with who asked last",
    "pruning.prune": "how many it removed",
    "attempts.begin": "an attempt of its own",
    "attempts.begin_here": "as begin",
}
# What is done within one of the above.
PARTS = {"chunks.apply_chunk", "reversing.end_original", "reversing.plan", "steps.take"}


def test_every_operation_is_asked_twice_or_says_how_much_it_did():
    asked = {name.partition(" ")[0] for name in TWICE}
    assert public("ingestion_app") - PARTS == asked | COUNTED.keys()


def test_a_new_operation_that_is_not_listed_is_found(tmp_path, settings):
    operations = tmp_path / "ingestion_app" / "applying" / "operations"
    operations.mkdir(parents=True)
    (operations / "posting.py").write_text("def post_again(*, caller):\n    pass\n\n\ndef shown():\n    pass\n", encoding="utf-8")
    settings.BASE_DIR = tmp_path
    assert public("ingestion_app") == {"posting.post_again"}
