"""What is installed is what the locks name, by hash; a lock that was made from other pins than are written is told."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent.parent
FILES = [
    *("requirements.txt", "requirements.lock", "requirements-dev.txt", "requirements-dev.lock", ".ci/lock.py"),
    *(".ci/requirements-data.txt", ".ci/requirements-data.lock", ".ci/requirements-lock.txt", ".ci/requirements-lock.lock"),
]


def checked(folder: Path) -> tuple[int, str]:
    command = [sys.executable, str(folder / ".ci/lock.py"), "--check"]
    done = subprocess.run(command, capture_output=True, text=True)
    return done.returncode, done.stderr


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    Path(tmp_path, ".ci").mkdir()
    for name in FILES:
        shutil.copy(ROOT / name, tmp_path / name)
    return tmp_path


def test_the_locks_agree_with_the_requirements() -> None:
    assert checked(ROOT) == (0, "")


@pytest.mark.parametrize(
    ("file", "old", "new", "said"),
    [
        ("requirements.txt", "gunicorn==", "gunicorn>=", "no exact pin"),
        ("requirements.txt", "tqdm==", "tqdm==1", "other pins"),
        ("requirements-dev.txt", "pytest==", "idna==1.0\npytest==", "other pins"),
        ("requirements.txt", "# What", "# whatever\n# What", ""),
        ("requirements.lock", "\ngunicorn==", "\ngunicorn==1", "lacks gunicorn"),
        ("requirements.lock", "    --hash=sha256:", "    --hash=md5:", "no package with its hashes"),
        ("requirements-dev.lock", "asgiref==", "--index-url x\nasgiref==", "no package with its hashes"),
    ],
)
def test_a_lock_that_differs_is_told(copy: Path, file: str, old: str, new: str, said: str) -> None:
    text = (copy / file).read_text()
    assert old in text
    (copy / file).write_text(text.replace(old, new, 1))
    status, complaints = checked(copy)
    assert (status == 1) is bool(said)
    assert said in complaints


def test_nothing_is_installed_but_by_its_hash() -> None:
    prepare = (ROOT / ".ci/prepare").read_text()
    installs = [line for line in prepare.splitlines() if line.startswith('"${install[@]}"')]
    assert installs
    assert all("--require-hashes" in line and ".txt" not in line for line in installs)
    for name in FILES:
        if name.endswith(".lock"):
            assert "://" not in (ROOT / name).read_text(), f"{name} names a registry"
