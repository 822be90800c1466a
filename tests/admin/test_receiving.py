"""Files come in by the admin's door: whatever they are, their bytes are kept and the answer is plain."""

from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse

from ingestion_app.models import Batch, File, Receipt, Source
from ledger_app.models import AuditRow
from tests.admin.conftest import ClientOf, RoleOf, another_file, bring_to, name_of_file, page_of, work
from tests.support import world as worlds
from tests.support.world import World


def send(client: Client, content: bytes, name: str = worlds.NAME, **more: Any) -> Any:
    data = {"source": Source.objects.get().pk, "file": SimpleUploadedFile(name, content), **more}
    return client.post(reverse("admin:ingestion_app_batch_receive"), data)


def codes(response: Any) -> list[str]:
    return [reason["code"] for reason in response.context["reasons"]]


def test_a_file_becomes_a_batch_whose_page_opens(world: World, client_of: ClientOf) -> None:
    client = client_of(world.engineer)
    response = send(client, worlds.card_file())
    batch = Batch.objects.get()
    assert response.status_code == 302
    assert response["Location"] == page_of(batch)
    assert batch.receipt is not None
    assert (batch.state, batch.received_by, batch.receipt.door) == ("received", world.engineer, "admin")
    assert world.kept(worlds.card_file())
    assert "The file is in." in client.get(response["Location"]).content.decode()


def test_the_same_bytes_lead_to_the_first_batch_under_any_name(world: World, client_of: ClientOf) -> None:
    client = client_of(world.engineer)
    send(client, worlds.card_file())
    response = send(client, worlds.card_file(), "renamed.txt")
    assert response["Location"] == page_of(Batch.objects.get())
    assert "came in before" in client.get(response["Location"]).content.decode()
    assert list(Receipt.objects.order_by("id").values_list("outcome", flat=True)) == ["accepted", "duplicate"]
    assert File.objects.count() == 1


def test_another_file_in_the_same_slot_is_a_conflict_that_is_kept(world: World, client_of: ClientOf) -> None:
    client = client_of(world.engineer)
    send(client, worlds.card_file())
    other = another_file(1, records=3)
    response = send(client, other)
    assert response.status_code == 409
    assert codes(response) == ["slot_conflict"]
    assert world.kept(other)
    conflict = Receipt.objects.get(outcome="conflict")
    assert page_of(Batch.objects.get()) in client.get(page_of(conflict)).content.decode()
    # It may be meant for another sequence: a person says so.
    assert send(client, another_file(2), worlds.NAME, business_date="2017-01-31", sequence="2").status_code == 302


def test_a_name_that_says_no_slot_is_refused_and_the_bytes_are_kept(world: World, client_of: ClientOf) -> None:
    client = client_of(world.engineer)
    response = send(client, worlds.card_file(), "statement.txt")
    assert response.status_code == 409
    assert codes(response) == ["slot_unknown"]
    assert world.kept(worlds.card_file())
    assert Receipt.objects.get().outcome == "refused"
    assert not Batch.objects.exists()
    given = send(client, worlds.card_file(), "statement.txt", business_date="2017-01-31", sequence="1")
    assert given.status_code == 302


def test_an_empty_file_is_taken_in_and_found_to_be_empty(world: World, client_of: ClientOf) -> None:
    client = client_of(world.engineer)
    assert send(client, b"").status_code == 302
    batch = Batch.objects.get()
    client.post(reverse("admin:ingestion_app_batch_transition", args=[batch.pk, "validate"]), {"version": batch.version})
    work()
    batch.refresh_from_db()
    assert batch.state == "rejected"
    assert "file.empty" in client.get(page_of(batch)).content.decode()


def test_a_file_of_five_megabytes_streams_through(world: World, client_of: ClientOf, settings: Any) -> None:
    held = [worlds.Purchase(slip=f"s{number:012d}", amount="1") for number in range(110_000)]
    content = worlds.card_file(held)
    assert len(content) > 5_000_000 > settings.FILE_UPLOAD_MAX_MEMORY_SIZE
    assert send(client_of(world.engineer), content).status_code == 302
    assert File.objects.get().size == len(content)
    assert world.kept(content)


@pytest.mark.parametrize(
    "given",
    [
        *({"business_date": text} for text in ("31/01/2017", "2017-02-30", "20170131", "2017-W05-2", "２０１７-01-31", "x")),
        *({"sequence": text} for text in ("0", "-1", "x", "1.5", "1e3", "99999999999", "１", " 1 2")),
    ],
)
def test_a_slot_that_is_none_is_asked_for_again(world: World, client_of: ClientOf, given: dict[str, str]) -> None:
    response = send(client_of(world.engineer), worlds.card_file(), **given)
    assert response.status_code == 200
    assert response.context["form"].errors.keys() == given.keys()
    assert not Receipt.objects.exists()


@pytest.mark.parametrize("missing", ["file", "source"])
def test_what_is_missing_is_asked_for(world: World, client_of: ClientOf, missing: str) -> None:
    data: dict[str, Any] = {"source": Source.objects.get().pk, "file": SimpleUploadedFile("x", b"x")}
    del data[missing]
    response = client_of(world.engineer).post(reverse("admin:ingestion_app_batch_receive"), data)
    assert response.status_code == 200
    assert response.context["form"].errors.keys() == {missing}


@pytest.mark.parametrize("role", ["support", "finance", "auditor"])
def test_only_engineers_receive(world: World, client_of: ClientOf, somebody: RoleOf, role: str) -> None:
    client = client_of(somebody(role))
    assert client.get(reverse("admin:ingestion_app_batch_receive")).status_code == 403
    assert send(client, worlds.card_file()).status_code == 403
    assert not Receipt.objects.exists()
    assert not list(world.directory.rglob("*"))


@pytest.mark.parametrize(
    "name", ["../../etc/passwd", "a\x00b", "<img src=x onerror=alert(1)>.csv", "x" * 300, "表" * 200 + ".csv"]
)
def test_a_strange_name_is_only_a_name(world: World, client_of: ClientOf, name: str) -> None:
    client = client_of(world.engineer)
    response = send(client, worlds.card_file(), name, business_date="2017-01-31", sequence="1")
    if response.status_code == 302:
        text = client.get(page_of(Receipt.objects.get())).content.decode()
        assert "<img src=x" not in text
        assert world.kept(worlds.card_file())
    else:
        assert response.context["form"].errors.keys() == {"file"}
    assert AuditRow.objects.filter(action="receive").count() == Batch.objects.count()


def test_the_door_is_never_another_batch(world: World, client_of: ClientOf) -> None:
    bring_to(world, "frozen")
    before = worlds.ledger()
    send(client_of(world.engineer), another_file(1), name_of_file(1))
    assert worlds.ledger() == before
    assert Batch.objects.count() == 1
