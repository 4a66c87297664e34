"""Every fault does what the lab says it does, on the sandbox and on the real engine."""

from collections.abc import Callable

import pytest
from doorkeeper.engine import Doorkeeper

from redbooth_nb.client.register import Settings, save_credentials
from redbooth_nb.client.store import TokenStore
from redbooth_nb.errors import RedboothError
from redbooth_nb.lessons.fault_lab import FAULTS, OUTCOMES, FaultLab, cause

PAGE, LOCAL = "an error page at Redbooth", "refused before anything is sent"


def shows(said: str, outcome: str) -> bool:
    """Whether what was said is of the kind that was promised."""
    if outcome == PAGE:
        return said.startswith("--> 200 OK: a page that says")
    if outcome == LOCAL:
        return said.startswith(("StateError", "CallbackError"))
    status, error = outcome.split()
    return said.startswith(f"--> {status} ") and error in said


@pytest.mark.parametrize("name", FAULTS)
def test_on_the_sandbox_it_comes_as_promised(app: Settings, name: str) -> None:
    before = TokenStore(app.folder).load()
    assert shows(cause(name), FAULTS[name].outcome)
    assert TokenStore(app.folder).load() == before


def test_on_the_real_engine_too(doorkeeper: Callable[..., Doorkeeper], monkeypatch: pytest.MonkeyPatch) -> None:
    engine = doorkeeper()
    monkeypatch.setenv("REDBOOTH_PROVIDER", engine.base_url)
    save_credentials(engine.client_id, engine.client_secret)
    wrong = [name for name, fault in FAULTS.items() if not shows(cause(name), fault.outcome)]
    assert wrong == []


def test_never_on_redbooth(live: None) -> None:
    assert live is None
    with pytest.raises(RedboothError, match="never does that to the real"):
        cause("wrong-secret")


def test_an_unknown_name_is_a_sentence(app: Settings) -> None:
    assert app.client_id
    with pytest.raises(RedboothError, match=r"There is no fault 'no-such-fault'(.|\n)*unknown-client"):
        cause("no-such-fault")


def test_the_lab_compares_with_what_was_predicted(app: Settings) -> None:
    lab = FaultLab()
    lab.run("wrong-secret", "401 invalid_client")
    assert "As you predicted: 401 invalid_client." in lab._message.said["text"]
    assert "Redbooth does not accept the app" in lab._answer.value
    assert app.client_secret.reveal() not in lab._answer.value
    lab.run("code-twice", "401 invalid_client")
    assert "You predicted 401 invalid_client; the outcome is 400 invalid_grant." in lab._message.said["text"]


def test_choosing_another_fault_clears_what_was_there(app: Settings) -> None:
    assert app.client_id
    lab = FaultLab()
    lab.run("wrong-secret", "401 invalid_client")
    lab._fault.value = "no-secret"
    assert lab._predicted.value is None
    assert lab._answer.value == ""


def test_the_lab_without_a_prediction_runs_all_the_same(app: Settings) -> None:
    assert app.client_id
    lab = FaultLab()
    lab.run("garbled-token")
    assert "Next time, predict first" in lab._message.said["text"]
    with pytest.raises(RedboothError, match="There is no outcome 'luck'"):
        lab.run("garbled-token", "luck")
    assert all(name in lab.text() for name in FAULTS)
    assert {fault.outcome for fault in FAULTS.values()} == set(OUTCOMES)
