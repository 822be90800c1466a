"""What all doors share names nothing of one application alone: each registers its places, its work and its words."""

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
OF_INGESTION = re.compile(r"ingestion_app[._]|\"(?:batch|receipt|source|finding)\"")


def named(folder: Path) -> list[str]:
    return [
        f"{path.relative_to(folder)}:{number} {line.strip()}"
        for path in sorted(folder.rglob("*.py"))
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1)
        if OF_INGESTION.search(line)
    ]


def test_a_name_of_ingestion_is_found(tmp_path: Path) -> None:
    (tmp_path / "shell.py").write_text('PLACES = [Place("Batches", "ingestion_app_batch")]\nWORDS = {"batch": "a batch"}\n')
    assert len(named(tmp_path)) == 2


def test_the_shell_of_the_doors_names_nothing_of_ingestion() -> None:
    assert named(ROOT / "config" / "doors") == []
