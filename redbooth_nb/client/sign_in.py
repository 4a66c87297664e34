"""Stage 2 as one object: the link to click, the wait for the answer, and the answer.

No cell blocks while a person decides. Where nobody is at the browser nothing listens: `paste()` takes the answer.
"""

from collections.abc import Callable

from redbooth_nb.client.authorize import AuthorizationRequest
from redbooth_nb.client.callback import ANSWERED, CANCELLED, DEFAULT_TIMEOUT, WAITING, CallbackListener, PortBusy
from redbooth_nb.client.response import AuthorizationResponse
from redbooth_nb.configuration import Configuration
from redbooth_nb.errors import NotYet, RedboothError, without_frames


class SignIn:
    """One attempt to get the user's permission. Returns at once; the answer arrives in `response`.

    timeout: seconds to wait. on_change: called after every change.
    notice: why nothing listens, if so; `paste()` then takes the answer.
    """

    def __init__(
        self,
        request: AuthorizationRequest,
        *,
        timeout: float = DEFAULT_TIMEOUT,
        on_change: Callable[[], None] = lambda: None,
    ) -> None:
        self.request = request
        self.notice = ""
        self._pasted: AuthorizationResponse | None = None
        self._listener: CallbackListener | None = None
        self._on_change = on_change
        if Configuration.read().unattended:
            return  # nothing will come by itself
        try:
            self._listener = CallbackListener(request, timeout=timeout, on_change=on_change)
            self._listener.start()
        except PortBusy as error:
            self._listener, self.notice = None, str(error)

    @property
    def link(self) -> str:
        """The address to open in the browser."""
        return self.request.link

    @property
    def status(self) -> str:
        """Where things stand: "waiting", "answered", "cancelled" or "timed out"."""
        if self._pasted is not None:
            return ANSWERED
        return self._listener.status if self._listener else WAITING

    @property
    def remaining(self) -> float | None:
        """The seconds in which the answer can still come by itself, None when nothing listens for it."""
        return self._listener.remaining if self._listener and self.status == WAITING else None

    @property
    def refused(self) -> list[RedboothError]:
        """Why answers that arrived were not taken; the wait went on."""
        return self._listener.refused if self._listener else []

    @property
    def response(self) -> AuthorizationResponse:
        """The answer. Raises NotYet while there is none."""
        found = self._pasted or (self._listener.response if self._listener else None)
        if found is None:
            raise NotYet(
                f"There is no answer yet (status: {self.status}).",
                remedy="Click the link above and decide, then run this cell again."
                if self.status == WAITING
                else "Run the cell that signs in once more, then click its new link.",
            )
        return found

    @without_frames
    def paste(self, callback_url: str) -> AuthorizationResponse:
        """Take the address the browser was sent to, copied by hand. Raises CallbackError or StateError."""
        self._pasted = AuthorizationResponse.read(callback_url, self.request)
        if self._listener:
            self._listener.finish()
        self._on_change()
        return self._pasted

    def cancel(self) -> None:
        """Stop waiting."""
        if self._listener and self._listener.status not in {ANSWERED, CANCELLED}:
            self._listener.cancel()

    def wait(self, seconds: float) -> bool:
        """Wait at most `seconds` for the answer; return whether it came. For scripts, not for cells."""
        if self._pasted is None and self._listener is not None:
            self._listener.wait(seconds)
        return self.status == ANSWERED

    def __repr__(self) -> str:
        """Say where things stand."""
        if self.status == ANSWERED:
            return self.response.describe()
        return f"Sign-in {self.status}."
