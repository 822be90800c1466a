"""The pages that open books, their months and accounts, say which accounts members get, and register members."""

import io
from collections.abc import Mapping
from functools import partial
from typing import Any
from zoneinfo import available_timezones

from django import forms
from django.contrib.admin import ModelAdmin
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html_join
from django.utils.safestring import SafeString
from django.utils.text import format_lazy
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _

from config.doors.admin.model_admin import list_url, url_of
from config.doors.requests.bodies import ROUND_FILES_BYTES, takes_files
from ledger_app.admin import form_pages
from ledger_app.admin.amount_field import AmountField
from ledger_app.admin.form_pages import Found, Page
from ledger_app.admin.reports import REPORTS, reads_reports
from ledger_app.admin.setting_changes import reason_field, tell_proposed
from ledger_app.base.operations.audit import Caller
from ledger_app.books.operations import books
from ledger_app.members.operations import opening, registering
from ledger_app.models import Account, Book, Holder, User
from ledger_app.rights.queries.rights import rights_of
from ledger_app.setting_changes import operations as setting_changes

FILE_BYTES_MOST = 5_000_000
LINE_BYTES = 66_000
MONTHS_MOST = 60


def may(request: HttpRequest, right: str) -> bool:
    """Whether the user has a right."""
    return isinstance(request.user, User) and right in rights_of(request.user)


class BookForm(forms.Form):
    """A book."""

    code = forms.CharField(label=_("Code"), max_length=books.SHORT_CODE_MOST)
    name = forms.CharField(label=_("Name"), max_length=100)
    unit = forms.CharField(label=_("Unit"), max_length=books.UNIT_MOST, help_text=_("JPY, USD, points …"))
    exponent = forms.IntegerField(label=_("Decimals of the unit"), min_value=0, max_value=books.EXPONENT_MOST, initial=0)
    time_zone = forms.CharField(label=_("Time zone"), max_length=64, help_text=_("It says what a date is: Asia/Tokyo, UTC …"))

    def clean_time_zone(self) -> str:
        """Take a zone that is known."""
        zone = str(self.cleaned_data["time_zone"])
        if zone not in available_timezones():
            raise forms.ValidationError(gettext("There is no such time zone."))
        return zone


class MonthsForm(forms.Form):
    """Months of a book."""

    first = forms.DateField(label=_("First month"), input_formats=["%Y-%m"], help_text=_("As 2027-01"))
    months = forms.IntegerField(label=_("How many months"), min_value=1, max_value=MONTHS_MOST, initial=12)


class TemplateForm(forms.Form):
    """An account that each member gets."""

    role = forms.CharField(label=_("Role"), max_length=books.ROLE_MOST)
    category = forms.ChoiceField(label=_("Category"), choices=[("", "–"), *Account.Category.choices])
    reason = reason_field()

    field_order = ("role", "category", "floor", "reason")

    def __init__(self, book: Book, data: Any = None) -> None:
        """Ask for the floor in the unit of a book."""
        super().__init__(data)
        self.fields["floor"] = AmountField(
            book.exponent,
            label=_("Floor"),
            required=False,
            help_text=format_lazy(_("{unit}; 0 where nobody may spend what they have not"), unit=book.unit),
        )
        self.order_fields(self.field_order)


class FileForm(forms.Form):
    """A file that is small enough for a page."""

    file = forms.FileField(label=_("File"), help_text=_("At most 5 MB; a larger one is taken by the command."))

    def clean_file(self) -> Any:
        """Refuse what a request should not wait for."""
        if self.cleaned_data["file"].size > FILE_BYTES_MOST:
            raise forms.ValidationError(gettext("The file is larger than 5 MB. Use the command."))
        return self.cleaned_data["file"]


