"""Times the API through gunicorn: what 16 clients ask at once and at a pace, and many entries by bulk requests, against ``post`` itself.

Run by ``make bench BENCH=api``; ENTRIES says how many are sent in bulk, PACES how many requests a second are sent in all. The last line is one JSON object:
milliseconds, processor time a request, the highest pace of each kind at which its aim was met, seconds, and the ratio to ``post``.
"""

import http.client
import io
import json
import multiprocessing
import os
import random
import shlex
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from time import perf_counter
from typing import Any

from tests.benchmarks import ground, paced
from tests.benchmarks.ground import percentiles, say

ENTRIES = int(os.environ.get("ENTRIES", "1000000"))
REQUESTS = int(os.environ.get("REQUESTS", "4000"))
A_REQUEST = 10_000
CLIENTS = 16
PACES = [int(each) for each in os.environ.get("PACES", "25,50,100,150,200").split(",")]
PACED_SECONDS = 8
PROCESSES = 2
DIRECT = min(ENTRIES, 100_000)
MACHINE = "machine-1"
RUNBOOK = Path("docs/runbooks/production-on-mariadb.md")


def report(_folder: Path) -> None:
    """Serve, ask, and print the figures."""
    from django.db import connections

    ground.prepare()
    token = open_machine()
    found: dict[str, Any] = {"entries": ENTRIES, "clients": CLIENTS}
    seconds: dict[str, float] = {}
    with ground.lap(seconds, "direct"):
        post_directly(DIRECT)
    accounts = account_ids()
    connections.close_all()
    with serving() as (port, process):
        for name, work in WORKS.items():
            found[name] = percentiles(at_once(work, port, token, accounts))
            say(f"{name}: {found[name]}")
        found["paced"] = {name: at_paces(name, port, process, token, accounts) for name in MESSAGES}
        with ground.lap(seconds, "bulk"), ThreadPoolExecutor(PROCESSES) as pool:
            parts = range(0, ENTRIES, A_REQUEST)
            list(pool.map(lambda first: send_bulk(port, token, first), parts))
    found["seconds"] = {name: round(taken, 2) for name, taken in seconds.items()}
    found["ratio"] = round((seconds["bulk"] / ENTRIES) / (seconds["direct"] / DIRECT), 2)
    print(json.dumps(found))


def open_machine() -> str:
    """Make the user of a program, and return its token."""
    from django.core.management import call_command

    from ingestion_app.demo import seeding
    from ledger_app.people.operations import people

    people.register(username=MACHINE, password=seeding.PASSWORD, group="machine", caller=ground.caller_of(None))
    said = io.StringIO()
    call_command("issue_token", MACHINE, stdout=said)
    return said.getvalue().split()[-1]


def account_ids() -> list[int]:
    """Return the accounts of the members' points, by number."""
    from ledger_app.models import Account

    return list(Account.objects.filter(book__code="CARD", role="receivable").values_list("id", flat=True))


@contextmanager
def serving() -> Iterator[tuple[int, int]]:
    """Serve as the runbook says, on a port of its own; yield the port and the process."""
    (command,) = [
        line.strip() for line in RUNBOOK.read_text(encoding="utf-8").splitlines() if line.strip().startswith("gunicorn ")
    ]
    words = shlex.split(command)
    place = words.index("--bind")
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port: int = listener.getsockname()[1]
    words[place + 1] = f"127.0.0.1:{port}"
    process = subprocess.Popen(
        [sys.executable, "-m", *words], env={**os.environ, "LOG_LEVEL": "ERROR", "KAKUTEI_REQUESTS_A_MINUTE": "1000000"}
    )
    try:
        while process.poll() is None:
            try:
                socket.create_connection(("127.0.0.1", port), timeout=1).close()
                break
            except OSError:
                time.sleep(0.1)
        yield port, process.pid
    finally:
        process.terminate()
        process.wait()


