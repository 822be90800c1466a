"""Lock every package that is installed, with the hashes of its files: python .ci/lock.py [--check].

Reads the files of requirements and writes beside each what it comes to. Each lock names a digest of the pins that it was made from, by which --check, which
asks no registry, tells that both still agree. Exits 1 where they do not, or where a pin is not exact.
"""

import hashlib
import re
import subprocess
import sys
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parent.parent
# Requirements, and what uv is told of them beside. A lock holds for every Python and system that the project may run on.
FILES: Final = {
    "requirements.txt": [],
    "requirements-dev.txt": ["--constraints", "requirements.lock"],
    ".ci/requirements-data.txt": ["--no-deps"],
    ".ci/requirements-lock.txt": [],
}
OPTIONS: Final = [
    *("--universal", "--python-version", "3.11", "--generate-hashes", "--no-annotate", "--no-header", "--quiet"),
    *("--no-emit-index-url", "--no-emit-find-links"),
]
PIN: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*==[A-Za-z0-9.+!]+")
LOCKED: Final = re.compile(
    r"(?P<pin>[a-z0-9][a-z0-9._-]*==[A-Za-z0-9.+!]+)(?: ; [^\\]+)? \\\n(?:    --hash=sha256:[0-9a-f]{64}(?: \\)?\n)+"
)


def pins(path: str) -> list[str]:
    """Return the pins of a file of requirements, and of those that it names, as they are written."""
    found = []
    for line in (ROOT / path).read_text().splitlines():
        text = line.partition("#")[0].strip()
        if text.startswith("-r "):
            found += pins(text.removeprefix("-r "))
        elif text:
            found.append(text)
    return found


def head(path: str) -> str:
    """Return the first line of a lock."""
    digest = hashlib.sha256("\n".join(pins(path)).encode()).hexdigest()
    return f"# Made by `make lock` from {path}; pins {digest}.\n"


def lock_of(path: str) -> Path:
    """Return where the lock of a file of requirements lies."""
    return (ROOT / path).with_suffix(".lock")


def faults(path: str) -> list[str]:
    """Return what is wrong with a file of requirements and its lock."""
    found = [f"{path}: “{pin}” is no exact pin" for pin in pins(path) if PIN.fullmatch(pin) is None]
    lock = lock_of(path)
    first, _, rest = lock.read_text().partition("\n") if lock.exists() else ("", "", "")
    if f"{first}\n" != head(path):
        return [*found, f"{lock.name} was made from other pins than {path} has: run `make lock`"]
    if LOCKED.sub("", rest).strip():
        found.append(f"{lock.name} holds what is no package with its hashes: run `make lock`")
    locked = {_plain(match["pin"]) for match in LOCKED.finditer(rest)}
    return found + [f"{lock.name} lacks {pin}" for pin in pins(path) if _plain(pin) not in locked]


def _plain(pin: str) -> str:
    """Return a pin with its name as registries compare it."""
    name, _, version = pin.partition("==")
    return f"{re.sub('[-_.]+', '-', name).lower()}=={version}"


def main(arguments: list[str]) -> int:
    """Check, or lock; return the exit status."""
    if arguments == ["--check"]:
        found = [fault for path in FILES for fault in faults(path)]
        sys.stderr.write("".join(f"{fault}\n" for fault in found))
        return int(bool(found))
    uv = Path(sys.executable).with_name("uv")
    for path, more in FILES.items():
        command = [str(uv), "pip", "compile", *OPTIONS, *more, path]
        made = subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.PIPE, text=True).stdout
        lock_of(path).write_text(head(path) + made)
    return main(["--check"])


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