class BookPages:
    """The pages of the books: added to the addresses of their admin."""

    def __init__(self, admin: ModelAdmin[Book]) -> None:
        """Serve the books of an admin."""
        self._admin = admin

    def urls(self) -> list[URLPattern]:
        """Return the addresses."""
        view = self._admin.admin_site.admin_view
        return [
            path("open/", view(self.open_book), name="ledger_app_book_open"),
            path("<int:pk>/periods/", view(self.open_months), name="ledger_app_book_periods"),
            path("<int:pk>/accounts/", view(self.open_accounts), name="ledger_app_book_accounts"),
            path("<int:pk>/template/", view(self.set_template), name="ledger_app_book_template"),
        ]

    def links(self, request: HttpRequest, book: Book) -> SafeString | str:
        """Return the links to the pages of a book, for a user who may."""
        pages: list[tuple[str, Any]] = [("reports", REPORTS)] if reads_reports(request.user) else []
        if may(request, books.OPEN):
            pages += [
                ("periods", gettext("Open periods")),
                ("accounts", gettext("Open accounts")),
                ("template", gettext("Say which accounts members get")),
            ]
        each = ((reverse(f"admin:ledger_app_book_{name}", args=[book.pk]), label) for name, label in pages)
        return format_html_join(" ", '<a class="press press-inline" href="{}">{}</a>', each)

    def open_book(self, request: HttpRequest) -> HttpResponse:
        """Ask for a book, and open it."""
        self._check(request)

        def act(said: Mapping[str, Any], caller: Caller) -> str:
            book, is_new, _changed = books.keep_book(caller=caller, **said)
            told = (
                gettext("Book {book} is open.")
                if is_new
                else gettext("Book {book} was there as it is said here. Nothing was written.")
            )
            return told.format(book=book)

        lead = _("A book is in one unit for ever: unit, decimals and zone cannot be changed afterwards.")
        page = Page(_("Open a book"), lead, list_url(Book))
        return form_pages.ask(self._admin, request, page=page, form=BookForm(request.POST or None), act=act)

    def open_months(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Ask for months, and open them."""
        book = self._book(request, pk)

        def act(said: Mapping[str, Any], caller: Caller) -> str:
            found = opening.open_months(book=book, caller=caller, **said)
            told = {"opened": ", ".join(found.opened) or "–", "there": ", ".join(found.there) or "–"}
            return gettext("Opened: {opened}. Were there: {there}.").format(**told)

        lead = _("Each month is a period of the book. Months follow each other, and those that are there stay as they are.")
        page = Page(_("Open periods"), lead, url_of(book), place=str(book))
        return form_pages.ask(self._admin, request, page=page, form=MonthsForm(request.POST or None), act=act)

    @takes_files(right=books.OPEN, bytes_most=lambda: FILE_BYTES_MOST + ROUND_FILES_BYTES)
    def open_accounts(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Ask for a file of accounts, and open them."""
        book = self._book(request, pk)

        def act(said: Mapping[str, Any], caller: Caller) -> str:
            openings, findings = opening.read_accounts(iter(partial(said["file"].readline, LINE_BYTES), b""))
            if findings:
                raise Found(findings)
            opened = books.open_accounts(book=book, openings=openings, caller=caller)
            told = {"opened": opened, "there": len(openings) - opened}
            return gettext("{opened} accounts are open now, {there} were there.").format(**told)

        lead = _("A CSV whose first line names the columns: code, role, category, and where they are wanted floor and stripes.")
        form = FileForm(request.POST or None, request.FILES or None)
        return form_pages.ask(
            self._admin, request, page=Page(_("Open accounts"), lead, url_of(book), place=str(book)), form=form, act=act
        )

    def set_template(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Ask for a template, and propose it."""
        book = self._book(request, pk)

        def act(said: Mapping[str, Any], caller: Caller) -> str:
            given = {"book": book.code, **{name: value for name, value in said.items() if name != "reason"}}
            return tell_proposed(
                setting_changes.propose(kind="template", arguments=given, reason=str(said["reason"]), caller=caller)
            )

        lead = _("Whoever is registered from now on is opened an account of this role. Accounts that are open stay as they are.")
        page = Page(_("Say which accounts members get"), lead, url_of(book), place=str(book))
        return form_pages.ask(self._admin, request, page=page, form=TemplateForm(book, request.POST or None), act=act)

    def _check(self, request: HttpRequest) -> None:
        if not may(request, books.OPEN):
            raise PermissionDenied

    def _book(self, request: HttpRequest, pk: int) -> Book:
        self._check(request)
        book = Book.objects.filter(pk=pk).first()
        if book is None:
            raise Http404
        return book


class RegisterPage:
    """The page that registers members from a file."""

    def __init__(self, admin: ModelAdmin[Holder]) -> None:
        """Serve the members of an admin."""
        self._admin = admin

    def urls(self) -> list[URLPattern]:
        """Return the address."""
        view = self._admin.admin_site.admin_view(self.register)
        return [path("register/", view, name="ledger_app_holder_register")]

    def address(self, request: HttpRequest) -> str:
        """Return the address, for a user who may."""
        return reverse("admin:ledger_app_holder_register") if may(request, registering.REGISTER) else ""

    @takes_files(right=registering.REGISTER, bytes_most=lambda: FILE_BYTES_MOST + ROUND_FILES_BYTES)
    def register(self, request: HttpRequest) -> HttpResponse:
        """Ask for a file, and register its members."""
        if not may(request, registering.REGISTER):
            raise PermissionDenied

        def act(said: Mapping[str, Any], caller: Caller) -> str:
            name = str(said["file"].name)
            receipt = registering.register(stream=io.BytesIO(said["file"].read()), name=name, caller=caller)
            if receipt.finding_count:
                raise Found(receipt.findings)
            told = ngettext("{new} member is new", "{new} members are new", receipt.new).format(new=receipt.new)
            more = gettext("{there} were there, {accounts} accounts were opened.")
            return f"{told}, {more.format(there=receipt.there, accounts=receipt.accounts)}"

        lead = _(
            "A CSV whose first line names the columns: member_number, name, card_tokens, card_numbers (several parted by ;). "
            "With a finding nobody is registered."
        )
        form = FileForm(request.POST or None, request.FILES or None)
        return form_pages.ask(self._admin, request, page=Page(_("Register members"), lead, list_url(Holder)), form=form, act=act)
