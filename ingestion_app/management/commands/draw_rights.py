"""draw_rights: draws who may do what into docs/rights.md."""

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from django.apps import apps
from django.conf import settings
from django.contrib import admin
from django.http import HttpRequest
from django.urls import URLPattern, get_resolver
from django.utils import translation

from config.doors import telling
from config.doors.commands import base as commands
from ledger_app.base.rules.transitions import Transition
from ledger_app.models import User
from ledger_app.posting.rules.holds import RESOLVE_ANY, is_own_or_may
from ledger_app.rights.rules import rights
from ledger_app.setting_changes.rules import SETTINGS

ADMINISTRATOR: Final = "administrator"
ROLES: Final = (*rights.ACTIONS, ADMINISTRATOR)
YES, NO, OWN, OTHERS, NAMED = "yes", "–", "own", "others’", "named"
# Guards that ask whose a thing is, and what that leaves to who has the right: others’ alone, or one's own.
WHOSE: Final[Mapping[str, str]] = {
    "decider_is_another": OTHERS,
    "approver_is_another": OTHERS,
    "is_proposer": OWN,
    "proposer_withdraws": OWN,
}
# What a till reads of what it may look at (the API sees to it).
NARROWED: Final[Mapping[str, str]] = {"hold": OWN, "account": NAMED}
# Rights that no administrator has for being one: of programs alone.
OF_PROGRAMS_ALONE: Final = frozenset(rights.ACTIONS["machine"])
BEGINNING: Final = "api/v1/"

INTRODUCTION: Final = """# Who may do what

Drawn from the groups and their rights (`ledger_app/rights/rules/rights.py`), the tables of states, and what each
address of the API and each page asks, by `python manage.py draw_rights`; one test keeps it current, another asks the
API and the pages for each cell. Nobody has rights but by a group; a user may be in several. An administrator may do
everything that people may; users in no group may do nothing. A token does of what its user may what it is for, in the
books that it reaches ([0075](decisions/0075-tokens.md)); a change of who is in which group takes two people
([0067](decisions/0067-rights-by-two.md)).

`yes`: may. `own`: only what they proposed or placed themselves. `others’`: only what somebody else proposed or
received. `named`: only what they ask for by its name. `–`: may not.

Who sees a row sees all of it, but: a till is not told whose an account is; reports of a book are read by finance and
auditors, of days that are not frozen by nobody who may freeze them; the ledger’s own control totals are told to nobody
who may freeze the period; how a password is kept is shown in part to who may set one; keys of tokens and secrets are
shown once, to the person who made them.
"""


class Command(commands.Command):
    """Draws the matrix of rights."""

    help = "Draw who may do what into docs/rights.md."

    def run(self, **_options: Any) -> commands.Outcome:
        """Write the drawing."""
        path = Path(settings.BASE_DIR) / "docs" / "rights.md"
        path.write_text(drawing(), encoding="utf-8")
        told = str(path.relative_to(settings.BASE_DIR))
        return commands.Outcome({"written": [told]}, (told,))


def drawing() -> str:
    """Return the matrix, in English."""
    with translation.override("en"):
        parts = [INTRODUCTION]
        parts += ["## Acting\n", _table(("right", "what it is for"), _acts())]
        heads = ("what", "transition", "from")
        parts += ["## Changing a state\n", _table(heads, _transitions())]
        parts += ["## The API: who gets past the door\n", _API, _table(("address", "methods"), addresses())]
        parts += ["## The pages\n", _PAGES, _table(("list and page of",), pages())]
        return "\n".join(parts)


_API: Final = "What an address that is posted to then does is decided by the rights above.\n"
_PAGES: Final = "Programs sign in to no page. Buttons are free or disabled by the rights above.\n"


def of_role(role: str) -> frozenset[str]:
    """Return the rights of a group, or of an administrator."""
    if role != ADMINISTRATOR:
        return frozenset(rights.of_group(role))
    known = {f"{_meta(each).app_label}.{code}" for each in apps.get_models() for code in _codes(each)}
    return frozenset(known | set().union(*(rights.of_group(name) for name in rights.ACTIONS))) - OF_PROGRAMS_ALONE


def may(transition: Transition, role: str, kind: str = "") -> str:
    """Return whose a role may take through a transition; of a change of a setting, of one kind."""
    has = of_role(role)
    needs = {transition.right, *({SETTINGS[kind].right} if kind and transition.name != "withdraw" else set())}
    if not needs <= has:
        return NO
    names = [guard.__name__ for guard in transition.guards]
    if is_own_or_may.__name__ in names:
        return YES if RESOLVE_ANY in has else OWN
    return next((WHOSE[name] for name in names if name in WHOSE), YES)


