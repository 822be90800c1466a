"""Schemathesis asks every operation, as every role, with what the description allows and with what it does not: no answer is a fault of the program, and none is undescribed.

``SCHEMATHESIS_EXAMPLES`` asks each operation more often than the few times that every run does.
"""

import os
from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest
from django.core.signals import request_finished, request_started
from django.db import close_old_connections
from hypothesis import HealthCheck, Phase, Verbosity, given, seed, settings

from config.wsgi import application
from ledger_app.models import User
from tests.conftest import UserMaker, issue_token, with_every_right
from tests.support.world import World

schemathesis = pytest.importorskip("schemathesis", reason="make setup installs it")
EXAMPLES = int(os.environ.get("SCHEMATHESIS_EXAMPLES", "2"))
SEED = 20170131
# What is there after one batch was applied.
THERE = {"id": "1", "code": "CARD", "step": "validate", "number": "1", "kind": "trial-balance"}
ROLES = ("support", "finance", "engineer", "auditor", "till", "machine", "everything", "nobody")


def client_token(make_user: UserMaker, role: str) -> str:
    if role == "nobody":
        return ""
    user: User = make_user(f"{role}-9", "auditor" if role == "everything" else role)
    return issue_token(with_every_right(user) if role == "everything" else user)


@pytest.fixture
def app() -> Iterator[Any]:
    """Return the program as a server calls it, in this process and on the test's own connection, as the framework's test client does."""
    for signal in (request_started, request_finished):
        signal.disconnect(close_old_connections)
    yield application
    for signal in (request_started, request_finished):
        signal.connect(close_old_connections)


# Rights and descriptions are the same before every database; what a database may take amiss, whoever may do everything asks.
@pytest.mark.parametrize(
    "role", [role if role == "everything" else pytest.param(role, marks=pytest.mark.anywhere) for role in ROLES]
)
def test_no_answer_is_a_fault_of_the_program_and_each_is_as_described(
    world: World, make_user: UserMaker, app: Any, role: str
) -> None:
    from schemathesis.specs.openapi import checks as conformance

    world.applied()
    token = client_token(make_user, role)
    reader = issue_token(world.engineer)
    schema = schemathesis.openapi.from_wsgi("/api/v1/schema/?format=json", app, headers={"Authorization": f"Token {reader}"})
    headers = {"Authorization": f"Token {token}"} if token else {}
    held = [
        schemathesis.checks.not_a_server_error,
        conformance.status_code_conformance,
        conformance.content_type_conformance,
        conformance.response_schema_conformance,
    ]
    operations = [each.ok() for each in schema.get_all_operations()]
    assert len(operations) >= 90
    wrong, tally = [], Counter[int]()
    for place, operation in enumerate(operations):
        # In every run one role is asked all of it, and the others a share each; the option asks each role all.
        if role == "everything" or "SCHEMATHESIS_EXAMPLES" in os.environ or place % len(ROLES) == ROLES.index(role):
            for mode in schemathesis.GenerationMode:
                wrong += _asked(operation, mode, headers, held, tally)
    # The tally of a run: pytest -rP shows it.
    print(
        f"{role}: {sum(tally.values())} requests of {len(operations)} operations, seed {SEED}, answers {dict(sorted(tally.items()))}"
    )
    assert wrong == []
    assert sum(tally.values()) >= len(operations) / len(ROLES)
    assert {status for status in tally if status >= 500} == set()
    assert set(tally) <= {401, 411} if role == "nobody" else len(tally) > 1, tally


def _asked(operation: Any, mode: Any, headers: dict[str, str], held: list[Any], tally: Counter[int]) -> list[str]:
    """Ask one operation, and return what was wrong with its answers."""
    from schemathesis.core.failures import FailureGroup

    strategy = operation.as_strategy(generation_mode=mode)
    wrong: list[str] = []

    @seed(SEED)
    @settings(
        max_examples=EXAMPLES,
        deadline=None,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
        verbosity=Verbosity.quiet,
    )
    @given(case=strategy)
    def ask(case: Any) -> None:
        if mode.is_positive:
            # What is there: other numbers lead nowhere, and an answer that nothing is there is described soon enough.
            case.path_parameters.update({name: THERE[name] for name in case.path_parameters})
        response = case.call(headers=headers)
        tally[response.status_code] += 1
        try:
            case.validate_response(response, checks=held)
        except FailureGroup as error:
            wrong.append(
                f"{operation.label} {case.path_parameters} {case.query} {str(case.body)[:200]}: {response.status_code} {str(error)[:600]}"
            )

    ask()
    return wrong
