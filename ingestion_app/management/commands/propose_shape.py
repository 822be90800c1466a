"""propose_shape SOURCE: proposes when a file that looks unlike earlier ones is an alert, from the source's own files."""

from typing import Any

from django.core.management.base import CommandParser
from django.utils.translation import gettext_lazy as _

from config.doors.commands import base as commands
from config.doors.commands.counting import counted
from ingestion_app.models import Source
from ingestion_app.sources.queries import definitions
from ingestion_app.validating.queries import shape_proposals
from ingestion_app.validating.queries.shape_proposals import Past
from ledger_app.errors import NotFound, Refused


class Command(commands.Command):
    """Proposes the figures of ``[shape]``, and changes nothing."""

    help = "Tell which alerts the files of a source would have raised, and propose figures for its [shape] under which they raise none. Changes nothing."

    def arguments(self, parser: CommandParser) -> None:
        """Declare the arguments."""
        parser.add_argument("source", metavar="SOURCE", help="the code of the source")

    def run(self, **options: Any) -> commands.Outcome:
        """Read, and tell."""
        source = Source.objects.filter(code=options["source"]).first()
        if source is None:
            raise Refused([NotFound(what=_("source"), name=options["source"])])
        rules = definitions.definition_of(definitions.current_version(source)).shape
        found = shape_proposals.propose(source, rules)
        figures = shape_proposals.changed(rules, found.rules)
        data = {
            "source": source.code,
            "files": [_as_dict(past) for past in found.now],
            "proposed": figures,
            "left": [_as_dict(past) for past in found.then if past.alerts],
        }
        return commands.Outcome(data, tuple(_lines(found, figures)))


def _as_dict(past: Past) -> dict[str, Any]:
    return {
        "batch": past.batch.pk,
        "business_date": past.batch.business_date,
        "compared": past.compared,
        "alerts": list(past.alerts),
    }


def _lines(found: shape_proposals.Proposal, figures: dict[str, int]) -> list[str]:
    lines = [
        f"batch {past.batch.pk} ({past.batch}), held against {counted(past.compared, 'file')}: {', '.join(past.alerts) or 'no alert'}"
        for past in found.now
    ]
    if not figures:
        return [*lines, "nothing to propose: the figures of the source as they are"]
    lines += ["[shape]", *[f"{name} = {figure}" for name, figure in figures.items()]]
    return [
        *lines,
        *[f"# batch {past.batch.pk} would still raise {', '.join(past.alerts)}" for past in found.then if past.alerts],
    ]
