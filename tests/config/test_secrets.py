"""What is secret may lie in a file of its own, so that a unit of systemd is given what it needs and no more; and the way to the database."""

import os
import runpy
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured

from config.checks import check_deployment
from tests.config.test_environment import CARD_KEY, KEY, PROVIDER, SECRETS, TOLD, start

SOCKET = "mysql://kakutei@/kakutei?unix_socket=/run/mysqld/mysqld.sock"
VALUES = {
    "SECRET_KEY": KEY,
    "SECRET_KEY_FALLBACKS": KEY[::-1],
    "KAKUTEI_CARD_KEYS": CARD_KEY,
    "KAKUTEI_FACTOR_KEYS": CARD_KEY,
    "DATABASE_URL": SOCKET,
    "KAKUTEI_OIDC_CLIENT_SECRET": PROVIDER["KAKUTEI_OIDC_CLIENT_SECRET"],
}
AROUND = {"KAKUTEI_ENVIRONMENT": "production", "ALLOWED_HOSTS": "kakutei.example"}
BESIDE = {"KAKUTEI_OIDC_CLIENT_SECRET": {name: PROVIDER[name] for name in ("KAKUTEI_OIDC_ISSUER", "KAKUTEI_OIDC_CLIENT_ID")}}


def started(monkeypatch: pytest.MonkeyPatch, **values: str) -> dict[str, Any]:
    for name in SECRETS:
        monkeypatch.delenv(f"{name}_FILE", raising=False)
    return start(monkeypatch, **values)


def refused(monkeypatch: pytest.MonkeyPatch, **values: str) -> str:
    with pytest.raises(ImproperlyConfigured) as error:
        started(monkeypatch, **values)
    return str(error.value)


def test_every_secret_has_its_file_and_nothing_else_has() -> None:
    assert set(VALUES) == SECRETS
    said = (Path(settings.BASE_DIR) / "docs" / "configuration.md").read_text(encoding="utf-8")
    assert [name for name in sorted(TOLD) if f"`{name}_FILE`" in said] == sorted(SECRETS)


@pytest.mark.parametrize("end", ["", "\n", "\r\n"])
@pytest.mark.parametrize("name", sorted(SECRETS))
def test_a_secret_in_a_file_is_as_good_as_one_in_the_environment(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, name: str, end: str
) -> None:
    key = {} if name == "SECRET_KEY" else {"SECRET_KEY": KEY}
    around = {**AROUND, **key, **BESIDE.get(name, {})}
    place = tmp_path / "secret"
    place.write_bytes((VALUES[name] + end).encode())
    by_file = started(monkeypatch, **around, **{f"{name}_FILE": str(place)})
    by_value = started(monkeypatch, **around, **{name: VALUES[name]})
    setting = "DATABASES" if name == "DATABASE_URL" else name
    assert by_file[setting] == by_value[setting]
    assert by_file["KAKUTEI_ANSWERS_OTHER_MACHINES"] is True


@pytest.mark.parametrize("name", sorted(SECRETS))
def test_a_file_that_is_none_stops_the_start_and_its_words_are_not_shown(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, name: str
) -> None:
    def of(content: bytes) -> str:
        place = tmp_path / "secret"
        place.write_bytes(content)
        return str(place)

    around = {**AROUND, "SECRET_KEY": KEY, **BESIDE.get(name, {})}
    around.pop(name, None)
    odd = ["", "secret", str(tmp_path), str(tmp_path / "none")]
    for place in odd:
        said = refused(monkeypatch, **around, **{f"{name}_FILE": place})
        assert said.startswith(f"{name}_FILE is {place!r}; it must be the absolute path of a file")
    for content in (b"", b"\n", b"hunter2\nhunter2", b"hunter2\rhunter2", b"hunter2 \xe3\x81\x82", b"hunter2" * 20_000):
        said = refused(monkeypatch, **around, **{f"{name}_FILE": of(content)})
        assert said.startswith(f"{name}_FILE is ")
        assert "hunter2" not in said
    said = refused(monkeypatch, **around, **{name: VALUES[name], f"{name}_FILE": of(VALUES[name].encode())})
    assert said.startswith(f"{name} and {name}_FILE are both set")
    assert VALUES[name] not in said
    # What lies in the file is read as strictly as what stands in the environment.
    if name != "SECRET_KEY_FALLBACKS":
        assert refused(monkeypatch, **around, **{f"{name}_FILE": of(b" hunter2 ")}).startswith(f"{name} ")


