"""What a proposal is written with: a form whose amount is read in the unit of the book that it names."""

import uuid
from typing import Any

from django import forms
from django.http import HttpRequest
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from ledger_app.adjustments.queries import adjustments as queries
from ledger_app.adjustments.rules.adjustments import KEY_MOST, PROPOSE, TEXT_MOST, Proposal
from ledger_app.adjustments.rules.attachments import KINDS, StoredFile
from ledger_app.admin.amount_field import AmountField
from ledger_app.models import Account, Book, User
from ledger_app.rights.queries.rights import rights_of
from ledger_app.values.most import TICKET_MOST

ENDINGS = ",".join(f".{ending}" for ending in KINDS)


def may_propose(request: HttpRequest) -> bool:
    """Whether the user may propose."""
    return isinstance(request.user, User) and PROPOSE in rights_of(request.user)


class ManyFilesInput(forms.ClearableFileInput):
    """A chooser that takes several files."""

    template_name = "django/forms/widgets/file.html"
    allow_multiple_selected = True


class ManyFilesField(forms.FileField):
    """Several files, or none. What is in them is judged by the operation."""

    widget = ManyFilesInput

    def clean(self, data: Any, initial: Any = None) -> Any:
        """Return the files as a list."""
        del initial
        given = data if isinstance(data, list | tuple) else [data]
        return [file for file in given if file]


class ProposeForm(forms.Form):
    """A proposal as it is typed in."""

    key = forms.CharField(max_length=KEY_MOST, widget=forms.HiddenInput)
    book = forms.ChoiceField(label=_("Book"))
    account = forms.CharField(label=_("Account"), max_length=64, help_text=_("The whole code of the account"))
    amount = forms.CharField(
        label=_("Amount"), max_length=30, help_text=_("In the unit of the book; with a minus sign where the balance is to fall")
    )
    effective_on = forms.DateField(
        label=_("Date"), input_formats=["%Y-%m-%d"], widget=forms.DateInput(format="%Y-%m-%d", attrs={"type": "date"})
    )
    reason = forms.ChoiceField(label=_("Reason code"))
    text = forms.CharField(label=_("Why"), max_length=TEXT_MOST, widget=forms.Textarea(attrs={"rows": 3}))
    ticket = forms.CharField(label=_("Ticket"), max_length=TICKET_MOST, required=False)
    waives_floor = forms.BooleanField(
        label=_("Break the floor"),
        required=False,
        help_text=_("Only where the reason code allows it; whoever decides sees that it does"),
    )
    attached = ManyFilesField(
        label=_("Attachments"), required=False, widget=ManyFilesInput(attrs={"accept": ENDINGS}), help_text=", ".join(KINDS)
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        """Offer the books and the reason codes that are in use."""
        super().__init__(*args, **kwargs)
        self._books = {book.code: book for book in Book.objects.order_by("code")}
        choices = [(code, f"{code} · {book.unit}") for code, book in self._books.items()]
        self.fields["book"].choices = choices  # type: ignore[attr-defined]  # a field of choices
        reasons = [(reason.code, f"{reason.code} · {reason.name}") for reason in queries.reasons_in_use()]
        self.fields["reason"].choices = reasons  # type: ignore[attr-defined]  # a field of choices

    def clean(self) -> dict[str, Any]:
        """Read the amount in the unit of the book."""
        said: dict[str, Any] = super().clean() or {}
        book = self._books.get(said.get("book", ""))
        if book is not None and "amount" in said:
            try:
                said["amount"] = AmountField(book.exponent).clean(said["amount"])
            except forms.ValidationError as error:
                self.add_error("amount", error)
        return said

    def proposal(self, attachments: tuple[StoredFile, ...]) -> Proposal:
        """Return what was typed in, as it is proposed."""
        said = {name: value for name, value in self.cleaned_data.items() if name != "attached"}
        # A browser sends line ends as carriage return and line feed.
        return Proposal(**{**said, "text": said["text"].replace("\r\n", "\n")}, attachments=attachments)


def beginning(account: Account | None, today: Any) -> dict[str, Any]:
    """Return what a new form begins with: a key of its own, the account where one was named, today."""
    said: dict[str, Any] = {"key": uuid.uuid4().hex, "effective_on": today}
    if account is not None:
        said |= {"book": account.book.code, "account": account.code}
    return said


def summed_up(form: ProposeForm, book: Book) -> list[tuple[Any, Any]]:
    """Return what was typed in as (label, value), for the page that asks before it is sent."""
    said = form.cleaned_data
    return [
        (_("Book"), book.code),
        (_("Account"), said["account"]),
        (_("Date"), said["effective_on"].isoformat()),
        (_("Reason code"), said["reason"]),
        (_("Why"), said["text"]),
        (_("Ticket"), said["ticket"] or "–"),
        (_("Break the floor"), gettext("yes") if said["waives_floor"] else gettext("no")),
    ]
