"""The time machine: the sandbox's clock and switches."""

import time

import pytest
from provider.sandbox.visitor import registered
from widgets.clicks import click, field, shown

from redbooth_nb.client.register import Settings
from redbooth_nb.errors import RedboothError
from redbooth_nb.provider.sandbox import Sandbox, SandboxError
from redbooth_nb.widgets import view
from redbooth_nb.widgets.time_machine import SWITCHES, TimeMachine


def ahead(sandbox: Sandbox) -> int:
    return round((sandbox.now() - time.time()) / 3600)


def test_time_moves_on_and_back(sandbox: Sandbox) -> None:
    machine = TimeMachine()
    assert "clock is the same as yours" in shown(machine)
    click(machine, "Two hours later")
    click(machine, "One hour later")
    assert ahead(sandbox) == 3
    assert "The sandbox's clock is 3 h 0 min ahead." in shown(machine)
    click(machine, "Back to now")
    assert ahead(sandbox) == 0


def test_switches_by_hand_and_by_call(sandbox: Sandbox) -> None:
    machine = TimeMachine()
    field(machine, "state in the callback").value = "dropped"
    assert sandbox.switches.state == "dropped"
    assert "state in the callback: dropped" in machine.text()
    machine.switch(rate_limited=True, token_lifetime=2)
    assert (sandbox.switches.rate_limited, sandbox.switches.token_lifetime) == (True, 2)
    assert field(machine, "API calls get 429").value is True


def test_a_value_of_its_own_is_shown(sandbox: Sandbox) -> None:
    machine = TimeMachine()
    machine.switch(token_lifetime=10)
    assert sandbox.switches.token_lifetime == 10
    assert field(machine, "Lifetime of new tokens (seconds)").value == 10
    field(machine, "Lifetime of new tokens (seconds)").value = 60
    assert sandbox.switches.token_lifetime == 60


def test_a_wrong_switch_is_a_sentence_and_changes_nothing(sandbox: Sandbox) -> None:
    machine = TimeMachine()
    with pytest.raises(SandboxError, match="It takes"):
        machine.switch(state="sometimes")
    assert sandbox.switches.state == "echoed"


def test_reset(sandbox: Sandbox, app: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    assert app.client_id
    machine = TimeMachine()
    machine.switch(style="2015")
    machine.later(3600)
    click(machine, "Reset the sandbox")
    assert "It forgets your app and all tokens." in shown(machine)
    assert len(registered(sandbox)) == 1
    monkeypatch.setattr(view, "DOUBLE_CLICK", 0)
    click(machine, "Keep everything")
    assert "clock is 1 h 0 min ahead" in shown(machine), "what it said before is true again"
    click(machine, "Reset the sandbox")
    click(machine, "Reset it")
    assert registered(sandbox) == []
    assert sandbox.switches.style == "5.5"
    assert field(machine, "Response style").value == "5.5"
    assert machine.text() == "The sandbox's clock is the same as yours."


def test_a_lifetime_set_elsewhere_is_shown(sandbox: Sandbox) -> None:
    sandbox.switch(token_lifetime=123)
    assert field(TimeMachine(), SWITCHES["token_lifetime"]["label"]).value == 123


def test_only_the_sandboxs_time_is_yours(live: None) -> None:
    assert live is None
    with pytest.raises(RedboothError, match="answered by the real redbooth"):
        TimeMachine()
