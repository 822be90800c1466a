"""Two names that differ in case, width or what cannot be seen are one name, on every database and at every door."""

import unicodedata

import pytest
from django.contrib.auth import authenticate
from django.core.exceptions import ValidationError
from django.db import IntegrityError, connection, transaction
from django.test import RequestFactory

from ledger_app import errors
from ledger_app.models import User
from ledger_app.people.operations import people
from ledger_app.values import names
from tests.conftest import CallerMaker, UserMaker

GOOD = "seven-green-otters"
# Each is what a person would take for "erika".
FORMS = ("Erika", "ERIKA", "\uff25rik\uff41", "eri\u200bka", "\u3164erika", "e\u00adrika\u2060", "\ufefferika", " erika ")


def test_folding_is_stable_for_every_character() -> None:
    letters = (chr(number) for number in range(0x110000))
    assert [each for each in letters if names.fold(names.fold(each)) != names.fold(each)] == []


def test_what_cannot_be_seen_is_of_no_name() -> None:
    assert {names.fold(form) for form in FORMS} == {"erika"}
    assert names.fold("\u3164\u200b\u2060") == ""
    assert names.fold("STRASSE") == names.fold("stra\u00dfe")
    assert names.fold("e\u0301rika") == names.fold(unicodedata.normalize("NFC", "e\u0301rika")) != names.fold("erika")


@pytest.mark.django_db
@pytest.mark.parametrize("form", FORMS)
def test_a_second_user_of_one_name_is_refused_by_the_model_and_the_database(form: str) -> None:
    User.objects.create_user("erika", password=GOOD)
    with pytest.raises(ValidationError, match="erika"):
        User(username=form).clean()
    with pytest.raises(IntegrityError), transaction.atomic():
        User(username=form).save()
    with pytest.raises(IntegrityError), transaction.atomic():
        User.objects.bulk_create([User(username=form)])


@pytest.mark.django_db
def test_the_database_itself_holds_a_name_and_its_folded_form_together() -> None:
    user = User.objects.create_user("erika", password=GOOD)
    for said in ({"username": "fumiko"}, {"username_folded": "fumiko"}, {"username_folded": ""}):
        with pytest.raises(IntegrityError), transaction.atomic():
            User.objects.filter(pk=user.pk).update(**said)
    with pytest.raises(IntegrityError), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("UPDATE ledger_app_user SET username = 'Fumiko' WHERE id = %s", [user.pk])
    user.username = "Fumiko"
    user.save()
    assert User.objects.named("\uff46umiko").get() == user


@pytest.mark.django_db
@pytest.mark.parametrize("form", ["erika", "ERIKA", "\uff25rik\uff41"])
def test_whoever_logs_in_may_write_the_name_in_any_form(form: str) -> None:
    user = User.objects.create_user("Erika", password=GOOD)
    assert authenticate(RequestFactory().post("/"), username=form, password=GOOD) == user


@pytest.mark.django_db
def test_a_command_that_keeps_a_user_finds_the_one_of_that_name(make_user: UserMaker, caller_of: CallerMaker) -> None:
    keeper = caller_of(make_user("root-1", None, is_superuser=True))
    made = people.keep_user(username="erika", groups=["support"], caller=keeper, password=GOOD).user
    again, is_changed, *_rest = people.keep_user(username="ERIKA", groups=["finance"], caller=keeper)
    assert (again.pk, again.username, is_changed) == (made.pk, "erika", True)
    with pytest.raises(errors.Refused) as caught:
        people.keep_user(username="\u3164", groups=[], caller=keeper)
    assert [reason.code for reason in caught.value.reasons] == ["name_invalid"]
