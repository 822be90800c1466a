"""Which requests are let in to the views: those whose body is whole, announced, of a kind and size that the view takes, and sent by a user who may send it.

A body that got lost on the way looks like one that was never sent. A transition that runs without the version, the reason or the control totals that
its caller wrote is the worst thing that can come of that, so what cannot be trusted is refused here, before any view runs, and for views to come too.
"""

import ipaddress
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from time import monotonic
from typing import Any, Final, TypeVar

from django.conf import settings
from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import PermissionDenied
from django.core.files.uploadhandler import FileUploadHandler
from django.core.handlers.asgi import ASGIRequest
from django.http import HttpRequest, UnreadablePostError
from django.http.response import HttpResponseBase
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from config.doors.api import problems
from config.doors.api.input import BODY_BYTES_MOST
from config.doors.api.problems import CUT, BodyRefused
from ledger_app.errors.card_numbers import masked_text
from ledger_app.errors.printable import REPLACEMENT, code_point, escaped, escaped_within, unseen
from ledger_app.models import User
from ledger_app.rights.queries.rights import rights_of

# What config.wsgi says of requests that came in over a connection: such a one announces a body, or has none.
ANNOUNCED: Final = "kakutei.announces_bodies"
FORM_BYTES_MOST: Final = 2_500_000
# What stands round a file in a form: names, boundaries, the other fields.
ROUND_FILES_BYTES: Final = 1_000_000
SECONDS_LEAST: Final = 60
BYTES_A_SECOND_LEAST: Final = 20_000
TAIL_BYTES: Final = 256
PIECE_BYTES: Final = 1 << 20

READING: Final = {"GET", "HEAD", "OPTIONS", "TRACE"}
FORM: Final = "application/x-www-form-urlencoded"
MULTIPART: Final = "multipart/form-data"
JSON: Final = "application/json"
LENGTH: Final = re.compile("[0-9]{1,18}", re.ASCII)
NOT_UTF8: Final = _("The form is not UTF-8.")
UNSEEN: Final = _(
    "What was typed at “{name}” has a character in it that cannot be seen: {escaped}, behind “{before}”. Go back, delete it there, and send it again."
)
BEFORE_MOST: Final = 30  # characters that are shown before the one that is not seen

Answer = Callable[[HttpRequest], HttpResponseBase]
View = TypeVar("View", bound=Callable[..., Any])


@dataclass(frozen=True, slots=True)
class Files:
    """What a view that takes files says of them: how many bytes a user with each right may send."""

    right: str
    bytes_most: Callable[[], int]


def takes_files(*, right: str, bytes_most: Callable[[], int]) -> Callable[[View], View]:
    """Say that a view takes files. Without this, a view is given none, and no body larger than a form."""

    def marked(view: View) -> View:
        view.takes_files = Files(right, bytes_most)  # type: ignore[attr-defined]  # functions carry what is said of them
        return view

    return marked


class OwnMachine:
    """Answers only the machine it runs on, as long as nobody has said what the server is for."""

    def __init__(self, get_response: Answer) -> None:
        """Keep what answers."""
        self._answer = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        """Answer, or say why not."""
        if settings.KAKUTEI_ANSWERS_OTHER_MACHINES or _is_here(request.META.get("REMOTE_ADDR", "")):
            return self._answer(request)
        sentence = _(
            "This server answers its own machine alone: it was started without KAKUTEI_ENVIRONMENT, or with keys that everybody knows."
        )
        return problems.answer(request, 403, "not_permitted", sentence)


class TrustedBodies:
    """Refuses a request whose body cannot be trusted before its view runs, and before anything reads it."""

    def __init__(self, get_response: Answer) -> None:
        """Keep what answers."""
        self._answer = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        """Answer; the body is looked at once it is known which view it is for."""
        return self._answer(request)

    def process_view(self, request: HttpRequest, view: Any, _args: Any, _kwargs: Any) -> HttpResponseBase | None:
        """Look at the request before its view, and before the check against forgery, which reads forms."""
        try:
            return self._look(request, view)
        except BodyRefused as refusal:
            return problems.answer(request, refusal.status, refusal.code, refusal.sentence, refusal.headers)

    def _look(self, request: HttpRequest, view: Any) -> HttpResponseBase | None:
        _look_at_the_way(request)
        length = _length(request)
        files = files_of(view, request.method or "")
        # For the upload's own handler, and for the API.
        request.__dict__["files_taken"] = files
        is_api = problems.is_for_programs(request)
        if not is_api:
            _look_for_the_unseen(list(request.GET.lists()))
        if request.method in READING:
            if length:
                raise BodyRefused(400, "body_not_taken", _("This method takes no body; one was sent."))
            return None
        # Servers that speak ASGI pass on bodies without a length too, and what reads them here goes by it.
        if length is None and (request.META.get(ANNOUNCED) or isinstance(request, ASGIRequest)):
            raise BodyRefused(411, "length_required", _("Say with Content-Length how long the body is; 0 where there is none."))
        if not length:
            return None
        is_form = not is_api and request.method == "POST"
        if is_api or is_form:
            _look_at_the_kind(request, _kinds(files, is_api=is_api))
        _look_at_the_size(length, _bytes_most(view, files, is_api=is_api))
        # Where requests keep what they read from.
        stream = WholeStream(request.__dict__["_stream"], length)
        request.__dict__["_stream"] = request.__dict__["body_stream"] = stream
        if not is_form:
            # The API asks for the right once it knows who is there, and reads then: see LookView. Pages read forms by POST alone.
            return None
        if files is not None and not request.user.is_authenticated:
            return redirect_to_login(request.get_full_path(), reverse("admin:login"))
        if files is not None and not may_send(files, request.user):
            raise PermissionDenied
        read_form(request)
        return None


