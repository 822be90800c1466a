"""Through the real server: a request whose body was changed or lost on the way does nothing, at any door, and is told why."""

import gzip
import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from config.doors.api.views import DoorView
from ingestion_app.models import Batch
from tests.support import world as worlds
from tests.support.serving import Answer, Server
from tests.support.wire_doors import Door, doors, views_of_api
from tests.wire.conftest import everything

pytestmark = [pytest.mark.anywhere, pytest.mark.serial, pytest.mark.django_db(transaction=True)]

AT_ONCE = 8
BODY = json.dumps({"version": 99_999, "reason": "a guard that must not be lost"}).encode()
FORM = b"version=99999&reason=a+guard+that+must+not+be+lost"
BOUNDARY = "the-edge"
PARTS = (
    f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="source"\r\n\r\ntill\r\n'
    f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="file"; filename="till-2017-01-09-9.csv"\r\n\r\nR,whole,lines,only\n'
).encode()
JSON_KIND, FORM_KIND = "application/json", "application/x-www-form-urlencoded"
MULTIPART_KIND = f"multipart/form-data; boundary={BOUNDARY}"


def chunked(body: bytes) -> bytes:
    return b"%x\r\n%s\r\n0\r\n\r\n" % (len(body), body)


# How a body may come in, whatever it is: what is added to the head, the body as it is sent, the version, and what it is answered with.
Way = tuple[Callable[[bytes], list[str]], Callable[[bytes], bytes], str, tuple[int, str]]
WAYS: dict[str, Way] = {
    "chunked": (lambda _body: ["Transfer-Encoding: chunked"], chunked, "HTTP/1.1", (411, "length_required")),
    "chunked, in capitals": (lambda _body: ["TRANSFER-ENCODING: Chunked"], chunked, "HTTP/1.1", (411, "length_required")),
    "chunked with a trailer": (
        lambda _body: ["Transfer-Encoding: chunked", "Trailer: X-Sum"],
        lambda body: chunked(body)[:-2] + b"X-Sum: 1\r\n\r\n",
        "HTTP/1.1",
        (411, "length_required"),
    ),
    "chunked and cut": (
        lambda _body: ["Transfer-Encoding: chunked"],
        lambda body: chunked(body)[:9],
        "HTTP/1.1",
        (411, "length_required"),
    ),
    "gzip, then chunked": (
        lambda _body: ["Transfer-Encoding: gzip, chunked"],
        lambda body: chunked(gzip.compress(body)),
        "HTTP/1.1",
        (411, "length_required"),
    ),
    "another coding": (lambda _body: ["Transfer-Encoding: pieces"], chunked, "HTTP/1.1", (501, "transfer_coding_unknown")),
    "a length and chunked": (
        lambda body: [f"Content-Length: {len(body)}", "Transfer-Encoding: chunked"],
        chunked,
        "HTTP/1.1",
        (400, "shape_invalid"),
    ),
    "two lengths": (
        lambda body: [f"Content-Length: {len(body)}", "Content-Length: 0"],
        bytes,
        "HTTP/1.1",
        (400, "shape_invalid"),
    ),
    "one length twice": (lambda body: [f"Content-Length: {len(body)}"] * 2, bytes, "HTTP/1.1", (400, "shape_invalid")),
    "a list of lengths": (lambda body: [f"Content-Length: {len(body)}, {len(body)}"], bytes, "HTTP/1.1", (400, "shape_invalid")),
    "a length with a sign": (lambda body: [f"Content-Length: +{len(body)}"], bytes, "HTTP/1.1", (400, "shape_invalid")),
    "a length that is none": (lambda _body: ["Content-Length: all"], bytes, "HTTP/1.1", (400, "shape_invalid")),
    "an underscore in the length's name": (
        lambda body: [f"Content_Length: {len(body)}"],
        bytes,
        "HTTP/1.1",
        (400, "shape_invalid"),
    ),
    "a folded header": (lambda _body: ["X-A: 1", " Content-Length: 5"], bytes, "HTTP/1.1", (400, "shape_invalid")),
    "no length": (lambda _body: [], bytes, "HTTP/1.1", (411, "length_required")),
    "no length in HTTP/1.0": (lambda _body: [], bytes, "HTTP/1.0", (411, "length_required")),
    "chunked in HTTP/1.0": (lambda _body: ["Transfer-Encoding: chunked"], chunked, "HTTP/1.0", (400, "shape_invalid")),
    "shorter than it says": (
        lambda body: [f"Content-Length: {len(body)}"],
        lambda body: body[:-5],
        "HTTP/1.1",
        (400, "body_cut"),
    ),
    "much longer than it says": (lambda body: [f"Content-Length: {len(body) + 9}"], bytes, "HTTP/1.1", (400, "body_cut")),
    "compressed": (
        lambda body: [f"Content-Length: {len(gzip.compress(body, mtime=0))}", "Content-Encoding: gzip"],
        lambda body: gzip.compress(body, mtime=0),
        "HTTP/1.1",
        (415, "unsupported_media_type"),
    ),
    "said to be compressed": (
        lambda body: [f"Content-Length: {len(body)}", "Content-Encoding: br"],
        bytes,
        "HTTP/1.1",
        (415, "unsupported_media_type"),
    ),
    "an expectation": (
        lambda body: [f"Content-Length: {len(body)}", "Expect: the-best"],
        bytes,
        "HTTP/1.1",
        (417, "expectation_failed"),
    ),
    "far too large": (lambda _body: ["Content-Length: 9000000000"], bytes, "HTTP/1.1", (413, "body_too_large")),
}
# Ways that are no fault of the connection but of the kind that is said of the body.
KINDS: dict[str, tuple[list[str], bytes, tuple[int, str]]] = {
    "a kind that is not read": (["Content-Type: text/plain"], BODY, (415, "unsupported_media_type")),
    "no kind": ([], BODY, (415, "unsupported_media_type")),
    "an empty kind": (["Content-Type:"], BODY, (415, "unsupported_media_type")),
    "another charset": ([f"Content-Type: {JSON_KIND}; charset=shift_jis"], BODY, (415, "unsupported_media_type")),
}
# What JSON may not be. One test each, at every door that takes it.
TEXTS: dict[str, bytes] = {
    "no JSON": b"version=1",
    "a byte order mark": b"\xef\xbb\xbf" + BODY,
    "UTF-16": BODY.decode().encode("utf-16"),
    "Latin-1": '{"reason": "é"}'.encode("latin-1"),
    "a name that stands twice": b'{"reason": "a", "reason": "b"}',
    "a name that stands twice, deep within": b'{"reason": {"a": 1, "a": 2}}',
    "no number": b'{"version": NaN}',
    "without end": b'{"version": Infinity}',
    "too large for a float": b'{"version": 1e999}',
    "a number of five thousand digits": b'{"version": ' + b"9" * 5000 + b"}",
    "deep": b'{"reason": ' + b"[" * 200_000 + b"]" * 200_000 + b"}",
    "a list": b"[" + BODY + b"]",
    "a word": b'"withdraw"',
    "a number": b"1",
    "two values": BODY + BODY,
    "a comment": BODY + b" // sure",
    "single quotes": b"{'version': 1}",
    "a comma too much": b'{"version": 1,}',
    "a control character": b'{"reason": "\x00"}',
    "cut, with a length that fits": BODY[:-9],
}