def transitions() -> Iterator[tuple[str, Transition, str]]:
    """Yield each transition that a person may ask for, with its subject, and of changes of settings with each kind."""
    for subject, machine in sorted(telling.MACHINES.items()):
        for each in machine.transitions:
            if not each.automatic:
                yield from ((subject, each, kind) for kind in (SETTINGS if subject == "setting" else ("",)))


def addresses() -> Iterator[tuple[str, ...]]:
    """Yield each address of the API with its methods, and who gets past its door."""
    for name, pattern in sorted(of_api()):
        view: Any = pattern.callback
        actions: Mapping[str, str] = getattr(view, "actions", None) or {"get": ""}
        methods = ", ".join(sorted(method.upper() for method in actions if method != "head"))
        needs = needed(pattern)
        cells = [NO if not needs <= of_role(role) else _narrowed(name, role) for role in ROLES]
        yield f"`{name}`", methods, *cells


def of_api() -> list[tuple[str, URLPattern]]:
    """Return the addresses of the API by their names, once each."""
    found: dict[str, URLPattern] = {}
    for each in _patterns(get_resolver()):
        if each.name:
            found[each.name] = each
    return list(found.items())


def needed(pattern: URLPattern) -> set[str]:
    """Return the rights to look that an address asks for, before it does anything."""
    view: Any = pattern.callback
    said = {**getattr(view, "initkwargs", {})}
    classes = said.get("permission_classes", getattr(view.cls, "permission_classes", ()))
    if not any(each.__name__ == "ReadPermission" for each in classes):
        return set()
    model = _meta(view.cls.queryset.model)
    return {f"{model.app_label}.view_{model.model_name}", *said.get("reads", getattr(view.cls, "reads", ()))}


def pages() -> Iterator[tuple[str, ...]]:
    """Yield each list of the admin, and who sees it."""
    listed = sorted(admin.site._registry.items(), key=lambda item: str(item[1].opts.verbose_name_plural))  # noqa: SLF001 - there is no public name
    for _model, each in listed:
        cells = [YES if sees(each, role) else NO for role in ROLES]
        yield str(each.opts.verbose_name_plural), *cells


def sees(page: Any, role: str) -> bool:
    """Whether a role sees a list, as the list itself says."""
    if role in rights.OF_PROGRAMS:
        return False
    request = HttpRequest()
    user = User(username=role, is_staff=True, is_superuser=role == ADMINISTRATOR)
    # What the framework keeps on a user once it has asked the database.
    user._perm_cache = set(of_role(role))  # type: ignore[attr-defined]  # noqa: SLF001 - there is no public name
    request.user = user
    return bool(page.has_view_permission(request))


def _acts() -> Iterator[tuple[str, ...]]:
    names = {f"{_meta(each).app_label}.{code}": name for each in apps.get_models() for code, name in _meta(each).permissions}
    names["ledger_app.change_user"] = "Can say who may do what"
    acts = {act for given in rights.ACTIONS.values() for act in given} | rights.DECIDING
    for act in sorted(acts):
        yield f"`{act}`", str(names.get(act, act)), *(YES if act in of_role(role) else NO for role in ROLES)


def _transitions() -> Iterator[tuple[str, ...]]:
    for subject, each, kind in transitions():
        what = f"{subject} ({kind})" if kind else subject
        yield what, each.name, ", ".join(each.sources), *(may(each, role, kind) for role in ROLES)


def _narrowed(name: str, role: str) -> str:
    return NARROWED.get(name.partition("-")[0], YES) if role == "till" else YES


def _meta(model: Any) -> Any:
    return model._meta  # noqa: SLF001 - Django's public API


def _codes(model: Any) -> Iterator[str]:
    meta = _meta(model)
    yield from (code for code, _name in meta.permissions)
    yield from (f"{action}_{meta.model_name}" for action in meta.default_permissions)


def _patterns(resolver: Any, prefix: str = "") -> Iterator[URLPattern]:
    for each in resolver.url_patterns:
        address = prefix + str(each.pattern)
        if isinstance(each, URLPattern):
            if address.startswith(BEGINNING) and getattr(each.callback, "cls", None) is not None:
                yield each
        else:
            yield from _patterns(each, address)


def _table(heads: Iterable[str], rows: Iterable[tuple[str, ...]]) -> str:
    head = (*heads, *ROLES)
    lines = [f"| {' | '.join(cells)} |" for cells in (head, *rows)]
    return "\n".join([lines[0], f"|{'---|' * len(head)}", *lines[1:], ""])
