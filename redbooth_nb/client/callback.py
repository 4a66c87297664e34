"""Stage 2, waiting for the answer: the browser brings it, or somebody pastes the address where it ended up.

Both end in `SignIn.paste`. Nothing blocks while a person decides. The listener is open before the link is shown,
takes one answer, and shows and logs nothing of what it was sent (RFC 8252 section 7.3).
"""

import errno
import logging
import time
from collections.abc import Callable
from contextlib import suppress
from enum import StrEnum
from urllib.parse import urlsplit

from redbooth_nb.client.authorize import AuthorizationRequest, PendingAuthorization
from redbooth_nb.client.errors import StoreError, failure
from redbooth_nb.client.loopback import HTTP_PORT, LoopbackServer, Page
from redbooth_nb.client.response import AuthorizationResponse
from redbooth_nb.configuration import leave_port_note, port_holder
from redbooth_nb.errors import NotYet, RedboothError, only_kit_errors
from redbooth_nb.provider.delivery import LOOPBACK_HOSTS
from redbooth_nb.secret import same_text

DEFAULT_TIMEOUT = 600.0  # seconds, as long as an authorization code lives
TITLES = {"allowed": "You allowed access", "denied": "You denied access", "failed": "Redbooth reported an error"}
NEWER = {"for_newer_request", "superseded"}  # problems of a StateError: a newer request was made
MOST_REFUSALS = 5  # kept with their reasons


class Status(StrEnum):
    WAITING = "waiting"
    ANSWERED = "answered"
    CANCELED = "canceled"
    TIMED_OUT = "timed out"
    REPLACED = "replaced by a newer one"
    USED = "already answered"


