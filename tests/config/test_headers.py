"""What every answer carries, what requests are called, which machine is answered, and how much is logged."""

import json
import logging
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.test import Client

from ledger_app.models import AuditRow, User
from tests.conftest import issue_token

ADDRESSES = (
    "/",
    "/admin/",
    "/admin/login/",
    "/admin/nowhere/",
    "/nowhere",
    "/api",
    "/api/v1/books/",
    "/api/v1/nowhere/",
    "/api/v1/docs/",
)
CARD = "4111-1111-1111-1111"


@pytest.mark.django_db
@pytest.mark.parametrize("address", ADDRESSES)
@pytest.mark.parametrize("is_signed_in", [False, True])
def test_no_answer_is_kept_by_those_it_goes_through(engineer: User, address: str, *, is_signed_in: bool) -> None:
    client = Client()
    if is_signed_in:
        client.force_login(engineer)
    for method in ("get", "head", "options", "post"):
        answer = getattr(client, method)(address)
        assert "no-store" in answer["Cache-Control"], (method, address, answer.status_code)


@pytest.mark.anywhere
@pytest.mark.django_db
@pytest.mark.parametrize("address", ADDRESSES)
@pytest.mark.parametrize("is_signed_in", [False, True])
def test_every_answer_tells_browsers_what_they_may_do_with_it(engineer: User, address: str, *, is_signed_in: bool) -> None:
    client = Client()
    if is_signed_in:
        client.force_login(engineer)
    for method in ("get", "post"):
        answer = getattr(client, method)(address)
        policy = dict(each.strip().partition(" ")[::2] for each in answer["Content-Security-Policy"].split(";"))
        for directive in ("default-src", "object-src", "base-uri", "frame-ancestors"):
            assert policy[directive] == "'none'", (method, address)
        assert "unsafe" not in answer["Content-Security-Policy"]
        assert answer["X-Content-Type-Options"] == "nosniff"
        assert answer["Referrer-Policy"] == "same-origin"
        assert not answer.has_header("Access-Control-Allow-Origin")
        if answer.content:
            kind = answer["Content-Type"]
            assert kind in {"text/html; charset=utf-8", "application/json", "application/problem+json"}, (method, address)


@pytest.mark.anywhere
@pytest.mark.django_db
@pytest.mark.parametrize("elsewhere", ["https://elsewhere.example/", "//elsewhere.example/", "javascript:alert(1)"])
def test_nobody_is_sent_to_another_host(engineer: User, elsewhere: str) -> None:
    engineer.set_password("seven green otters")
    engineer.save()
    said = {"username": engineer.username, "password": "seven green otters", "next": elsewhere}
    for address in ("/admin/login/", "/i18n/setlang/", "/admin/logout/"):
        answer = Client().post(address, {**said, "language": "ja"})
        assert "elsewhere" not in answer.get("Location", "")
        assert "javascript" not in answer.get("Location", "")


@pytest.mark.django_db
@pytest.mark.parametrize("address", [each for each in ADDRESSES if each.startswith("/api")])
@pytest.mark.parametrize(
    "odd",
    [
        {"HTTP_HOST": "elsewhere.example"},
        {"HTTP_TRANSFER_ENCODING": "chunked"},
        {"HTTP_EXPECT": "much"},
        {"HTTP_ACCEPT": "image/png"},
        {"CONTENT_LENGTH": "x"},
        {"REMOTE_ADDR": "192.0.2.1"},
    ],
    ids=lambda odd: next(iter(odd)),
)
def test_every_error_under_api_is_a_problem(engineer: User, address: str, odd: dict[str, str]) -> None:
    client = Client(headers={"Authorization": f"Token {issue_token(engineer)}"})
    for method in ("get", "put", "post", "delete"):
        answer = getattr(client, method)(address, **odd)
        if answer.status_code >= 400:
            said = answer.json()
            assert answer["Content-Type"] == "application/problem+json"
            assert (said["status"], said["type"]) == (answer.status_code, f"urn:kakutei:{said['code']}")
            assert said["title"]
            assert said["detail"]


@pytest.mark.django_db
def test_a_session_needs_its_token_in_a_header(engineer: User) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(engineer)
    client.cookies["csrftoken"] = "a" * 32
    address = "/api/v1/members/find/"
    assert client.post(address, {"text": "1"}, "application/json").json()["code"] == "not_permitted"
    form = client.post("/api/v1/batches/", {"csrfmiddlewaretoken": "a" * 32})
    assert (form.status_code, form.json()["code"]) == (403, "not_permitted")
    sent = client.post(address, {"text": "1"}, "application/json", headers={"X-CSRFToken": "a" * 32})
    assert sent.status_code in {200, 400}


@pytest.mark.parametrize("address", ["192.0.2.1", "10.0.0.1", "::ffff:192.0.2.1", "2001:db8::1", "?"])
def test_another_machine_is_not_answered_by_a_server_that_was_told_nothing(settings: Any, address: str) -> None:
    assert Client().get("/admin/login/", REMOTE_ADDR=address).status_code == 403
    assert Client().get("/api/v1/books/", REMOTE_ADDR=address).json()["code"] == "not_permitted"


@pytest.mark.django_db
@pytest.mark.parametrize("address", ["127.0.0.1", "127.1.2.3", "::1", ""])
def test_this_machine_is_answered(address: str) -> None:
    assert Client().get("/admin/login/", REMOTE_ADDR=address).status_code == 200


@pytest.mark.django_db
def test_another_machine_is_answered_by_a_server_that_was_told_what_it_is_for(settings: Any) -> None:
    settings.KAKUTEI_ANSWERS_OTHER_MACHINES = True
    assert Client().get("/admin/login/", REMOTE_ADDR="192.0.2.1").status_code == 200


