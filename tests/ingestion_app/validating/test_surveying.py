"""A file that several processes read in parts comes to what one process finds in it."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from ingestion_app.formats import toml
from ingestion_app.models import Batch, Finding
from ingestion_app.validating.operations import surveying, validating
from tests.support import world as worlds
from tests.support.world import NAME, Purchase, World, card_file, clock, environment, many, work

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.serial, pytest.mark.slow]

MEMBERS = 12
DEFINITION = toml.parse(worlds.definition())
RECORDS = many(400, MEMBERS)


def with_(*changes: tuple[int, Purchase | bytes], **trailer: Any) -> bytes:
    """Return the file with records replaced."""
    records: list[Purchase | bytes] = [*RECORDS]
    for place, record in changes:
        records[place] = record
    return card_file(records, **trailer)


FILES = {
    "sound": card_file(RECORDS),
    "unknown members on both sides": with_((10, RECORDS[10]._replace(member="9")), (390, RECORDS[390]._replace(member="8"))),
    "a bad amount in the second part": with_((300, b"D,1001,31,bad,12x,2017-01-09T12:00:00Z\n"), count=400),
    "one key in both parts": with_((5, RECORDS[5]._replace(slip="twice")), (395, RECORDS[395]._replace(slip="twice"))),
    "points that fall in the second part": with_(
        (2, RECORDS[2]._replace(amount="500")), (350, RECORDS[2]._replace(slip="x", amount="-99999"))
    ),
    "a trailer in the middle": with_((100, b"T,100,5\n")),
    "a header in the middle": with_((100, b"H,till,2017-01-31,1\n")),
    "another line ending": with_((320, RECORDS[320].line().replace(b"\n", b"\r\n"))),
    "a trailer that counts one too many": card_file(RECORDS, count=401),
    "no end": card_file(RECORDS, end=b""),
    "zero amounts": with_((1, RECORDS[1]._replace(amount="0")), (399, RECORDS[399]._replace(amount="0"))),
}


@pytest.fixture
def world(transactional_db: None, files_dir: Path, monkeypatch: pytest.MonkeyPatch) -> World:
    monkeypatch.setenv("DATABASE_URL", environment(files_dir)["DATABASE_URL"])
    monkeypatch.setattr(surveying, "PART_BYTES", 4000)
    monkeypatch.setattr(surveying, "TAIL_BYTES", 1500)
    return worlds.build(files_dir, members=MEMBERS, chunk_records=30, set_aside=5)


def validate(world: World, batch: Batch, workers: int) -> dict[str, Any]:
    validating.validate(batch_id=batch.pk, directory=world.directory, caller=world.caller(), now=clock, workers=workers)
    batch.refresh_from_db()
    findings = Finding.objects.filter(batch=batch).order_by("line", "column", "rule")
    return {
        **work(batch.pk),
        "counts": (batch.finding_counts, batch.set_aside_count, batch.set_aside_sum, batch.without_effect_count),
        "dates": (batch.first_on, batch.last_on),
        "said": [(each.rule, each.line, each.offset, bytes(each.raw), each.facts) for each in findings],
    }


@pytest.mark.parametrize("name", FILES)
def test_parts_come_to_what_the_whole_comes_to(world: World, name: str) -> None:
    batch = world.receive(FILES[name], name=NAME)
    parts = surveying.parts_of(path_of(world, batch), 2, DEFINITION)
    assert len(parts) == 2
    assert validate(world, batch, workers=2) == validate(world, batch, workers=1)


def path_of(world: World, batch: Batch) -> Path:
    return next(path for path in world.directory.rglob("*") if path.name == str(batch.file))


def test_parts_are_whole_lines_and_leave_nothing_out(world: World) -> None:
    content = FILES["sound"]
    path = path_of(world, world.receive(content))
    for workers in (2, 3, 4):
        parts = surveying.parts_of(path, workers, DEFINITION)
        assert [part.offset for part in parts[1:]] == [part.end for part in parts[:-1]]
        assert all(content[part.offset - 1 : part.offset] == b"\n" for part in parts)
        assert parts[0].offset == content.index(b"\n") + 1
        assert lines_of(content, parts) == [(part.line, part.lines) for part in parts]
        assert parts[-1].end < len(content)


def lines_of(content: bytes, parts: Sequence[surveying.Part]) -> list[tuple[int, int]]:
    return [(content[: part.offset].count(b"\n") + 1, content[part.offset : part.end].count(b"\n")) for part in parts]


def test_a_small_file_is_read_by_one_process(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(surveying, "PART_BYTES", 8_000_000)
    assert surveying.parts_of(path_of(world, world.receive(FILES["sound"])), 8, DEFINITION) == []