class SignIn:
    """One attempt to get the user's permission. The answer arrives later, in `response`.

    timeout: seconds to wait at most. listen: whether to listen for the browser from the beginning; see `listen()`.
    on_change: called when `status` changes or an answer is refused, in the thread where that happens.
    notice: why it cannot listen, "" unless that was tried; `paste()` takes the answer in any case.
    refused: the reasons for the last few refusals, whether pasted or from a browser.
    """

    def __init__(
        self,
        request: AuthorizationRequest,
        *,
        timeout: float = DEFAULT_TIMEOUT,
        listen: bool = True,
        on_change: Callable[[], object] = lambda: None,
    ) -> None:
        self.request, self.notice = request, ""
        self.refused: list[RedboothError] = []
        self._response: AuthorizationResponse | None = None
        self._ended = _over(request)  # why the wait ended early
        self._on_change, self._until = on_change, time.monotonic() + timeout
        self._server: LoopbackServer | None = None
        if listen:
            self.listen()

    @property
    def status(self) -> Status:
        if self._response is not None:
            return Status.ANSWERED
        return self._ended or (Status.TIMED_OUT if time.monotonic() >= self._until else Status.WAITING)

    def listen(self) -> None:
        """Listen for the browser at the redirect URI, until the end. `notice` says so if that is impossible."""
        self.notice = str(self._listen() or "")

    @property
    def response(self) -> AuthorizationResponse:
        """The answer. Raises NotYet while there is none."""
        if self._response is None:
            code = "waiting" if self.status is Status.WAITING else "over"
            raise failure(NotYet, "listener", code, status=self.status)
        return self._response

    @only_kit_errors
    def paste(self, callback_url: str) -> AuthorizationResponse:
        """Take the address the browser ended up at. After an error the wait goes on, unless a newer request exists."""
        try:
            self._response = AuthorizationResponse.read(callback_url, self.request)
        except RedboothError as error:
            self.refused = [*self.refused, error.fresh()][-MOST_REFUSALS:]
            if getattr(error, "problem", "") in NEWER:
                self._end(Status.REPLACED)
            self._changed()
            raise
        self._stop()
        return self._response

    def cancel(self) -> None:
        """Stop waiting; an answer that has arrived is kept."""
        self._end(Status.CANCELED)

    def follow(self) -> None:
        """End the wait if a newer request has been made: nothing can answer this one anymore."""
        if _over(self.request) is Status.REPLACED:
            self._end(Status.REPLACED)

    def _end(self, status: Status) -> None:
        """End the wait, unless it has ended. An answer can still be pasted."""
        if self._response is None and self._ended is None:
            self._ended = status if self.status is Status.WAITING else self.status
            self._stop()

    def _stop(self) -> None:
        if self._server is not None and self._server.is_alive():
            self._server.stop()  # it announces the change when it ends
        else:
            self._changed()

    def wait(self, seconds: float) -> bool:
        """Wait at most `seconds` for the listener to get the answer; return whether it came. For scripts, not cells."""
        if self._server is not None:
            self._server.join(seconds)
        return self.status is Status.ANSWERED

    def _changed(self) -> None:
        try:
            self._on_change()
        except (Exception, SystemExit) as error:  # somebody else's function; by name only: frames may lead to secrets
            logging.getLogger(__name__).warning("on_change failed: %s", type(error).__name__)

    def _listen(self) -> RedboothError | None:
        uri = urlsplit(self.request.redirect_uri)
        host, port = uri.hostname or "", HTTP_PORT if uri.port is None else uri.port
        if uri.scheme != "http" or host not in LOOPBACK_HOSTS:
            return failure(RedboothError, "listener", "elsewhere", uri=self.request.redirect_uri)
        if self._server is not None or self.status is not Status.WAITING:
            return None
        if earlier := _sign_ins.get(port):  # its thread may remove it at any moment
            earlier._end(Status.REPLACED)  # a cell that is run again replaces its own listener
        note = self.request.settings.folder.parents[1] / f"listener-{port}.json"

        def ended() -> None:
            if _sign_ins.get(port) is self:  # else the note is a newer one's
                del _sign_ins[port]
                with suppress(OSError):
                    note.unlink(missing_ok=True)
            self._changed()

        seconds = self._until - time.monotonic() + 0.02  # a little longer: at its end `status` is TIMED_OUT
        try:
            server = LoopbackServer(host, port, seconds, self._answer, ended)
        except OSError as error:
            code = "busy" if error.errno == errno.EADDRINUSE else "closed"
            return failure(RedboothError, "listener", code, port=port, reason=error.strerror, holder=port_holder(note))
        _sign_ins[port], self._server = self, server
        leave_port_note(note)
        try:
            server.start()
        except RuntimeError:  # as in a browser's own Python, which has no threads
            server.close()
            ended()
            self._server = None
            return failure(RedboothError, "listener", "no_thread")
        return None

    def _answer(self, target: str) -> Page:
        """Return the page for `target`, the path and query that a browser asked for; take the answer to our request."""
        uri = urlsplit(self.request.redirect_uri)
        if target.partition("?")[0] != (uri.path or "/"):
            return Page(404, "Nothing here", "Only requests to the redirect URI are answered.")
        answered = Page(410, "Already answered", "The notebook has its answer. You can close this tab.")
        if self._response is not None:
            return answered
        try:
            response = self.paste(f"{uri.scheme}://{uri.netloc}{target}")
        except RedboothError as error:
            problem = getattr(error, "problem", "")  # of a StateError
            if problem == "used":
                return answered
            if problem in NEWER:
                return Page(410, "There is a newer sign-in", f"{error.what} {error.remedy}")
            title = "The answer could not be kept" if isinstance(error, StoreError) else "Not the answer"
            return Page(400, title, f"{error.what} The notebook is still waiting.")
        return Page(200, TITLES[response.outcome], "You can close this tab and go back to the notebook.")

    def __repr__(self) -> str:
        return self.response.describe() if self.status is Status.ANSWERED else f"Sign-in {self.status}."


def _over(request: AuthorizationRequest) -> Status | None:
    """Return why a request can no longer be answered, None when it can."""
    with suppress(NotYet, StoreError):
        record = PendingAuthorization(request.settings).load()
        answered = Status.USED if record["answered"] else None
        return answered if same_text(record["state"], request.state) else Status.REPLACED
    return None


_sign_ins: dict[int, SignIn] = {}
