"""Keeps the addresses that events are sent to. Each change has an audit row; no secret is kept."""

from collections.abc import Collection, Sequence
from datetime import timedelta
from typing import Any, Final, NamedTuple

from django.utils.translation import gettext_lazy as _

from ledger_app import errors, locks
from ledger_app.base.operations import audit, transactions
from ledger_app.base.operations.audit import Caller
from ledger_app.errors import webhooks as webhook_errors
from ledger_app.models import DeadLetter, Feed, Webhook
from ledger_app.programs import rules
from ledger_app.programs.rules import OVERLAP_HOURS, OVERLAP_HOURS_MOST
from ledger_app.rights.queries.rights import rights_of
from ledger_app.values import openings

KEEP: Final = "ledger_app.keep_webhook"
NAME_MOST: Final = 64
NONE_THERE: Final = 0


class Given(NamedTuple):
    """A webhook as it is to be. No kinds are all kinds."""

    name: str
    url: str
    kinds: Sequence[str] = ()
    is_active: bool = True


def keep(
    *, given: Given, hosts: Collection[str], may_be_here: bool, caller: Caller, version: int | None = None
) -> tuple[Webhook, bool]:
    """Add a webhook, or make the one of this name what is given; return it, and whether something changed.

    A new one is told what happens from now on. ``version`` is that which was shown; 0 where none was there; None where nobody was shown any.

    :raises errors.Refused: not_permitted, label_invalid, webhook_address_refused, webhook_kinds_invalid, stale
    """
    _check_right(caller)
    refusals = openings.name(_("name"), given.name, NAME_MOST)
    refusals += rules.address_refusals(given.url, hosts=hosts, may_be_here=may_be_here)
    refusals += rules.kinds_refusals(given.kinds)
    if refusals:
        raise errors.Refused(refusals)
    said: dict[str, Any] = {"url": given.url, "kinds": sorted(given.kinds), "is_active": given.is_active}

    def work() -> tuple[Webhook, bool]:
        row = locks.setting(Webhook.objects.filter(name=given.name))
        if row is None:
            if version not in {None, NONE_THERE}:
                raise errors.Refused([errors.Stale(shown=version, now=NONE_THERE)])
            last = Feed.objects.values_list("last_number", flat=True).get()
            row = Webhook.objects.create(name=given.name, kept_by=caller.user, cursor=last, **said)
            _record(row, "keep", caller, said)
            return row, True
        changed = {name: value for name, value in said.items() if getattr(row, name) != value}
        if not changed:
            return row, False
        _ask_version(row, version)
        _change(row, caller, **changed)
        _record(row, "keep", caller, changed)
        return row, True

    return transactions.run(work)


def rotate(*, webhook_id: int, version: int, caller: Caller, overlap_hours: int = OVERLAP_HOURS) -> Webhook:
    """Give a webhook another secret. For so many hours what is sent is signed under the one before, too.

    :raises errors.Refused: not_permitted, number_out_of_range, not_found, stale
    """
    _check_right(caller)
    if wrong := openings.number(_("The overlap in hours"), overlap_hours, 0, OVERLAP_HOURS_MOST):
        raise errors.Refused(wrong)
    until = caller.at + timedelta(hours=overlap_hours) if overlap_hours else None

    def work() -> Webhook:
        row = _find(webhook_id)
        _ask_version(row, version)
        _change(row, caller, generation=row.generation + 1, overlap_until=until)
        _record(row, "rotate", caller, {"generation": row.generation, "overlap_hours": overlap_hours})
        return row

    return transactions.run(work)


def replay(*, webhook_id: int, after: int, version: int, caller: Caller) -> Webhook:
    """Have the events that follow the number ``after`` sent, again where they were sent before.

    :raises errors.Refused: not_permitted, not_found, stale, replay_beyond
    """
    _check_right(caller)

    def work() -> Webhook:
        row = _find(webhook_id)
        _ask_version(row, version)
        last = Feed.objects.values_list("last_number", flat=True).get()
        if not 0 <= after <= last:
            raise errors.Refused([webhook_errors.ReplayBeyond(after=after, last=last)])
        before = row.cursor
        _change(row, caller, cursor=after)
        _record(row, "replay", caller, {"before": before, "after": after})
        return row

    return transactions.run(work)


def send_again(*, letter_id: int, caller: Caller) -> tuple[DeadLetter, bool]:
    """Have an event sent again that was not delivered; return its letter, and whether it was not to be sent already.

    What was delivered meanwhile stays delivered.

    :raises errors.Refused: not_permitted, not_found
    """
    _check_right(caller)

    def work() -> tuple[DeadLetter, bool]:
        found = DeadLetter.objects.filter(pk=letter_id).values_list("webhook", flat=True).first()
        if found is None:
            raise errors.Refused([errors.NotFound(what=_("dead letter"), name=letter_id)])
        row = _find(found)
        letter = DeadLetter.objects.select_related("webhook", "event").get(pk=letter_id)
        if letter.state != DeadLetter.State.DEAD:
            return letter, False
        letter.state = DeadLetter.State.AGAIN
        letter.save(update_fields=["state"])
        # The person who asks believes that the receiver will take it now.
        row.next_at = None
        row.save(update_fields=["next_at"])
        _record(row, "send_again", caller, {"event": letter.event.number})
        return letter, True

    return transactions.run(work)


def end(row: Webhook, *, why: str, caller: Caller) -> None:
    """Put a webhook out of use whose receiver says that it is there no more; its row is locked. Nothing is sent until somebody puts it into use again.

    What is shown of it moves on, so that nobody does so who has not seen it.
    """
    _change(row, caller, why=why, is_active=False)
    _record(row, "end", caller, {"is_active": False, "why": why})


def _change(row: Webhook, caller: Caller, *, why: str = "", **changed: Any) -> None:
    """Change a webhook, which is tried anew."""
    for name, value in changed.items():
        setattr(row, name, value)
    row.version += 1
    row.kept_by = caller.user
    row.failures, row.why, row.next_at = 0, why, None
    row.save(update_fields=[*changed, "version", "kept_by", "failures", "why", "next_at"])


def _find(webhook_id: int) -> Webhook:
    row = locks.own_if_there(Webhook.objects.filter(pk=webhook_id))
    if row is None:
        raise errors.Refused([errors.NotFound(what=_("webhook"), name=webhook_id)])
    return row


def _ask_version(row: Webhook, version: int | None) -> None:
    if version is not None and version != row.version:
        raise errors.Refused([errors.Stale(shown=version, now=row.version)])


def _check_right(caller: Caller) -> None:
    if KEEP not in rights_of(caller.user):
        facts = {"right": _("Keep webhooks"), "who": _("Engineers")}
        raise errors.Refused([errors.NotPermitted(user=caller.user.username, **facts)])


def _record(row: Webhook, action: str, caller: Caller, facts: dict[str, Any]) -> None:
    audit.record(subject=audit.Subject("webhook", row.pk, row.name), action=action, caller=caller, facts=facts)