# Asked at the pages that Django makes of each model too, which are one view for all; other ways at what is written here.
EVERYWHERE = {"chunked", "no length", "shorter than it says", "compressed"}


def kind_of(door: Door) -> str:
    if door.takes_files:
        return MULTIPART_KIND
    return JSON_KIND if door.is_api else FORM_KIND


def body_of(door: Door) -> bytes:
    if door.takes_files:
        return PARTS + f"--{BOUNDARY}--\r\n".encode()
    return BODY if door.is_api else FORM


def who(door: Door, token: str, session: tuple[str, str]) -> list[str]:
    return [token] if door.is_api else list(session)


def ask(server: Server, chosen: list[Door], one: Callable[[Door], Answer]) -> list[tuple[Door, Answer]]:
    with ThreadPoolExecutor(AT_ONCE) as threads:
        return list(zip(chosen, threads.map(one, chosen), strict=True))


def wrong(answered: list[tuple[Door, Answer]], status: int, code: str, *, by_server: bool = False) -> list[Any]:
    """Return what is not answered as it must be: as a problem to programs, as a page to people."""
    found: list[Any] = []
    for door, answer in answered:
        is_problem = door.is_api or by_server
        kind = answer.headers.get("content-type", "")
        if answer.status != status or not kind.startswith("application/problem+json" if is_problem else "text/html"):
            found.append((door, answer.status, kind, answer.body[:200]))
        elif is_problem and (json.loads(answer.body)["code"], json.loads(answer.body)["status"]) != (code, status):
            found.append((door, answer.body[:200]))
        elif answer.headers.get("cache-control") in {None, ""} or "no-store" not in answer.headers["cache-control"]:
            found.append((door, answer.headers))
    return found


