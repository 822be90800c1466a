"""Profiles, their versions, and what was handed over by them."""

from functools import lru_cache

from django.db.models import Exists, OuterRef, Prefetch, QuerySet
from django.utils.translation import gettext_lazy as _

from ledger_app import errors
from ledger_app.accounting.rules import profile_toml
from ledger_app.accounting.rules.profiles import Definition
from ledger_app.base.rules import toml_text
from ledger_app.errors import exporting
from ledger_app.models import Profile, ProfileVersion
from ledger_app.values import openings


def parse(text: str) -> Definition:
    """Return what a profile's text says.

    :raises errors.Refused: profile_invalid, for each fault, with its line and what would make it pass
    """
    return toml_text.accepted(text, profile_toml.parse, exporting.ProfileRefused)


@lru_cache(maxsize=32)
def _parsed(text: str) -> Definition:
    return profile_toml.parse(text)


def definition(version: ProfileVersion) -> Definition:
    """Return what a version says."""
    return _parsed(version.text)


def newest(profile: Profile) -> ProfileVersion:
    """Return the version in force."""
    return profile.versions.select_related("profile__book").latest("number")


# The version in force of each profile, as its ``in_force``: a list of one.
NEWEST = Prefetch(
    "versions",
    ProfileVersion.objects.exclude(
        Exists(ProfileVersion.objects.filter(profile=OuterRef("profile"), number__gt=OuterRef("number")))
    ),
    to_attr="in_force",
)


def named(book: str, name: str) -> QuerySet[Profile]:
    """Return the profile of a book by its name, as rows to be locked: none where there is none."""
    if not openings.is_code(name, profile_toml.NAME_MOST):
        return Profile.objects.none()
    return Profile.objects.filter(book__code=book, name=name)


def find(book: str, name: str) -> Profile:
    """Return a profile of a book.

    :raises errors.Refused: not_found
    """
    row = named(book, name).select_related("book").first()
    if row is None:
        raise errors.Refused([errors.NotFound(what=_("profile"), name=name)])
    return row