def at_paces(name: str, port: int, process: int, token: str, accounts: list[int]) -> dict[str, Any]:
    """Ask at each pace until the aim is missed; return what was found, and the highest pace at which it was met."""
    found: dict[str, Any] = {"met_at": 0}
    for pace in PACES:
        choose = random.Random(pace)
        keys = [choose.choice(accounts) for _place in range(pace * PACED_SECONDS)]
        made = [MESSAGES[name](token, f"paced-{pace}-{place}", key) for place, key in enumerate(keys)]
        before = processor_seconds(process)
        taken = paced.at_pace(port, made, a_second=pace, clients=CLIENTS, expected=404 if name == "floor" else 200)
        worked = [1000 * (after - begun) / len(made) for begun, after in zip(before, processor_seconds(process), strict=True)]
        found[str(pace)] = {**percentiles(taken), "cpu_serving": round(worked[0], 2), "cpu_database": round(worked[1], 2)}
        say(f"{name} at {pace} a second: {found[str(pace)]}")
        if found[str(pace)]["p99"] >= AIMS[name]:
            break
        found["met_at"] = pace
    return found


def processor_seconds(process: int) -> tuple[float, float]:
    """Return how long the server of requests has worked, and the server of the database, which is on this machine where its process is found."""
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute("SELECT @@pid_file")
        file = Path(cursor.fetchone()[0])
    database = [int(file.read_text(encoding="ascii"))] if file.exists() else []
    return paced.processor_seconds([process]), paced.processor_seconds(database)


Client = Callable[[int, str, list[int], int], list[float]]


def at_once(work: Client, port: int, token: str, accounts: list[int]) -> list[float]:
    """Have clients work at once, in a few processes, so that they do not wait for each other; return the seconds of each request."""
    each = REQUESTS // CLIENTS
    with multiprocessing.get_context("spawn").Pool(PROCESSES) as pool:
        given = [(work, port, token, accounts, each, number) for number in range(PROCESSES)]
        return [taken for part in pool.starmap(in_threads, given) for taken in part]


def in_threads(work: Client, port: int, token: str, accounts: list[int], count: int, process: int) -> list[float]:
    """Have the clients of one process work; the first requests of each warm the server up, and are not counted."""
    clients = CLIENTS // PROCESSES

    def run(number: int) -> list[float]:
        random.seed(1000 * process + number)
        return work(port, token, random.sample(accounts, count + 10), process * clients + number)[10:]

    with ThreadPoolExecutor(clients) as pool:
        return [taken for part in pool.map(run, range(clients)) for taken in part]


def read_balances(port: int, token: str, accounts: list[int], _number: int) -> list[float]:
    """Read balances, one after another, and nothing else of their accounts."""
    return [ask(port, token, "GET", f"/api/v1/accounts/{key}/?fields=balance")[0] for key in accounts]


def read_accounts(port: int, token: str, accounts: list[int], _number: int) -> list[float]:
    """Read accounts whole, with what can be spent and what may be done with each."""
    return [ask(port, token, "GET", f"/api/v1/accounts/{key}/")[0] for key in accounts]


def read_nothing(port: int, token: str, accounts: list[int], _number: int) -> list[float]:
    """Ask for what is not there: who asks is looked up, and nothing else. No answer of this server costs less."""
    return [ask(port, token, "GET", f"/api/v1/nothing-{key}/", expected=404)[0] for key in accounts]


def post_entries(port: int, token: str, accounts: list[int], number: int) -> list[float]:
    """Post entries, one a request, each under a key."""
    return [
        ask(port, token, "POST", "/api/v1/bulk/entries/", body([entry(f"one-{number}-{place}", key)]), f"one-{number}-{place}")[0]
        for place, key in enumerate(accounts)
    ]


WORKS: dict[str, Client] = {"floor": read_nothing, "balance": read_balances, "account": read_accounts, "entry": post_entries}


