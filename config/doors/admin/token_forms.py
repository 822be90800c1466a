"""The forms of tokens: what one is for, for how long, and how long the one before stays good."""

from collections.abc import Iterable
from datetime import timedelta
from typing import Any, Final

from django import forms
from django.conf import settings
from django.contrib.auth.models import Permission
from django.core.validators import MaxValueValidator
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from ledger_app.base.operations.audit import Caller
from ledger_app.models import Book, Token
from ledger_app.rights.operations import tokens
from ledger_app.rights.operations.tokens import Issued
from ledger_app.values import tokens as rules

DAYS_USUAL: Final = 90
OVERLAP_USUAL: Final = 7


class Life(forms.Form):
    """For how long."""

    days = forms.IntegerField(label=_("Good for how many days"), min_value=rules.DAYS_LEAST)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        """Bound it by the setting."""
        super().__init__(*args, **kwargs)
        most: int = settings.KAKUTEI_TOKEN_DAYS
        days: Any = self.fields["days"]
        days.max_value, days.initial = most, min(DAYS_USUAL, most)
        days.widget.attrs["max"] = most
        days.validators.append(MaxValueValidator(most))


class IssueForm(Life):
    """What a token is for."""

    name = forms.CharField(
        label=_("Name"), max_length=rules.NAME_MOST, help_text=_("What the program is called, such as “till 4”.")
    )
    is_all = forms.BooleanField(label=_("Everything that the user may do"), required=False, help_text=_("Now and later."))
    operations = forms.MultipleChoiceField(
        label=_("Only these operations"),
        required=False,
        widget=forms.CheckboxSelectMultiple,
        help_text=_("With none of them it only reads, and what its user reads."),
    )
    books = forms.MultipleChoiceField(
        label=_("Only these books"),
        required=False,
        widget=forms.CheckboxSelectMultiple,
        help_text=_("With none of them it reaches every book."),
    )
    field_order = ("user", "name", "days", "is_all", "operations", "books")

    def __init__(self, *args: Any, may: Iterable[str], **kwargs: Any) -> None:
        """Offer what may be chosen: rights by their names, and the books."""
        super().__init__(*args, **kwargs)
        chosen: Any = self.fields["operations"]
        chosen.choices = named_rights(rules.acts(may))
        of_books: Any = self.fields["books"]
        of_books.choices = [(book.code, f"{book.code} – {book.name}") for book in Book.objects.order_by("code")]

    def clean(self) -> dict[str, Any]:
        """Ask for one of two: everything, or some."""
        said: dict[str, Any] = super().clean() or self.cleaned_data
        if said.get("is_all") and said.get("operations"):
            self.add_error("is_all", gettext("Choose everything, or some operations."))
        return said

    def issue(self, username: str, caller: Caller) -> Issued:
        """Call the operation."""
        said = self.cleaned_data
        return tokens.issue(
            username=username,
            name=said["name"],
            operations=None if said["is_all"] else said["operations"],
            books=said["books"] or None,
            ends_at=caller.at + timedelta(days=said["days"]),
            days_most=settings.KAKUTEI_TOKEN_DAYS,
            caller=caller,
        )


class ReplaceForm(Life):
    """How long the token before stays good beside the one that replaces it."""

    overlap = forms.IntegerField(
        label=_("The old one stays good for how many days"),
        min_value=0,
        max_value=365,
        initial=OVERLAP_USUAL,
        help_text=_(
            "Have the program read the new key meanwhile. The old one ends no later than it would by itself; with 0 it ends at once."
        ),
    )

    def replace(self, token: Token, caller: Caller) -> Issued:
        """Call the operation."""
        said = self.cleaned_data
        return tokens.replace(
            token_id=token.pk,
            old_ends_at=min(caller.at + timedelta(days=said["overlap"]), max(token.ends_at, caller.at)),
            ends_at=caller.at + timedelta(days=said["days"]),
            days_most=settings.KAKUTEI_TOKEN_DAYS,
            caller=caller,
        )


def named_rights(codes: list[str]) -> list[tuple[str, str]]:
    """Return rights with what people call them."""
    rows = Permission.objects.select_related("content_type").order_by("pk")
    names = {f"{each.content_type.app_label}.{each.codename}": each.name for each in rows}
    return [(code, gettext(names.get(code, code))) for code in codes]


def scope_text(token: Token) -> tuple[str, str]:
    """Return in words what a token does and which books it reaches."""
    if token.operations is None:
        does = gettext("everything that the user may do")
    else:
        does = "; ".join(name for _code, name in named_rights(token.operations)) or gettext("only reads")
    return does, ", ".join(token.books) if token.books is not None else gettext("all")
