"""docs/invariants.md and docs/locking.md say what the code has."""

import re
from pathlib import Path

from ledger_app import locks
from ledger_app.base import proofs
from ledger_app.base.operations import transactions

DOCS = Path(__file__).parents[3] / "docs"


def test_every_invariant_of_verify_is_in_the_table():
    text = (DOCS / "invariants.md").read_text(encoding="utf-8")
    documented = [int(number) for number in re.findall(r"^\| (\d+) \| ", text, re.MULTILINE)]
    assert documented == list(range(1, 13))
    assert {invariant.number for invariant in proofs.invariants()} == set(documented)


def test_the_steps_of_the_lock_order_are_in_the_table():
    text = (DOCS / "locking.md").read_text(encoding="utf-8")
    table = re.findall(r"^\| (\d) \| (.+?) \| (\w+) \|", text, re.MULTILINE)
    assert [int(number) for number, _, _ in table] == list(range(1, len(locks.STEPS) + 1))
    assert all(step.split()[-1] in what for step, (_, what, _) in zip(locks.STEPS, table, strict=True))
    assert [how for _, _, how in table] == ["exclusive", "shared", "shared", "exclusive"]


def test_the_errors_that_are_tried_again_are_named():
    text = (DOCS / "locking.md").read_text(encoding="utf-8")
    assert all(str(code) in text for code in transactions.BUSY)


def test_the_files_that_the_pages_name_are_there():
    for name in ("invariants.md", "locking.md"):
        for path in re.findall(r"`((?:tests|ledger_app)/[\w/.]+)`", (DOCS / name).read_text(encoding="utf-8")):
            assert (DOCS.parent / path).exists(), path
