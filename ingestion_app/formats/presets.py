"""Layouts that are ready made: a source names one, with its version, and says only what its sender may choose."""

import tomllib
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any, Final

from django.utils.translation import gettext as _

from ledger_app.base.rules.toml_table import Table

FOLDER: Final = Path(__file__).parent / "layouts"


def is_named(layout: Table) -> bool:
    """Whether a source names a ready-made layout."""
    return layout.has("preset")


def applied(layout: Table, roles: Table | None) -> tuple[Table, Table | None] | None:
    """Return the tables of a source with what the layout that it names says of both; None where there is no such layout.

    The source may say what the layout leaves open, and nothing that it says already.
    """
    versions = _versions()
    name = layout.choice("preset", tuple(versions))
    known = versions.get(name or "", ())
    version = layout.integer("version", least=1, most=max(known, default=1))
    if name is None or version is None:
        return None
    # A version that was taken back would still have batches that ran under it.
    content = _content(name, version)
    told = _("{name}, version {version}").format(name=name, version=version)
    # Columns that are made of others may be added: they leave every field as it is.
    of_source = layout.without("preset", "version").beside(content["layout"], name=told, added=("computed",))
    return of_source, roles.beside(content["roles"], name=told) if roles is not None else None


@cache
def _versions() -> Mapping[str, tuple[int, ...]]:
    """Return the versions that there are of each layout, in the order of their names."""
    found: dict[str, tuple[int, ...]] = {}
    for path in sorted(FOLDER.glob("*.toml")):
        name, _dot, version = path.stem.rpartition(".")
        found[name] = tuple(sorted((*found.get(name, ()), int(version))))
    return found


@cache
def _content(name: str, version: int) -> Mapping[str, Any]:
    # Read once in a process: a version of a layout never changes.
    return tomllib.loads((FOLDER / f"{name}.{version}.toml").read_text(encoding="utf-8"))
