"""A small world, and clients that talk to the API as its users do: with a token."""

import itertools
from collections.abc import Callable
from typing import Any

import pytest
from django.conf import settings
from django.core.files.uploadedfile import SimpleUploadedFile
from django.utils.module_loading import import_string
from django_tasks_db.models import DBTaskResult
from rest_framework.test import APIClient

from ingestion_app.models import Batch
from ingestion_app.states import BATCH
from ledger_app.models import User
from tests.conftest import issue_token
from tests.support import kept
from tests.support import world as worlds

PROBLEM = "application/problem+json"

numbers = itertools.count(1)

ClientOf = Callable[[User | None], APIClient]


class Repeating(APIClient):
    """Sends every POST under a key of its own, and what was taken again under the same: nothing more may come of that."""

    def post(self, path: Any, data: Any = None, *said: Any, **more: Any) -> Any:
        headers = {"Idempotency-Key": f"key-{next(numbers)}", **more.pop("headers", {})}
        first = super().post(path, data, *said, headers=headers, **more)
        if first.status_code < 400 and not path.endswith(("find/", "preview/")):
            for value in (data or {}).values() if isinstance(data, dict) else ():
                if hasattr(value, "seek"):
                    value.seek(0)
            again = super().post(path, data, *said, headers=headers, **more)
            assert (again.status_code, again["Idempotent-Replayed"]) == (first.status_code, "true"), again.content
            assert again.content == first.content
            assert again.headers.get("Location") == first.headers.get("Location")
        return first


world = kept.fixture(worlds.GROUND)


# The suite runs on both: without keys on the one, with keys on the other, which has row locks for them to meet on.
WAYS = ["plain"] if settings.DATABASES["default"]["ENGINE"].endswith("sqlite3") else ["keyed"]


@pytest.fixture(params=WAYS)
def client_of(request: pytest.FixtureRequest) -> ClientOf:
    """Return a function that makes the client of a user, or of a stranger. What it is used for is asked with keys and without."""

    def client(user: User | None) -> APIClient:
        made = Repeating() if request.param == "keyed" else APIClient()
        if user is not None and user.is_superuser:
            # They have no token: as by a session.
            made.force_authenticate(user)
        elif user is not None:
            made.credentials(HTTP_AUTHORIZATION=f"Token {issue_token(user)}")
        return made

    return client


@pytest.fixture
def engineer_client(world: worlds.World, client_of: ClientOf) -> APIClient:
    return client_of(world.engineer)


@pytest.fixture
def finance_client(world: worlds.World, client_of: ClientOf) -> APIClient:
    return client_of(world.finance)


def upload(client: APIClient, content: bytes, name: str = worlds.NAME, **more: Any) -> Any:
    """Send a file in, as a form."""
    data = {"file": SimpleUploadedFile(name, content), "source": "till", **more}
    return client.post("/api/v1/batches/", data, format="multipart")


def act(client: APIClient, batch_id: int, name: str, **body: Any) -> Any:
    """Ask for a transition of a batch; where the state can come back, as somebody who has just looked."""
    if any(each.name == name and BATCH.comes_back(each) for each in BATCH.transitions):
        body.setdefault("version", Batch.objects.get(pk=batch_id).version)
    return client.post(f"/api/v1/batches/{batch_id}/transitions/{name}/", body)


def work() -> list[dict[str, Any]]:
    """Do what is queued, as the worker does, and return what each task said."""
    said = []
    for row in DBTaskResult.objects.filter(status="READY").order_by("enqueued_at"):
        said.append(import_string(row.task_path).func(**row.args_kwargs["kwargs"]))
        row.delete()
    return said


def is_problem(response: Any, status: int, code: str) -> bool:
    """Whether the answer is a problem of this status and code, whole as the standard wants it."""
    body = response.json()
    assert (response.status_code, body.get("code")) == (status, code), body
    assert response["Content-Type"] == PROBLEM
    assert body["status"] == status
    assert body["title"]
    assert body["detail"]
    assert body["type"] == f"urn:kakutei:{code}"
    return True
