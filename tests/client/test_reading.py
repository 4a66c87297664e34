"""How short the way is from what a person presses to the wire: few frames of the kit, so that it can be read."""

import sys
from collections.abc import Callable
from pathlib import Path

import pytest

import redbooth_nb
from redbooth_nb.client.exchange import exchange
from redbooth_nb.client.refresh import RedboothSession
from redbooth_nb.client.register import Settings
from redbooth_nb.client.response import AuthorizationResponse
from redbooth_nb.provider.adapter import LoopbackDelivery
from redbooth_nb.widgets.exchange import ExchangeForm

PACKAGE = str(Path(redbooth_nb.__path__[0]))


@pytest.fixture
def frames(monkeypatch: pytest.MonkeyPatch) -> list[list[str]]:
    """Note the kit's frames at each delivery, the outermost first."""
    seen: list[list[str]] = []
    send = LoopbackDelivery.send

    def note(self: LoopbackDelivery, *arguments: object, **options: object) -> object:
        names, frame = ["send"], sys._getframe(1)
        while frame is not None:
            if frame.f_code.co_filename.startswith(PACKAGE):
                names.insert(0, frame.f_code.co_name)
            frame = frame.f_back  # type: ignore[assignment]
        seen.append(names)
        return send(self, *arguments, **options)  # type: ignore[arg-type]

    monkeypatch.setattr(LoopbackDelivery, "send", note)
    return seen


def test_from_send_to_the_wire_there_are_four_frames(
    app: Settings, decide: Callable[..., AuthorizationResponse], frames: list[list[str]]
) -> None:
    form = ExchangeForm(decide(app))
    frames.clear()
    form.send()
    assert frames == [["send", "call", "exchange", "send"]]


def test_from_get_to_the_wire_there_are_four_frames(
    app: Settings, decide: Callable[..., AuthorizationResponse], frames: list[list[str]]
) -> None:
    exchange(decide(app))
    session = RedboothSession(app)
    frames.clear()
    session.get("/me")
    assert [len(names) for names in frames] == [4]