def test_every_door_for_programs_reads_bodies_as_the_others_do() -> None:
    assert len(views_of_api()) > 40
    assert [view for view in views_of_api() if not issubclass(view.cls, DoorView)] == []


@pytest.mark.parametrize("server", ["made_server", "production_server"], indirect=True)
@pytest.mark.parametrize("way", WAYS)
def test_a_body_that_came_in_in_this_way_has_no_effect_at_any_door(
    server: Server, token: str, session: tuple[str, str], way: str
) -> None:
    says, sent, version, (status, code) = WAYS[way]
    is_production = server.host != "localhost"
    is_asked_everywhere = way in EVERYWHERE and not is_production
    chosen = [door for door in doors() if door.is_api or is_asked_everywhere or not (is_production or door.is_of_django)]
    # The same program behind other settings: what they change, each fourth door tells.
    chosen = chosen[::4] if is_production else chosen
    before = everything()

    def one(door: Door) -> Answer:
        body = body_of(door)
        head = server.head(
            door.method, door.path, *who(door, token, session), f"Content-Type: {kind_of(door)}", *says(body), version=version
        )
        return server.send(head, sent(body), ends=True)

    answered = ask(server, chosen, one)
    # What cannot be read as a request is refused by the server itself, which does not know yet what for.
    is_by_server = status in {501, 417} or (status == 400 and code != "body_cut")
    assert wrong(answered, status, code, by_server=is_by_server) == []
    assert everything() == before


@pytest.mark.parametrize("kind", KINDS)
def test_a_body_of_a_kind_that_is_not_read_has_no_effect_at_any_door(
    server: Server, token: str, session: tuple[str, str], kind: str
) -> None:
    lines, body, (status, code) = KINDS[kind]
    before = everything()

    def one(door: Door) -> Answer:
        head = server.head(door.method, door.path, *who(door, token, session), *lines, f"Content-Length: {len(body)}")
        return server.send(head, body)

    assert wrong(ask(server, [door for door in doors() if not door.is_of_django], one), status, code) == []
    assert everything() == before


@pytest.mark.parametrize("text", TEXTS)
def test_a_body_that_is_no_json_has_no_effect_at_any_door(server: Server, token: str, text: str) -> None:
    before = everything()

    def one(door: Door) -> Answer:
        body = TEXTS[text]
        lines = (token, f"Content-Type: {JSON_KIND}", f"Content-Length: {len(body)}")
        return server.send(server.head(door.method, door.path, *lines), body)

    chosen = [door for door in doors() if door.is_api and not door.takes_files]
    assert wrong(ask(server, chosen, one), 400, "shape_invalid") == []
    assert everything() == before


@pytest.mark.parametrize("body", [PARTS, PARTS + b"--the-ed", PARTS[:-9]], ids=["no end", "half an end", "half a file"])
def test_a_form_without_its_end_has_no_effect_at_any_door(
    server: Server, token: str, session: tuple[str, str], body: bytes
) -> None:
    before = everything()

    def one(door: Door) -> Answer:
        lines = (*who(door, token, session), f"Content-Type: {MULTIPART_KIND}", f"Content-Length: {len(body)}")
        return server.send(server.head(door.method, door.path, *lines), body)

    chosen = [door for door in doors() if door.takes_files or not (door.is_api or door.is_of_django)]
    answered = [(door, answer) for door, answer in ask(server, chosen, one)]
    assert wrong([each for each in answered if each[0].takes_files], 400, "body_cut") == []
    assert [each for each in answered if each[1].status != 400] == []
    assert everything() == before