@pytest.mark.parametrize("name", ["a", "a" * 64, "0b64f0f2-6e0b-4d68-9f0c-d63a33c05d06", "req_1.2-3"])
def test_a_name_that_is_safe_is_kept(db: None, name: str) -> None:
    assert Client().get("/api/v1/books/", headers={"X-Request-Id": name})["X-Request-Id"] == name


@pytest.mark.parametrize(
    "name",
    [
        "",
        " ",
        "a" * 65,
        "a b",
        "a\nb",
        "a\x00",
        "<script>",
        '"',
        "a,b",
        "é",
        "名",
        "../x",
        "{}",
        "=1+1",
        CARD,
        CARD.replace("-", ""),
    ],
)
def test_a_name_that_is_not_safe_is_replaced(db: None, capfd: pytest.CaptureFixture[str], name: str) -> None:
    answer = Client().get("/api/v1/books/", HTTP_X_REQUEST_ID=name, HTTP_X_CORRELATION_ID=name)
    made = answer["X-Request-Id"]
    assert made != name
    assert len(made) == 36
    assert len(name) < 3 or name not in capfd.readouterr().err


@pytest.mark.django_db
def test_the_audit_keeps_the_name_that_the_answer_bears(auditor: User) -> None:
    refused = Client().post("/api/v1/batches/", {"source": "till"}, headers={"Authorization": f"Token {issue_token(auditor)}"})
    assert refused.status_code == 403
    assert AuditRow.objects.latest("id").request == refused["X-Request-Id"]


@pytest.mark.django_db
def test_a_program_that_sends_without_encryption_is_refused_and_a_page_is_led_on(auditor: User, settings: Any) -> None:
    settings.SECURE_SSL_REDIRECT = True
    token = {"Authorization": f"Token {issue_token(auditor)}"}
    client = Client()
    for method in (client.get, client.post):
        refused = method("/api/v1/books/", headers=token)
        assert (refused.status_code, refused["Content-Type"]) == (403, "application/problem+json")
        assert refused.json()["code"] == "https_required"
        assert "Location" not in refused
    assert client.get("/api/v1/books/", headers=token, secure=True).status_code == 200
    led = client.get("/admin/login/")
    assert (led.status_code, led["Location"]) == (301, "https://testserver/admin/login/")
    assert not AuditRow.objects.filter(outcome="refused").exists()


@pytest.mark.django_db
def test_whoever_signs_out_leaves_nothing_in_the_browser(auditor: User) -> None:
    client = Client()
    client.force_login(auditor)
    assert "Clear-Site-Data" not in client.get("/admin/")
    left = client.post("/admin/logout/")
    assert left["Clear-Site-Data"] == '"cache", "storage"'
    assert client.get("/admin/").status_code == 302


@pytest.mark.django_db
def test_a_session_outlives_the_key_it_was_signed_under(auditor: User, settings: Any) -> None:
    client = Client()
    client.force_login(auditor)
    settings.SECRET_KEY_FALLBACKS, settings.SECRET_KEY = [settings.SECRET_KEY], "k" * 64
    assert client.get("/admin/").status_code == 200
    settings.SECRET_KEY_FALLBACKS = []
    # Signed anew under the key that is there now: the old one may go.
    assert client.get("/admin/").status_code == 200
    settings.SECRET_KEY = "l" * 64
    assert client.get("/admin/").status_code == 302


# As in a worker of gunicorn: its own logging is set up first, then Django's; and every package that the application loads is there.
LOGS = """
import logging, runpy, django
from gunicorn.config import Config
from gunicorn.glogging import Logger
served = Config()
for name, value in runpy.run_path("config/gunicorn_conf.py").items():
    if name in served.settings:
        served.set(name, value)
Logger(served)
django.setup()
import django.core.handlers.wsgi, django_tasks_db.management.commands.db_worker, django_structlog.middlewares, rest_framework, whitenoise
import axes.handlers.database, axes.signals, config.urls, config.wsgi, config.buffered_worker, fido2.server, drf_spectacular.views, MySQLdb
django_tasks_db.management.commands.db_worker.logger.setLevel(logging.DEBUG)
names = sorted(name for name, found in logging.root.manager.loggerDict.items() if isinstance(found, logging.Logger))
for name in ["a.library.that.nobody.knows", *names]:
    for level in (logging.DEBUG, logging.INFO, logging.WARNING, logging.ERROR):
        logging.getLogger(name).log(level, "said")
print(" ".join(names))
"""


@pytest.mark.anywhere
@pytest.mark.parametrize("level", ["DEBUG", "INFO", "WARNING", "ERROR"])
def test_every_library_logs_at_the_level_that_is_set(level: str) -> None:
    environment = {"DJANGO_SETTINGS_MODULE": "config.settings", "LOG_LEVEL": level, "PATH": "/usr/bin"}
    done = subprocess.run(
        [sys.executable, "-c", LOGS], cwd=Path(settings.BASE_DIR), env=environment, capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 0, done.stderr
    numbers = logging.getLevelNamesMapping()
    expected = {name for name in ("debug", "info", "warning", "error") if numbers[name.upper()] >= numbers[level]}
    by_name: dict[str, set[str]] = {name: set() for name in done.stdout.split()}
    for line in map(json.loads, done.stderr.splitlines()):
        by_name.setdefault(line["logger"], set()).add(line["level"])
    known = {
        "a.library.that.nobody.knows",
        "axes",
        "django.request",
        "django.server",
        "fido2",
        "gunicorn.access",
        "gunicorn.error",
    }
    assert {name for name in known if not any(f"{each}.".startswith(f"{name}.") for each in by_name)} == set()
    assert {name: said for name, said in by_name.items() if said != expected} == {}
