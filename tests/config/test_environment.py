"""Every setting that is documented: what is not understood stops the start, with a sentence that names the variable, its value and what would pass."""

import os
import re
import runpy
import secrets
import string
import subprocess
import sys
from itertools import combinations
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured

ROOT = Path(settings.BASE_DIR)
ROW = re.compile(r"^\| `([A-Z_]+)` \| (.+?) \| (.+?) \| .+ \|$", re.MULTILINE)
TOLD = {
    name: (values, unset) for name, values, unset in ROW.findall((ROOT / "docs" / "configuration.md").read_text(encoding="utf-8"))
}
BETWEEN = re.compile("a whole number from ([0-9]+) to ([0-9]+)")
NUMBERS = {name: tuple(map(int, found.groups())) for name, (values, _) in TOLD.items() if (found := BETWEEN.search(values))}
CHOICES = {
    name: re.findall("`([^`]+)`", values)
    for name, (values, _) in TOLD.items()
    if values.startswith("`") and "://" not in values and ":" not in values
}
SECRETS = {
    "SECRET_KEY",
    "SECRET_KEY_FALLBACKS",
    "KAKUTEI_CARD_KEYS",
    "KAKUTEI_FACTOR_KEYS",
    "DATABASE_URL",
    "KAKUTEI_OIDC_CLIENT_SECRET",
}
KEY = secrets.token_urlsafe(48)
CARD_KEY = "first:" + "".join(f"{number:02x}" for number in range(7, 39))
PRODUCTION = {
    "KAKUTEI_ENVIRONMENT": "production",
    "SECRET_KEY": KEY,
    "ALLOWED_HOSTS": "kakutei.example",
    "KAKUTEI_CARD_KEYS": CARD_KEY,
    "KAKUTEI_FACTOR_KEYS": CARD_KEY,
}


ZEROS = "0" * 64
ODD = {
    "ALLOWED_HOSTS": (
        " ",
        "a b",
        "https://kakutei.example",
        "kakutei.example:8000",
        "*.kakutei.example",
        ".example",
        "a,,b",
        "a, b",
    ),
    "SECRET_KEY_FALLBACKS": ("a,,b", "a,a", "a,"),
    "CSRF_TRUSTED_ORIGINS": (" ", "kakutei.example", "https://", "https://kakutei.example/", "ftp://a", "https://a, https://b"),
    "KAKUTEI_WEBHOOK_HOSTS": (
        " ",
        "a b",
        "https://receiver.example",
        "Receiver.example",
        "*",
        ".example",
        "a,,b",
        "a, b",
        "a:x",
        "a/b",
    ),
    "DATABASE_URL": (
        *("", "x", "sqlite", "sqlite://", "postgres://a/b", "mysql://", "mysql://u:hunter2@h:33o6/k", "mysql://u:hunter2@h"),
        "mysql://u:hunter2@h/k l",
    ),
    "KAKUTEI_OIDC_ISSUER": (
        *(" ", "x", "login.example", "http://login.example", "ftp://login.example", "https://", "https://login.example?realm=1"),
        *(
            "https://login.example#x",
            "https://user@login.example",
            "https://login.example/a b",
            "https://login.example/" + "x" * 240,
        ),
        *("https://login.example:x", " https://login.example", "HTTPS://login.example", "https://lögin.example"),
    ),
    "KAKUTEI_OIDC_CLIENT_ID": (" ", "a b", "é", "x" * 256, "a\nb"),
    "KAKUTEI_OIDC_CLIENT_SECRET": (" ", "of these tests", "é" * 20, "in-two-lines\nof-it"),
    "KAKUTEI_OIDC_FACTOR": (" ", "x", "mfa", "amr", "amr=", "=mfa", "AMR=mfa", "amr =mfa", "amr= mfa", "amr=mfa"),
    "KAKUTEI_SCANNER": (" ", "clamdscan", "./clamdscan", "/usr/bin/x 'y", " /usr/bin/x", "/usr/bin/x\n", "''"),
    "KAKUTEI_FILES_DIR": ("", " ", " /srv", str(ROOT / "manage.py")),
    "KAKUTEI_CODE_VERSION": ("", " ", "a b", "x" * 65, "é", "a\nb"),
    **dict.fromkeys(
        ("KAKUTEI_CARD_KEYS", "KAKUTEI_FACTOR_KEYS"),
        (
            *(
                " ",
                "x",
                ZEROS,
                f"name:{ZEROS[1:]}",
                f"NAME:{ZEROS}",
                f"a:{ZEROS},a:{'1' * 64}",
                f"a:{ZEROS},b:{ZEROS}",
                f"a:{ZEROS},",
            ),
            *(f"a:{'g' * 64}", f"a:{'0' * 130}"),
        ),
    ),
}


