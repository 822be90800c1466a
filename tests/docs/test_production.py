"""What the runbook of production has outside of the program: its proxy, the secrets of each unit, the journal, the packages."""

import configparser
import os
import re
import shlex
import ssl
import subprocess
from pathlib import Path

import pytest
import yaml
from django.conf import settings

from config.checks import KEY_MONTHS_MOST
from config.environment import Environment

ROOT = Path(settings.BASE_DIR)
RUNBOOK = ROOT / "docs" / "runbooks" / "production-on-mariadb.md"
FENCE = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
SECRETS = {"secret-key", "jobs-key", "card-keys", "factor-keys"}


def said() -> str:
    return RUNBOOK.read_text(encoding="utf-8")


def fences(kind: str, first: str) -> list[str]:
    """Return the blocks of a kind that have a text in them."""
    return [text for found, text in FENCE.findall(said()) if found == kind and first in text]


def only(kind: str, first: str) -> str:
    (found,) = fences(kind, first)
    return str(found)


def test_the_proxy_speaks_what_is_strong_and_nothing_else() -> None:
    told = dict(re.findall(r"^(ssl_\w+) (.+);$", only("nginx", "ssl_protocols"), re.MULTILINE))
    assert told["ssl_protocols"].split() == ["TLSv1.2", "TLSv1.3"]
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.set_ciphers(told["ssl_ciphers"])
    taken = [each for each in context.get_ciphers() if each["protocol"] == "TLSv1.2"]
    # None is unknown to OpenSSL, and each authenticates what it encrypts, under keys that are made anew.
    assert [each["name"] for each in taken] == told["ssl_ciphers"].split(":")
    assert all(each["aead"] and each["kea"] == "kx-ecdhe" and each["strength_bits"] >= 128 for each in taken)
    assert told["ssl_certificate"].endswith("fullchain.pem")
    assert "-verify_return_error" in said()
    assert "-tls1_1" in said()


def given(unit: str) -> tuple[set[str], dict[str, str]]:
    """Return which secrets a unit is handed, and which setting is told of which; each lies where it is said to, and is used."""
    loaded = dict(re.findall(r"^LoadCredential=([\w-]+):(\S+)$", unit, re.MULTILINE))
    told = dict(re.findall(r"^Environment=(\w+)_FILE=%d/([\w-]+)$", unit, re.MULTILINE))
    assert loaded == {name: f"/etc/kakutei/{name}" for name in loaded}
    assert sorted(told.values()) == sorted(loaded)
    return set(loaded), told


def test_each_unit_is_handed_what_it_needs_and_no_more() -> None:
    web = given(only("ini", "gunicorn"))
    assert web[1] == {
        "SECRET_KEY": "secret-key",
        "KAKUTEI_CARD_KEYS": "card-keys",
        "KAKUTEI_FACTOR_KEYS": "factor-keys",
    }
    for name in ("/bin/run %i", "wake --every 30"):
        assert given(only("ini", name)) == ({"jobs-key"}, {"SECRET_KEY": "jobs-key"})
    beside, in_the_place = only("ini", "# kakutei-worker.service").split("# kakutei-webhooks.service")
    assert given(beside) == ({"card-keys"}, {"KAKUTEI_CARD_KEYS": "card-keys"})
    assert given(in_the_place) == ({"secret-key"}, {"SECRET_KEY": "secret-key"})
    # What stands in the file that all read is no secret.
    listed = re.search(r"At least:\n\n((?:    .+\n)+)", said())
    assert listed is not None
    names = set(re.findall(r"^    (\w+)=", listed[1], re.MULTILINE))
    assert not names & {"SECRET_KEY", "KAKUTEI_CARD_KEYS", "KAKUTEI_FACTOR_KEYS", "KAKUTEI_OIDC_CLIENT_SECRET"}
    (address,) = re.findall(r"^    DATABASE_URL=(\S+)$", listed[1], re.MULTILINE)
    database = Environment({"DATABASE_URL": shlex.split(address)[0]}).database("DATABASE_URL", default="")
    assert (database["USER"], database["PASSWORD"], database["HOST"]) == ("kakutei", "", "")
    assert database["OPTIONS"]["unix_socket"].startswith("/")
    assert f"CREATE USER {database['USER']}@localhost IDENTIFIED VIA unix_socket;" in said()


def test_a_database_elsewhere_is_reached_as_the_program_understands_it() -> None:
    (address,) = re.findall(r"^    DATABASE_URL='(mysql://\S+db\.example\S+)'$", said(), re.MULTILINE)
    options = Environment({"DATABASE_URL": address}).database("DATABASE_URL", default="")["OPTIONS"]
    assert options["ssl_mode"] == "VERIFY_IDENTITY"
    assert set(options["ssl"]) == {"ca", "cert", "key"}