def files_of(view: Any, method: str) -> Files | None:
    """Return what a view, or the action of a view of the API that a method stands for, says of files."""
    actions = getattr(view, "actions", None)
    handler = getattr(view.cls, actions.get(method.lower(), ""), None) if actions else view
    found: Files | None = getattr(handler, "takes_files", None)
    return found


def may_send(files: Files, user: Any) -> bool:
    """Return whether a user may send files; asked before they are read."""
    return isinstance(user, User) and files.right in rights_of(user)


def read_form(request: HttpRequest) -> None:
    """Read a form whole, files and all, so that no view is given a part of one.

    :raises BodyRefused: body_cut, body_too_large, shape_invalid
    """
    try:
        if request.content_type == FORM or files_taken(request) is None:
            # What holds no files is kept in memory: then it can be read again.
            body = request.body
            if request.content_type == FORM:
                body.decode()
        said = list(request.POST.lists())
    except UnreadablePostError as error:
        raise BodyRefused(400, "body_cut", CUT) from error
    except UnicodeDecodeError as error:
        raise BodyRefused(400, "shape_invalid", NOT_UTF8) from error
    ensure_whole(request)
    # Django puts it in the place of bytes that are no text.
    if any(REPLACEMENT in text for name, values in said for text in (name, *values)):
        raise BodyRefused(400, "shape_invalid", NOT_UTF8)
    _look_for_the_unseen(said)


def _look_for_the_unseen(said: Sequence[tuple[str, Sequence[object]]]) -> None:
    """Refuse a form or an address in which somebody says what nobody would see: two texts that look alike would not be. A password is seen by nobody anyway.

    :raises BodyRefused: shape_invalid
    """
    for name, values in said:
        for text in (name, *map(str, values)):
            if "password" not in name and (found := unseen(text, may_have_lines=True)):
                before = masked_text(text.partition(found)[0])[-BEFORE_MOST:]
                told = {"name": escaped(name)[:BEFORE_MOST], "escaped": code_point(found), "before": escaped_within(before)}
                raise BodyRefused(400, "shape_invalid", str(UNSEEN).format(**told))


def files_taken(request: HttpRequest | None) -> Files | None:
    """Return what the view of a request says of files."""
    found: Files | None = getattr(request, "files_taken", None)
    return found


def ensure_whole(request: HttpRequest) -> None:
    """Refuse a form with files that has been read and had no end: the one who cut it has told a length that fits.

    :raises BodyRefused: body_cut
    """
    stream = getattr(request, "body_stream", None)
    boundary = (request.content_params or {}).get("boundary", "")
    if stream is None or request.content_type != MULTIPART or not boundary:
        return
    stream.finish()
    if not stream.tail.rstrip(b"\r\n").endswith(b"--" + boundary.encode() + b"--"):
        raise BodyRefused(400, "body_cut", CUT)