def test_half_a_provider_is_told_whole_where_its_secret_lies_in_a_file(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    place = tmp_path / "secret"
    place.write_text(PROVIDER["KAKUTEI_OIDC_CLIENT_SECRET"], encoding="ascii")
    said = refused(monkeypatch, KAKUTEI_OIDC_CLIENT_SECRET_FILE=str(place))
    assert said.startswith("KAKUTEI_OIDC_ISSUER and KAKUTEI_OIDC_CLIENT_ID must be set")


HERE = [
    "sqlite:////srv/kakutei.sqlite3",
    "mysql://kakutei:hunter2@127.0.0.1:3306/kakutei",
    "mysql://kakutei:hunter2@localhost/kakutei",
    "mysql://kakutei:hunter2@[::1]:3306/kakutei",
    SOCKET,
]
ELSEWHERE = ["db.example", "192.0.2.1", "[2001:db8::1]", "localhost.example"]


def of_database(address: str) -> list[str]:
    """Return what `check --deploy` finds in an address of a database."""
    found = runpy.run_path(str(Path(settings.BASE_DIR) / "config" / "settings.py"))
    held = settings.DATABASES
    settings.DATABASES = found["DATABASES"]
    try:
        return [str(each.msg) for each in check_deployment() if each.id == "kakutei.E014"]
    finally:
        settings.DATABASES = held


@pytest.mark.parametrize("address", HERE)
def test_a_database_of_this_machine_needs_no_encryption(monkeypatch: pytest.MonkeyPatch, address: str) -> None:
    monkeypatch.setenv("DATABASE_URL", address)
    assert of_database(address) == []


@pytest.mark.parametrize("host", ELSEWHERE)
@pytest.mark.parametrize("said", ["", "?ssl_mode=DISABLED", "?ssl_mode=PREFERRED", "?ssl_mode=REQUIRED", "?charset=utf8mb4"])
def test_a_database_on_another_host_that_could_be_anybody_stops_a_deployment(
    monkeypatch: pytest.MonkeyPatch, host: str, said: str
) -> None:
    monkeypatch.setenv("DATABASE_URL", f"mysql://kakutei:hunter2@{host}:3306/kakutei{said}")
    (told,) = of_database(os.environ["DATABASE_URL"])
    assert host.strip("[]") in told
    assert "hunter2" not in told


@pytest.mark.parametrize("host", ELSEWHERE)
@pytest.mark.parametrize("said", ["ssl_ca=/etc/db.pem", "ssl_mode=VERIFY_CA", "ssl_mode=VERIFY_IDENTITY&ssl_ca=/etc/db.pem"])
def test_one_that_shows_who_it_is_does_not(monkeypatch: pytest.MonkeyPatch, host: str, said: str) -> None:
    monkeypatch.setenv("DATABASE_URL", f"mysql://kakutei:hunter2@{host}:3306/kakutei?{said}")
    assert of_database(os.environ["DATABASE_URL"]) == []


def test_the_address_says_how_it_is_encrypted_and_where_the_socket_is(monkeypatch: pytest.MonkeyPatch) -> None:
    def options(said: str) -> dict[str, Any]:
        database: dict[str, Any] = started(monkeypatch, DATABASE_URL=said)["DATABASES"]["default"]
        return {name: database["OPTIONS"].get(name) for name in ("ssl", "ssl_mode", "unix_socket")} | {
            "who": (database["USER"], database["PASSWORD"], database["HOST"])
        }

    files = "ssl_ca=/etc/kakutei/ca.pem&ssl_cert=/etc/kakutei/cert.pem&ssl_key=/etc/kakutei/key.pem"
    assert options(f"mysql://kakutei@db.example/kakutei?{files}") == {
        "ssl": {"ca": "/etc/kakutei/ca.pem", "cert": "/etc/kakutei/cert.pem", "key": "/etc/kakutei/key.pem"},
        "ssl_mode": "VERIFY_IDENTITY",
        "unix_socket": None,
        "who": ("kakutei", "", "db.example"),
    }
    assert options(SOCKET) == {
        "ssl": None,
        "ssl_mode": None,
        "unix_socket": "/run/mysqld/mysqld.sock",
        "who": ("kakutei", "", ""),
    }
    for odd in ("ssl_mode=verify_ca", "ssl_mode=yes", "ssl_ca=ca.pem", "ssl_mode=VERIFY_CA&ssl_key=key.pem"):
        said = refused(monkeypatch, DATABASE_URL=f"mysql://kakutei:hunter2@db.example/kakutei?{odd}")
        assert said.startswith("DATABASE_URL is not understood")
        assert "hunter2" not in said