def start(monkeypatch: pytest.MonkeyPatch, **values: str) -> dict[str, Any]:
    """Read the settings as a start with these values does."""
    for name in [*TOLD, *(each for each in os.environ if each.startswith("KAKUTEI_"))]:
        monkeypatch.delenv(name, raising=False)
    for name, value in values.items():
        monkeypatch.setenv(name, value)
    return runpy.run_path(str(ROOT / "config" / "settings.py"))


def refusal(monkeypatch: pytest.MonkeyPatch, **values: str) -> str:
    """Return the sentence that a start with these values ends with."""
    with pytest.raises(ImproperlyConfigured) as refused:
        start(monkeypatch, **values)
    return str(refused.value)


def not_understood() -> list[tuple[str, str]]:
    """Return values that are none, for every setting that is documented."""
    found = []
    for name, (least, most) in NUMBERS.items():
        odd = [
            "",
            " ",
            "x",
            "1.0",
            "1e3",
            f" {least}",
            f"{least} ",
            f"+{least}",
            "-1",
            "1_0",
            "１２",
            "٣",
            "0x10",
            "NaN",
            "9" * 400,
            "true",
        ]
        found += [(name, value) for value in (*odd, str(least - 1), str(most + 1))]
    for name, choices in CHOICES.items():
        found += [
            (name, value) for value in ("", " ", "x", "1", "yes", f"{choices[0]} ", choices[0].swapcase(), ",".join(choices))
        ]
    found += [(name, value) for name, values in ODD.items() for value in values]
    return found


def test_every_setting_that_is_documented_is_tried() -> None:
    assert len(TOLD) > 15
    # Any text is a secret key in development; outside of it see below.
    assert {name for name, _ in not_understood()} == set(TOLD) - {"SECRET_KEY"}


@pytest.mark.parametrize(("name", "value"), not_understood())
def test_what_is_not_understood_stops_the_start(monkeypatch: pytest.MonkeyPatch, name: str, value: str) -> None:
    said = refusal(monkeypatch, **{name: value})
    assert said.startswith(f"{name} ")
    assert re.search("it must be|NAME:KEY|must stand", said)
    if name in SECRETS:
        assert len(value) < 10 or value not in said
        assert "hunter2" not in said
    elif name not in {"ALLOWED_HOSTS", "CSRF_TRUSTED_ORIGINS", "KAKUTEI_WEBHOOK_HOSTS"}:
        assert repr(value) in said


