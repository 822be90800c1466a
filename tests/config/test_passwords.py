"""Which passwords are taken is the same at every door: how long, and none that is guessed first; of which characters, nobody asks."""

from collections.abc import Callable
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.test import Client
from django.urls import reverse

from config.doors.signing.passwords import is_guessed
from ledger_app import errors
from ledger_app.models import User
from ledger_app.people.operations import people
from tests.conftest import CallerMaker, UserMaker

GOOD = "seven green otters 確"
BAD = {
    "short": "otters-seve",
    "too long": "seven green otters " * 7,
    "the name": "anneliese-01",
    "common": "1234567890qwerty",
    "common with digits": "Password-2026",
    "repeated": "princessprincess",
    "a row": "234567890123",
    "this place": "Kakutei-2026!!",
    "few characters": "ababababcabab",
}
NAME = "anneliese"


@pytest.mark.parametrize(
    "text", ["correct horse battery staple", "a-long-password-of-yours", "zanzibar verlobt", "a ledger of seven otters"]
)
def test_a_long_phrase_is_taken_whatever_it_is_written_in(text: str) -> None:
    assert not is_guessed(text)


@pytest.mark.anywhere
@pytest.mark.django_db
def test_every_door_refuses_what_is_guessed_first(
    make_user: UserMaker, caller_of: CallerMaker, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = make_user("root-1", None, is_superuser=True)
    root.is_staff = True
    root.set_password(GOOD)
    root.save()
    User.objects.create_user("there-already", password=GOOD)
    there = User.objects.get(username="there-already")
    there.first_name = NAME
    there.save()
    caller = caller_of(root)
    client.force_login(root)

    def create_superuser(password: str) -> bool:
        monkeypatch.setenv("DJANGO_SUPERUSER_PASSWORD", password)
        try:
            call_command("createsuperuser", "--no-input", username=NAME, email="", stdout=StringIO())
        except CommandError:
            return False
        return True

    def operation(act: Callable[[str], object]) -> Callable[[str], bool]:
        def taken(password: str) -> bool:
            try:
                act(password)
            except errors.Refused as refused:
                return [reason.code for reason in refused.reasons] != ["password_weak"]
            return True

        return taken

    def page(address: str, **fields: str) -> Callable[[str], bool]:
        def taken(password: str) -> bool:
            data = {name: value.format(password=password) for name, value in fields.items()}
            return client.post(address, data).status_code == 302

        return taken

    twice = {"password1": "{password}", "password2": "{password}"}
    doors = {
        "createsuperuser": create_superuser,
        "register": operation(lambda password: people.register(username=NAME, password=password, group="support", caller=caller)),
        "keep_user": operation(lambda password: people.keep_user(username=NAME, groups=[], password=password, caller=caller)),
        "add": page(reverse("admin:ledger_app_user_add"), username=NAME, usable_password="true", **twice),
        "set": page(reverse("admin:auth_user_password_change", args=[there.pk]), usable_password="true", **twice),
        "change": page(
            reverse("admin:password_change"), old_password=GOOD, new_password1="{password}", new_password2="{password}"
        ),
    }
    root.first_name = NAME
    root.save()
    taken = {(door, bad) for door, takes in doors.items() for bad, password in BAD.items() if takes(password)}
    assert taken == set()
    for takes in (doors["set"], doors["change"], doors["register"]):
        assert takes(f"{GOOD} 2")
