"""Look for passwords, keys and tokens in every file that is kept: `make check`. Exits 1 where one is found, and names its place.

What only looks like one is named in ``SAMPLES``, each with what it is; one that nothing needs any more is told too.
"""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from detect_secrets.core.scan import scan_file
from detect_secrets.settings import default_settings

ROOT = Path(__file__).resolve().parent.parent
SELF = Path(__file__).resolve().relative_to(ROOT).as_posix()
# Digests of packages and of ready-made layouts, translations, and digests of what the database keeps.
SKIPPED = (".lock", ".po")
SKIPPED_FOLDER = "ledger_app/schemas/"
SAMPLES = {
    "PASSWORD": "stands for one in an address of a database",
    "1qaz2wsx3edc4rfv5tgb6yhn7ujm8ik9ol0p": "keys of a keyboard in their order, which passwords must not follow",
    "version`, `overlap_hours": "words between two marks of code",
    "demo-only-password": "of the demonstration's users; refused in production",
    "development-only": "a key that production refuses",
    "django-insecure-": "the beginning of a key that production refuses",
    "true": "a word",
    "ledger_app.change_user": "a right",
    "abcdefghjkmnpqrstuvwxyz23456789": "what recovery codes are written with",
    "eight-blue-herons": "of a user that a test makes",
    "seven green otters": "of a user that a test makes",
    "a-password-of-these-tests": "of users that a test makes",
    "only-for-this-test": "of users that a test makes",
    "password": "in an address that a test refuses",
    "hunter2": "in an address that a test refuses",
    "wrong": "what a test signs in with, in vain",
    "sets it again": "words of a test",
    "one row of each that was set": "words of a test",
    "mysql://kakutei@/kakutei?unix_socket=/run/mysqld/mysqld.sock": "an address without a password",
    "secret-key": "the name of a file",
    "jobs-key": "the name of a file",
    "of secret-key": "what such a file holds in a test",
    "mine": "a key that a test sets",
    "another": "a key that a test sets",
}


def kept() -> list[str]:
    """Return each file that is kept, as a path from the top."""
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, check=True, capture_output=True, text=True).stdout
    names = (name for name in listed.split("\0") if name)
    return [name for name in names if name != SELF and not name.endswith(SKIPPED) and not name.startswith(SKIPPED_FOLDER)]


def found(names: list[str]) -> Iterator[tuple[str, str]]:
    """Yield each place with what stands there."""
    with default_settings():
        for name in names:
            for secret in scan_file(str(ROOT / name)):
                yield f"{name}:{secret.line_number}: {secret.type}", str(secret.secret_value)


def main() -> int:
    """Tell what is found; return the exit status."""
    unneeded, told = set(SAMPLES), []
    for place, text in found(kept()):
        unneeded.discard(text)
        if text not in SAMPLES:
            told.append(f"{place}: take it out, or say in {SELF} why it is none")
    told += [f"{SELF}: nothing needs the sample {text!r} any more" for text in sorted(unneeded)]
    sys.stderr.write("".join(f"{line}\n" for line in told))
    return int(bool(told))


if __name__ == "__main__":
    sys.exit(main())
