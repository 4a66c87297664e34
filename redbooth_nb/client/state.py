"""Stage 2, the proof that an answer belongs to our request (RFC 6749 section 10.12)."""

from typing import Any

from redbooth_nb.client.authorize import NONCE_NAME, AuthorizationRequest
from redbooth_nb.client.secret import same_text
from redbooth_nb.errors import RedboothError

AGAIN = "Make a new AuthorizationRequest and click the new link."


class CallbackError(RedboothError):
    """A callback URL cannot be used. The request under way stays open."""


class StateError(CallbackError):
    """`state` does not prove that the answer belongs to our request. received: as it came back, None when absent."""

    received: str | None = None


class StateMismatch(StateError):  # noqa: N818  (named as the field names it)
    """`state` came back with another value."""


class StateStale(StateError):  # noqa: N818
    """`state` belongs to an earlier request."""


class StateEmpty(StateError):  # noqa: N818
    """`state` came back without a value."""


class StateMissing(StateError):  # noqa: N818
    """`state` did not come back, and nothing else proves where the answer belongs."""


class StateAlreadyUsed(StateError):  # noqa: N818
    """The request was answered before; an answer counts once."""


def check_state(
    fields: dict[str, str], request: AuthorizationRequest, record: dict[str, Any], *, accept_missing: bool
) -> str:
    """Return how the answer was matched to the request. Raises StateError."""
    reference = "RFC 6749 section 10.12"
    mine = same_text(str(record["state"]), request.state)
    if mine and record["answered"]:
        raise StateAlreadyUsed(
            "This request was answered before, and an answer counts once.", remedy=AGAIN, reference=reference
        )
    if not mine:
        raise StateStale(
            "A newer request was made since this one.",
            why="Only the newest counts.",
            remedy=AGAIN,
            reference=reference,
        )
    state = fields.get("state")
    if state is not None and state and same_text(state, request.state):
        return "the same that was sent"
    if state is None:
        if request.nonce and same_text(fields.get(NONCE_NAME, ""), request.nonce):
            return "absent, but the random part of the redirect URI came back and proves the same"
        if accept_missing:
            return "absent, and accepted because you said so"
        raise StateMissing(
            "Redbooth did not send state back, so nothing proves whose answer this is.",
            why="Somebody else's code may have been put into this address.",
            remedy="Make the request with AuthorizationRequest.new(nonce=True): the redirect URI then carries "
            "a second proof that comes back.",
            reference=reference,
        )
    if not state:
        raise StateEmpty("state came back empty.", why="The answer was changed on its way.", remedy=AGAIN)
    if any(same_text(state, str(old)) for old in record["stale_states"]):
        raise StateStale("This answer belongs to an earlier request.", remedy=AGAIN, reference=reference)
    raise StateMismatch(
        "state came back with another value: this is not the answer to your request.",
        why="Somebody may be trying to make your app use their code. It was not sent anywhere.",
        remedy=AGAIN,
        reference=reference,
    )