def message_of_nothing(token: str, _name: str, key: int) -> bytes:
    """Return a request for what is not there."""
    return paced.message("GET", f"/api/v1/nothing-{key}/", headers_of(token))


def message_of_balance(token: str, _name: str, key: int) -> bytes:
    """Return a request for a balance."""
    return paced.message("GET", f"/api/v1/accounts/{key}/?fields=balance", headers_of(token))


def message_of_entry(token: str, name: str, key: int) -> bytes:
    """Return a request to post an entry."""
    return paced.message("POST", "/api/v1/bulk/entries/", headers_of(token, name), body([entry(name, key)]))


MESSAGES: dict[str, Callable[[str, str, int], bytes]] = {
    "floor": message_of_nothing,
    "balance": message_of_balance,
    "entry": message_of_entry,
}
# Milliseconds, at the 99th percentile.
AIMS = {"floor": 20, "balance": 20, "entry": 60}


def headers_of(token: str, key: str = "") -> dict[str, str]:
    """Return what a request says of itself: whose it is and, where it posts, under which key."""
    headers = {"Authorization": f"Token {token}", "X-Forwarded-Proto": "https"}
    return headers | ({"Content-Type": "application/json", "Idempotency-Key": key} if key else {})


def send_bulk(port: int, token: str, first: int) -> None:
    """Send one request of many entries."""
    choose = random.Random(first)
    wanted = [entry(f"bulk-{first + place}", choose.randrange(1, ground.HOLDERS + 1)) for place in range(A_REQUEST)]
    _seconds, answer = ask(port, token, "POST", "/api/v1/bulk/entries/", body(wanted), f"bulk-{first}")
    assert json.loads(answer)["created"] == A_REQUEST, answer[:500]


def entry(reference: str, key: int) -> dict[str, Any]:
    """Return an entry of a member who buys in a store."""
    member, amount = 1 + key % ground.HOLDERS, 1 + key % 977
    lines = [{"account": f"receivable.{member}", "amount": amount}]
    lines.append({"account": f"settlement.{1 + key % ground.STORES}", "amount": -amount})
    return {"book": "CARD", "effective_on": "2017-01-15", "reference": reference, "lines": lines}


def body(entries: list[dict[str, Any]]) -> bytes:
    """Return the body of a request."""
    return json.dumps({"mode": "all", "entries": entries}).encode()


def ask(
    port: int, token: str, method: str, path: str, said: bytes = b"", key: str = "", expected: int = 200
) -> tuple[float, bytes]:
    """Send a request over a connection of its own; return how long it took, and the answer."""
    headers = headers_of(token, key)
    started = perf_counter()
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=600)
    connection.request(method, path, said or None, headers)
    answer = connection.getresponse()
    content = answer.read()
    connection.close()
    assert answer.status == expected, (answer.status, content[:500])
    return perf_counter() - started, content


def post_directly(count: int) -> None:
    """Post the like of what is sent, by ``post`` itself, as many in a transaction as in a request."""
    from datetime import date

    from ledger_app.base.operations import transactions
    from ledger_app.models import Account
    from ledger_app.posting.operations import entries
    from ledger_app.posting.rules.drafts import Draft
    from tests.support.origins import of_request

    caller = ground.caller_of(None)
    accounts = dict(Account.objects.filter(book__code="CARD").values_list("code", "id"))
    book_id = Account.objects.filter(book__code="CARD").values_list("book_id", flat=True)[0]
    choose = random.Random(0)
    for first in range(0, count, A_REQUEST):
        drafts = []
        for place in range(A_REQUEST):
            said = entry(f"direct-{first + place}", choose.randrange(1, ground.HOLDERS + 1))
            lines = tuple((accounts[line["account"]], line["amount"]) for line in said["lines"])
            drafts.append(Draft(book_id, date(2017, 1, 15), said["reference"], "", lines))
        origin = of_request(caller)
        transactions.run(partial(entries.post, drafts=drafts, origin=origin, caller=caller))


if __name__ == "__main__":
    ground.run(report)