class WholeStream:
    """A body of a known length. It is given whole: where it ends before, or comes too slowly, reading it fails."""

    def __init__(self, stream: Any, length: int) -> None:
        """Read ``length`` bytes of ``stream``, within the time that so many may take."""
        self._stream = stream
        self._left = length
        self._until = monotonic() + SECONDS_LEAST + length / BYTES_A_SECOND_LEAST
        self.tail = b""

    def read(self, size: int | None = -1, /) -> bytes:
        """Return ``size`` bytes, fewer only where so many are not left.

        :raises OSError: the body ended before its end, or came too slowly
        """
        wanted = self._left if size is None or size < 0 else min(size, self._left)
        pieces: list[bytes] = []
        while wanted:
            piece = self._stream.read(min(wanted, PIECE_BYTES))
            if not piece or monotonic() > self._until:
                raise OSError("the body ended before its end" if not piece else "the body came too slowly")
            pieces.append(piece)
            wanted -= len(piece)
            self._left -= len(piece)
        found = b"".join(pieces)
        self.tail = (self.tail + found[-TAIL_BYTES:])[-TAIL_BYTES:]
        return found

    def readline(self, size: int | None = -1, /) -> bytes:
        """Return one line; only what parses forms reads bodies here, and it reads no lines."""
        line = b""
        while (size is None or size < 0 or len(line) < size) and not line.endswith(b"\n") and (byte := self.read(1)):
            line += byte
        return line

    def finish(self) -> None:
        """Read what is left."""
        while self.read(PIECE_BYTES):
            pass

    def close(self) -> None:
        """Let go of the stream, which is the server's."""


class CountedUpload(FileUploadHandler):
    """Counts the bytes of each file as they come in, before they are kept anywhere."""

    def new_file(self, *args: Any, **kwargs: Any) -> None:
        """Begin a file, where the view takes any."""
        super().new_file(*args, **kwargs)
        if files_taken(self.request) is None:
            raise BodyRefused(400, "body_not_taken", _("This page takes no files; one was sent."))

    def receive_data_chunk(self, raw_data: bytes, start: int) -> bytes:
        """Pass on what came in, as long as it is not too much."""
        files = files_taken(self.request)
        _look_at_the_size(start + len(raw_data), files.bytes_most() if files is not None else 0)
        return raw_data

    def file_complete(self, file_size: int) -> None:
        """Leave the file to the upload handler that keeps it."""
        del file_size


def _look_at_the_way(request: HttpRequest) -> None:
    """Refuse what says that the body is not what came in, or not all of it."""
    if "HTTP_TRANSFER_ENCODING" in request.META:
        raise BodyRefused(
            411, "length_required", _("Bodies in pieces (Transfer-Encoding) are not read: send the same with Content-Length.")
        )
    if request.headers.get("Expect", "100-continue").lower() != "100-continue":
        raise BodyRefused(417, "expectation_failed", _("The only thing that can be expected here is 100-continue."))
    if request.headers.get("Content-Encoding", "identity").strip().lower() != "identity":
        sentence = _("Compressed bodies are not read: send the same without Content-Encoding.")
        raise BodyRefused(415, "unsupported_media_type", sentence, {"Accept-Encoding": "identity"})


def _length(request: HttpRequest) -> int | None:
    said = str(request.META.get("CONTENT_LENGTH") or "")
    if said and LENGTH.fullmatch(said) is None:
        raise BodyRefused(400, "shape_invalid", _("Content-Length is no whole number."))
    return int(said) if said else None


def _kinds(files: Files | None, *, is_api: bool) -> tuple[str, ...]:
    if is_api:
        return (MULTIPART,) if files is not None else (JSON,)
    return (FORM, MULTIPART)


def _look_at_the_kind(request: HttpRequest, kinds: tuple[str, ...]) -> None:
    """Refuse a body of a kind that the view does not read, or in an encoding that nobody asked it to guess."""
    if request.content_type not in kinds:
        sentence = _("The body is “{kind}”; here it must be {kinds}.")
        raise BodyRefused(
            415,
            "unsupported_media_type",
            str(sentence).format(kind=escaped(request.content_type or "")[:60], kinds=" / ".join(kinds)),
        )
    charset = (request.content_params or {}).get("charset", "utf-8").strip('"').lower()
    if charset not in {"utf-8", "utf8"}:
        raise BodyRefused(415, "unsupported_media_type", _("Bodies are read as UTF-8; this one says that it is something else."))


def _bytes_most(view: Any, files: Files | None, *, is_api: bool) -> int:
    if files is not None:
        return files.bytes_most() + ROUND_FILES_BYTES
    if not is_api:
        return FORM_BYTES_MOST
    parsers: Sequence[Any] = getattr(view, "initkwargs", {}).get("parser_classes") or view.cls.parser_classes
    return max((getattr(parser, "bytes_most", 0) for parser in parsers), default=0) or BODY_BYTES_MOST


def _look_at_the_size(size: int, most: int) -> None:
    if size > most:
        raise BodyRefused(
            413, "body_too_large", str(_("What was sent is too large; here it may be {most} bytes.")).format(most=most)
        )


def _is_here(address: str) -> bool:
    """Whether a request comes from this machine; over a socket of the file system it has no address."""
    try:
        return not address or ipaddress.ip_address(address).is_loopback
    except ValueError:
        return False
