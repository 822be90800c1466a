"""Loads sources."""

from django.utils.translation import gettext_lazy as _

from ingestion_app import errors
from ingestion_app.formats import toml
from ingestion_app.models import Source, SourceVersion
from ledger_app import locks
from ledger_app.base.operations import history, transactions
from ledger_app.base.operations.audit import Caller
from ledger_app.base.rules import toml_text
from ledger_app.errors import NotPermitted, Refused
from ledger_app.rights.queries.rights import rights_of

RIGHT = "ingestion_app.load_source"


def load(*, text: str, caller: Caller) -> tuple[SourceVersion, bool]:
    """Load a source's definition as its newest version; return it and whether it is new. The newest version's own text changes nothing.

    :raises Refused: not_permitted; else with each fault of the definition, its line and what would make it pass
    """
    if RIGHT not in rights_of(caller.user):
        raise Refused([NotPermitted(user=caller.user.username, right=_("load"), who=_("Engineers"))])
    definition = toml_text.accepted(text, toml.parse, errors.DefinitionRefused)

    def work() -> tuple[SourceVersion, bool]:
        source = locks.own_if_there(Source.objects.filter(code=definition.code))
        if source is None:
            source = history.create(Source(code=definition.code, name=definition.name), caller=caller)
        if source.name != definition.name:
            source.name = definition.name
            history.save(source, caller=caller)
        by = {"loaded_by": caller.user, "loaded_at": caller.at}
        kept = history.next_version(source.versions, text, kind="source", action="load", caller=caller, **by)
        return kept.row, kept.is_changed

    return transactions.run(work)