def test_the_shell_has_every_secret_and_passes_its_words_on(tmp_path: Path) -> None:
    script = only("sh", "setpriv")
    (tmp_path / "kakutei").mkdir()
    (tmp_path / "kakutei.env").write_text(
        "ALLOWED_HOSTS=kakutei.example\nDATABASE_URL='mysql://a@/b?c=d&e=f'\n", encoding="utf-8"
    )
    for name in SECRETS:
        (tmp_path / "kakutei" / name).write_text(f"of {name}\n", encoding="utf-8")
    asked = tmp_path / "setpriv"
    asked.write_text(f'#!/bin/sh\nenv > {tmp_path}/env\nprintf "%s\\n" "$@" > {tmp_path}/words\nexit 75\n', encoding="utf-8")
    asked.chmod(0o700)
    path = tmp_path / "manage"
    path.write_text(script.replace("/etc/", f"{tmp_path}/").replace("/srv/kakutei/app", str(tmp_path)), encoding="utf-8")
    environment = {"PATH": f"{tmp_path}:{os.environ['PATH']}"}
    done = subprocess.run(["/bin/sh", str(path), "check", "--tag", "a b"], env=environment, check=False, timeout=30)
    assert done.returncode == 75
    assert (tmp_path / "words").read_text().splitlines()[-4:] == ["manage.py", "check", "--tag", "a b"]
    held = dict(line.split("=", 1) for line in (tmp_path / "env").read_text().splitlines())
    assert held["DATABASE_URL"] == "mysql://a@/b?c=d&e=f"
    assert {name: held[name] for name in ("SECRET_KEY", "KAKUTEI_CARD_KEYS", "KAKUTEI_FACTOR_KEYS")} == {
        "SECRET_KEY": "of secret-key",
        "KAKUTEI_CARD_KEYS": "of card-keys",
        "KAKUTEI_FACTOR_KEYS": "of factor-keys",
    }


def test_the_secrets_that_are_made_are_such_as_the_program_takes() -> None:
    made = re.findall(r"^    (python3 -c '.+') > ([\w-]+)$", said(), re.MULTILINE)
    assert {name for _, name in made} == SECRETS
    for command, name in made:
        value = subprocess.run(shlex.split(command), capture_output=True, text=True, check=True, timeout=30).stdout.strip()
        if name in {"secret-key", "jobs-key"}:
            assert Environment({"SECRET_KEY": value}).secret_key("SECRET_KEY", default=None) == value
        else:
            (key_name,) = Environment({"KEYS": value}).card_keys("KEYS", default="", takes_weak=False)
            # Named after its month, so that it tells when it is old.
            assert re.fullmatch("[0-9]{4}-[0-9]{2}", key_name)


def test_the_journal_goes_to_another_system_by_tls() -> None:
    unit = configparser.ConfigParser(interpolation=None)
    unit.optionxform = str  # type: ignore[assignment,method-assign]  # names as they stand
    unit.read_string(only("ini", "journal-upload.conf"))
    upload = dict(unit["Upload"])
    assert re.fullmatch(r"https://[\w.]+:19532", upload.pop("URL"))
    assert set(upload) == {"ServerKeyFile", "ServerCertificateFile", "TrustedCertificateFile"}
    assert all(Path(place).is_absolute() for place in upload.values())
    assert "\n    systemctl enable --now systemd-journal-upload.service\n" in said()


def test_every_lock_is_looked_through_for_known_faults() -> None:
    locks = {each.relative_to(ROOT) for folder in (ROOT, ROOT / ".ci") for each in folder.glob("*.lock")}
    (command,) = re.findall(r"^    (pip-audit .+)$", said(), re.MULTILINE)
    words = shlex.split(command)
    assert {Path(words[at + 1]) for at, word in enumerate(words) if word == "-r"} == locks
    assert {"--disable-pip", "--require-hashes"} <= set(words)
    text = (ROOT / ".github" / "dependabot.yml").read_text(encoding="utf-8")
    assert [lock for lock in locks if lock.as_posix() not in text] == []
    told = yaml.safe_load(text)
    (pip,) = told["updates"]
    assert (told["version"], pip["package-ecosystem"], pip["schedule"]) == (2, "pip", {"interval": "weekly"})
    assert {ROOT / each.strip("/") for each in pip["directories"]} == {ROOT / lock.parent for lock in locks}
    # How soon what is found is mended.
    assert "what is grave is mended within three days, the rest within a month" in " ".join(said().split())


@pytest.mark.parametrize("folder", ["/srv/kakutei/files", "/var/lib/mysql"])
def test_whether_a_folder_is_encrypted_can_be_seen(folder: str) -> None:
    assert re.search(rf"^    findmnt .*--target {folder} \| xargs lsblk --inverse .*TYPE", said(), re.MULTILINE)


def test_how_long_a_key_may_serve_is_told_as_it_is_asked() -> None:
    policy = (ROOT / "docs" / "security.md").read_text(encoding="utf-8")
    assert f"{KEY_MONTHS_MOST} months" in policy
    assert "| what | for | made by | replaced by | at most |" in policy
    assert "-mtime +365" in said()