@pytest.mark.parametrize("name", NUMBERS)
def test_the_bounds_and_the_default_that_are_documented_are_read(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    for bound in NUMBERS[name]:
        assert start(monkeypatch, **{name: str(bound)})[name] == bound
    # Of defaults, that of development, as which this starts, stands last.
    assert re.findall("`([^`]+)`", TOLD[name][1])[-1] == str(start(monkeypatch)[name])


@pytest.mark.parametrize("name", CHOICES)
def test_every_choice_that_is_documented_is_one(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    for value in CHOICES[name]:
        start(
            monkeypatch,
            **({**PRODUCTION} if value in {"staging", "production"} else {}),
            **({} if name == "KAKUTEI_ENVIRONMENT" and value == "production" else {name: value}) if value != "staging" else {},
        )


@pytest.mark.parametrize(
    "name",
    [
        *(f"{name}{extra}" for name in TOLD for extra in ("S", "_") if name.startswith("KAKUTEI_")),
        "KAKUTEI_",
        "KAKUTEI_DEBUG",
        "KAKUTEI_WORKRES",
    ],
)
def test_a_name_that_nobody_reads_stops_the_start(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    said = refusal(monkeypatch, **{name: "1"})
    assert said.startswith(f"{name} is set, and no setting of that name is known")
    assert "KAKUTEI_WORKERS" in said


UNSAFE: dict[str, dict[str, str]] = {
    "no key": {"SECRET_KEY": ""},
    "the key of development": {"SECRET_KEY": "development-only"},
    "a short key": {"SECRET_KEY": KEY[:49]},
    "a key of one letter": {"SECRET_KEY": "x" * 64},
    "a key that Django made": {"SECRET_KEY": "django-insecure-" + KEY},
    "any host": {"ALLOWED_HOSTS": "*"},
    "any host, among others": {"ALLOWED_HOSTS": "kakutei.example,*"},
    "the card key of development": {"KAKUTEI_CARD_KEYS": f"development:{'0' * 64}"},
    "a card key of ones": {"KAKUTEI_CARD_KEYS": f"a:{'1' * 64}"},
    "a card key that repeats": {"KAKUTEI_CARD_KEYS": f"a:{'0123456789abcdef' * 4}"},
    "a weak card key behind a strong one": {"KAKUTEI_CARD_KEYS": f"{CARD_KEY},old:{'0' * 64}"},
    "the factor key of development": {"KAKUTEI_FACTOR_KEYS": f"development:{'0' * 64}"},
    "Django's error pages": {"DEBUG": "true"},
    "files wherever it is started": {"KAKUTEI_FILES_DIR": "files"},
}


@pytest.mark.parametrize("environment", ["staging", "production"])
@pytest.mark.parametrize("case", UNSAFE)
def test_what_would_be_unsafe_stops_the_start(monkeypatch: pytest.MonkeyPatch, environment: str, case: str) -> None:
    said = refusal(monkeypatch, **{**PRODUCTION, "KAKUTEI_ENVIRONMENT": environment, **UNSAFE[case]})
    assert said.startswith(next(iter(UNSAFE[case])))


def test_a_start_without_a_key_is_refused_outside_development(monkeypatch: pytest.MonkeyPatch) -> None:
    assert refusal(monkeypatch, KAKUTEI_ENVIRONMENT="production").startswith("SECRET_KEY is not set; it must be")


def test_what_is_safe_starts(monkeypatch: pytest.MonkeyPatch) -> None:
    made = start(monkeypatch, **PRODUCTION)
    assert made["KAKUTEI_ANSWERS_OTHER_MACHINES"] is True
    assert set(made["SECRET_KEY"]) <= set(string.ascii_letters + string.digits + "-_")


PROVIDER = {
    "KAKUTEI_OIDC_ISSUER": "https://login.example/realms/staff",
    "KAKUTEI_OIDC_CLIENT_ID": "kakutei",
    "KAKUTEI_OIDC_CLIENT_SECRET": "a-password-of-these-tests",
}


@pytest.mark.parametrize("given", [*combinations(PROVIDER, 1), *combinations(PROVIDER, 2)])
@pytest.mark.parametrize("around", [{}, PRODUCTION], ids=["development", "production"])
def test_half_a_provider_stops_the_start(monkeypatch: pytest.MonkeyPatch, around: dict[str, str], given: tuple[str, ...]) -> None:
    said = refusal(monkeypatch, **around, **{name: PROVIDER[name] for name in given})
    missing = [name for name in PROVIDER if name not in given]
    assert said.startswith(" and ".join(missing) + " must be set")
    assert PROVIDER["KAKUTEI_OIDC_CLIENT_SECRET"] not in said


def test_a_whole_provider_starts_and_none_is_off(monkeypatch: pytest.MonkeyPatch) -> None:
    made = start(monkeypatch, **PRODUCTION, **PROVIDER, KAKUTEI_OIDC_FACTOR="amr=mfa,acr=urn:example:gold")
    assert {name: made[name] for name in PROVIDER} == PROVIDER
    assert made["KAKUTEI_OIDC_FACTOR"] == [("amr", "mfa"), ("acr", "urn:example:gold")]
    off = start(monkeypatch, **PRODUCTION)
    assert [off[name] for name in PROVIDER] == ["", "", ""]
    assert off["KAKUTEI_OIDC_FACTOR"] == []


def test_a_provider_is_asked_unencrypted_on_this_machine_in_development_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    for host in ("127.0.0.1:8080", "localhost"):
        here = {**PROVIDER, "KAKUTEI_OIDC_ISSUER": f"http://{host}/realm", "KAKUTEI_OIDC_CLIENT_SECRET": "mine"}
        assert start(monkeypatch, **here)["KAKUTEI_OIDC_ISSUER"] == f"http://{host}/realm"
        assert refusal(monkeypatch, **PRODUCTION, **here).startswith("KAKUTEI_OIDC_ISSUER is")
    short = {**PROVIDER, "KAKUTEI_OIDC_CLIENT_SECRET": "another"}
    assert refusal(monkeypatch, **PRODUCTION, **short).startswith("KAKUTEI_OIDC_CLIENT_SECRET is not understood")
    twice = refusal(monkeypatch, **PROVIDER, KAKUTEI_OIDC_FACTOR="amr=mfa,amr=mfa")
    assert twice.startswith("KAKUTEI_OIDC_FACTOR is 'amr=mfa'; it must be")


def test_https_is_kept_for_a_year_and_for_the_names_under_the_hosts(monkeypatch: pytest.MonkeyPatch) -> None:
    made = start(monkeypatch, **PRODUCTION)
    assert (made["SECURE_HSTS_SECONDS"], made["SECURE_HSTS_INCLUDE_SUBDOMAINS"]) == (31_536_000, True)
    assert start(monkeypatch, **PRODUCTION, KAKUTEI_HSTS_SUBDOMAINS="false")["SECURE_HSTS_INCLUDE_SUBDOMAINS"] is False
    assert start(monkeypatch)["SECURE_HSTS_INCLUDE_SUBDOMAINS"] is False


def test_keys_of_before_are_as_good_as_the_key_or_stop_the_start(monkeypatch: pytest.MonkeyPatch) -> None:
    older = secrets.token_urlsafe(48)
    assert start(monkeypatch, **PRODUCTION)["SECRET_KEY_FALLBACKS"] == []
    assert start(monkeypatch, **PRODUCTION, SECRET_KEY_FALLBACKS=older)["SECRET_KEY_FALLBACKS"] == [older]
    for odd in ("short", f"{older},{older}", f"{older},", "x" * 64):
        said = refusal(monkeypatch, **PRODUCTION, SECRET_KEY_FALLBACKS=odd)
        assert said.startswith("SECRET_KEY_FALLBACKS has a key that is weak")
        assert odd not in said


def test_cookies_are_of_this_host_alone_and_scripts_read_but_one(monkeypatch: pytest.MonkeyPatch) -> None:
    made = start(monkeypatch, **PRODUCTION)
    assert made["SECURE_HSTS_SECONDS"] >= 365 * 86_400
    for cookie in ("SESSION", "CSRF", "LANGUAGE"):
        assert made[f"{cookie}_COOKIE_NAME"].startswith("__Host-")
        assert made[f"{cookie}_COOKIE_SECURE"] is True
        assert made[f"{cookie}_COOKIE_SAMESITE"] == "Lax"
        assert made.get(f"{cookie}_COOKIE_HTTPONLY", False) is (cookie != "CSRF")
        # The prefix is worth what it says only where nothing makes the cookie wider.
        assert not {f"{cookie}_COOKIE_DOMAIN", f"{cookie}_COOKIE_PATH"} & set(made)
    # Whatever else is kept between two requests is kept on the server.
    assert made["MESSAGE_STORAGE"].endswith("SessionStorage")
    assert start(monkeypatch)["SESSION_COOKIE_NAME"] == "sessionid"


@pytest.mark.parametrize(
    ("values", "answers"),
    [
        ({}, False),
        ({"SECRET_KEY": "mine"}, False),
        ({"KAKUTEI_ENVIRONMENT": "development"}, False),
        ({"KAKUTEI_ENVIRONMENT": "development", "SECRET_KEY": "mine"}, True),
    ],
)
def test_who_says_nothing_is_served_here_alone(monkeypatch: pytest.MonkeyPatch, values: dict[str, str], *, answers: bool) -> None:
    assert start(monkeypatch, **values)["KAKUTEI_ANSWERS_OTHER_MACHINES"] is answers


# What a test that drives a browser sets in its own process.
ASYNC = "DJANGO_ALLOW_ASYNC_UNSAFE"


def run(*arguments: str, **values: str) -> "subprocess.CompletedProcess[str]":
    """Run a program with these values and no others of ours."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("KAKUTEI_") and name not in {*TOLD, ASYNC}}
    return subprocess.run(
        [sys.executable, *arguments], cwd=ROOT, env={**kept, **values}, capture_output=True, text=True, timeout=60
    )


DEPLOY = ("manage.py", "check", "--deploy")


@pytest.mark.parametrize(
    "case",
    [
        *UNSAFE,
        "development",
        "no hosts",
        "no key for second factors",
        "a provider without HTTPS",
        "half a provider",
        "a slip in a name",
        "a number out of bounds",
    ],
)
@pytest.mark.serial
def test_check_deploy_ends_with_1(case: str) -> None:
    others = {
        "development": {"KAKUTEI_ENVIRONMENT": "development"},
        "no hosts": {"ALLOWED_HOSTS": ""},
        "no key for second factors": {"KAKUTEI_FACTOR_KEYS": ""},
        "a provider without HTTPS": {**PROVIDER, "KAKUTEI_HTTPS": "false"},
        "half a provider": {"KAKUTEI_OIDC_CLIENT_ID": "kakutei"},
        "a slip in a name": {"KAKUTEI_WORKRES": "2"},
        "a number out of bounds": {"KAKUTEI_WORKERS": "0"},
    }
    done = run(*DEPLOY, **{**PRODUCTION, **{**UNSAFE, **others}[case]})
    assert done.returncode == 1, done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.serial
def test_check_deploy_passes_what_the_runbook_says() -> None:
    done = run(*DEPLOY, **PRODUCTION)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("address", ["0.0.0.0:0", "[::]:0", ":8000", "192.0.2.1:80", "kakutei.example:80"])
@pytest.mark.serial
def test_a_server_that_was_told_nothing_binds_to_its_own_machine_alone(address: str) -> None:
    configured = ("-m", "gunicorn", "--config", "config/gunicorn_conf.py", "config.wsgi", "--bind", address)
    bare = ("-m", "gunicorn", "config.wsgi", "--bind", address)
    for command in (configured, bare, ("manage.py", "runserver", "--noreload", address)):
        if address == ":8000" and "runserver" in command:
            continue  # Django's word for this machine
        done = run(*command)
        # gunicorn's own word for a worker that did not begin is 3.
        assert done.returncode in {1, 3}, (command, done.stderr)
        # What this machine has no address for, nobody can bind to.
        said = ("KAKUTEI_ENVIRONMENT is not set", "not a valid", "Can't connect to")
        assert any(words in done.stderr for words in said), done.stderr


@pytest.mark.serial
def test_a_server_in_production_asks_what_check_deploy_asks() -> None:
    for configured in ((), ("--config", "config/gunicorn_conf.py")):
        done = run("-m", "gunicorn", *configured, "config.wsgi", "--bind", "127.0.0.1:0", **{**PRODUCTION, "ALLOWED_HOSTS": ""})
        assert (done.returncode, "ALLOWED_HOSTS is not set" in done.stderr) == (1 if configured else 3, True), done.stderr
