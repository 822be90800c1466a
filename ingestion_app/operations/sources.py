"""Loads sources."""

import hashlib

from django.utils.translation import gettext_lazy as _

from ingestion_app import errors
from ingestion_app.formats import toml
from ingestion_app.models import Source, SourceVersion
from ledger_app import locks
from ledger_app.errors import NotPermitted, Refused
from ledger_app.errors.words import phrase
from ledger_app.operations import audit, history, transactions
from ledger_app.operations.audit import Caller
from ledger_app.queries.rights import rights_of

RIGHT = "ingestion_app.load_source"


def load(*, text: str, caller: Caller) -> tuple[SourceVersion, bool]:
    """Load a source's definition as its newest version; return it and whether it is new. The newest version's own text changes nothing.

    :raises Refused: not_permitted; else with each fault of the definition, its line and what would make it pass
    """
    if RIGHT not in rights_of(caller.user):
        raise Refused([NotPermitted(user=caller.user.username, right=_("load"), who=_("Engineers"))])
    try:
        toml.refuse_unseen(text)
        definition = toml.parse(text)
    except toml.DefinitionInvalid as invalid:
        raise Refused([_refused(each) for each in invalid.problems]) from invalid
    digest = hashlib.sha256(text.encode()).digest()

    def work() -> tuple[SourceVersion, bool]:
        source = locks.own_if_there(Source.objects.filter(code=definition.code))
        if source is None:
            source = history.create(Source(code=definition.code, name=definition.name), caller=caller)
        last = SourceVersion.objects.filter(source=source).order_by("-number").first()
        if last is not None and bytes(last.digest) == digest:
            return last, False
        if source.name != definition.name:
            source.name = definition.name
            history.save(source, caller=caller)
        version = SourceVersion.objects.create(
            source=source,
            number=last.number + 1 if last else 1,
            text=text,
            digest=digest,
            loaded_by=caller.user,
            loaded_at=caller.at,
        )
        audit.record(
            subject=audit.Subject("source", source.pk, str(version)),
            action="load",
            caller=caller,
            facts={"version": version.number, "digest": digest.hex()},
        )
        return version, True

    return transactions.run(work)


def _refused(problem: toml.Problem) -> errors.DefinitionRefused:
    """Return the refusal of one fault. What is wrong with the text as a whole has a line, and no path."""
    place = _("Line {line}, {path}") if problem.path else _("Line {line}")
    facts = {"line": problem.line, "path": problem.path}
    return errors.DefinitionRefused(place=phrase(place, **facts), sentence=problem.sentence, **facts)