@pytest.mark.parametrize("body", [b"reason=%E9", b"reason=\x83e\x83X\x83g"], ids=["quoted Latin-1", "bare Shift_JIS"])
def test_a_form_that_is_not_utf_8_has_no_effect_at_any_door(server: Server, session: tuple[str, str], body: bytes) -> None:
    before = everything()

    def one(door: Door) -> Answer:
        lines = (*session, f"Content-Type: {FORM_KIND}", f"Content-Length: {len(body)}")
        return server.send(server.head(door.method, door.path, *lines), body)

    assert (
        wrong(ask(server, [door for door in doors() if not (door.is_api or door.is_of_django)], one), 400, "shape_invalid") == []
    )
    assert everything() == before


@pytest.mark.parametrize("method", ["GET", "HEAD", "OPTIONS"])
def test_what_reads_takes_no_body(server: Server, token: str, session: tuple[str, str], method: str) -> None:
    def one(door: Door) -> Answer:
        lines = (*who(door, token, session), f"Content-Type: {kind_of(door)}", f"Content-Length: {len(BODY)}")
        return server.send(server.head(method, door.path, *lines), BODY)

    assert [each for each in ask(server, doors(), one) if each[1].status != 400] == []


@pytest.mark.parametrize("method", ["DELETE", "PUT", "PATCH"])
def test_no_door_has_a_method_that_is_not_among_the_doors(server: Server, token: str, method: str) -> None:
    before = everything()

    def one(door: Door) -> Answer:
        lines = (token, f"Content-Type: {kind_of(door)}", f"Content-Length: {len(body_of(door))}")
        return server.send(server.head(method, door.path, *lines), body_of(door))

    chosen = [door for door in doors() if door.is_api]
    assert [each for each in ask(server, chosen, one) if each[1].status not in {405, 415}] == []
    assert everything() == before


def transition(world: worlds.World) -> str:
    return f"/api/v1/batches/{world.receive().pk}/transitions/withdraw/"


def test_control_the_same_request_has_its_effect_when_it_comes_in_whole(server: Server, world: worlds.World, token: str) -> None:
    path = transition(world)
    body = json.dumps({"version": 1, "reason": "it was the wrong file"}).encode()
    lines = (token, f"Content-Type: {JSON_KIND}", f"Content-Length: {len(body)}")
    stale = server.send(server.head("POST", path, token, f"Content-Type: {JSON_KIND}", f"Content-Length: {len(BODY)}"), BODY)
    assert (stale.status, json.loads(stale.body)["code"]) == (409, "stale")
    done = server.send(server.head("POST", path, *lines), body)
    assert (done.status, json.loads(done.body)["state"]) == (200, "withdrawn")


def test_a_body_that_waits_to_be_asked_for_is_asked_for_and_read(server: Server, world: worlds.World, token: str) -> None:
    path = transition(world)
    lines = (token, f"Content-Type: {JSON_KIND}", f"Content-Length: {len(BODY)}", "Expect: 100-continue")
    with server.open(server.head("POST", path, *lines)) as connection:
        assert connection.recv(100).startswith(b"HTTP/1.1 100 Continue\r\n\r\n")
        connection.sendall(BODY)
        said = b""
        while piece := connection.recv(65_536):
            said += piece
    assert said.startswith(b"HTTP/1.1 409 ")
    assert said.count(b"HTTP/1.1 ") == 1


def test_what_follows_a_request_on_its_connection_is_no_request(server: Server, world: worlds.World, token: str) -> None:
    path = transition(world)
    whole = json.dumps({"version": 1, "reason": "smuggled"}).encode()
    first = server.head("POST", path, token, f"Content-Type: {JSON_KIND}", f"Content-Length: {len(BODY)}") + BODY
    second = server.head("POST", path, token, f"Content-Type: {JSON_KIND}", f"Content-Length: {len(whole)}") + whole
    answer = server.send(first + second, ends=True)
    assert (answer.status, answer.headers["connection"]) == (409, "close")
    assert b"HTTP/1.1" not in answer.body
    assert Batch.objects.get().state == "received"


def test_the_method_is_the_one_of_the_first_line(server: Server, world: worlds.World, token: str) -> None:
    path = transition(world)
    for header in ("X-HTTP-Method-Override: POST", "X-HTTP-Method: POST", "X-Method-Override: POST"):
        assert server.send(server.head("GET", path, token, header)).status == 405
