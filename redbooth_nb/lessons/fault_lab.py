"""Faults to cause on purpose: choose one, predict what comes of it, run it, compare. They are listed in faults.toml."""

import tomllib
from pathlib import Path
from types import SimpleNamespace

import ipywidgets as w
import requests

from redbooth_nb.client.authorize import AuthorizationRequest
from redbooth_nb.client.response import AuthorizationResponse
from redbooth_nb.client.wire import connect
from redbooth_nb.errors import RedboothError
from redbooth_nb.lessons.explain import describe_answer, describe_error
from redbooth_nb.lessons.names import named
from redbooth_nb.lessons.practice import allow, practice_only
from redbooth_nb.provider.addresses import API_URL, AUTHORIZE_URL, TOKEN_URL
from redbooth_nb.widgets import view
from redbooth_nb.widgets.markup import block
from redbooth_nb.widgets.message import Message

_TABLES = tomllib.loads(Path(__file__).with_name("faults.toml").read_text(encoding="utf-8"))
_USUAL = _TABLES.pop("usual")
FAULTS = {name: SimpleNamespace(**_USUAL | table) for name, table in _TABLES.items()}
OUTCOMES = tuple(dict.fromkeys(fault.outcome for fault in FAULTS.values()))


def cause(name: str) -> str:
    """Cause a fault and return what came of it, explained. Only on a stand-in.

    Raises RedboothError for an unknown name, or on redbooth.com.
    """
    practice_only()
    fault, session = named("fault", name, FAULTS), connect(requests.Session())
    if fault.how == "answer":
        return _read_answer(fault.text)
    if fault.how == "link":
        fields = _spoiled(AuthorizationRequest.new().parameters, fault)
        answer = session.get(AUTHORIZE_URL, params=fields, allow_redirects=False)
    elif fault.how == "call":
        answer = session.get(f"{API_URL}/me", headers={"Authorization": fault.text})
    else:
        fields = _spoiled(_token_request(session, fault.how), fault)
        answer = [session.post(TOKEN_URL, data=fields) for _ in range(fault.times)][-1]
    return describe_answer(answer)


def _spoiled(good: dict[str, str], fault: SimpleNamespace) -> dict[str, str]:
    return {name: value for name, value in {**good, **fault.change}.items() if name not in fault.drop}


def _read_answer(ending: str) -> str:
    request = AuthorizationRequest.new()
    url = f"{request.redirect_uri}?code=a-strangers-code{ending.format(state=request.state)}"
    try:
        return AuthorizationResponse.read(url, request).describe()
    except RedboothError as error:
        return describe_error(error)


def _token_request(session: requests.Session, how: str) -> dict[str, str]:
    """Return the fields of a good request. A refresh is for a pair of its own: the stored one stays as it is."""
    response = allow()
    settings, code = response.request.settings, response.code.reveal() if response.code else ""
    client = {"client_id": settings.client_id, "client_secret": settings.client_secret.reveal()}
    exchange = {"grant_type": "authorization_code", "code": code, "redirect_uri": response.request.redirect_uri}
    if how == "exchange":
        return exchange | client
    pair = session.post(TOKEN_URL, data=exchange | client).json()
    return {"grant_type": "refresh_token", "refresh_token": pair["refresh_token"]} | client


class FaultLab(view.View):
    """Seventeen ways to fail; `run(name, predicted)` does what the button does."""

    title = "Fault lab"
    picture = "fault-lab"

    def __init__(self) -> None:
        self._message, self._answer = Message(), view.Markup()
        options = [(f"{fault.stage}: {fault.title}", name) for name, fault in FAULTS.items()]
        self._fault = view.field(w.Dropdown, "Do this", label_width="8rem", options=options)
        self._predicted = view.field(w.RadioButtons, "I predict", label_width="8rem", options=OUTCOMES, value=None)
        self._fault.observe(lambda _: self._clear(), names="value")
        run = view.button("Run", lambda: self.run(self._fault.value), self._message, primary=True)
        super().__init__([self._fault, self._predicted, run, self._message, self._answer])

    def run(self, name: str, predicted: str = "") -> None:
        """Cause a fault and show what came of it, beside what was predicted. Raises what `cause` raises."""
        if name in FAULTS:
            self._fault.value = name
        if predicted:
            self._predicted.value = named("outcome", predicted, {each: each for each in OUTCOMES})
        said, outcome = cause(name), FAULTS[name].outcome
        self._answer.show(block(said))
        if self._predicted.value is None:
            self._message.say(f"The outcome is: {outcome}. Next time, predict first: it helps you remember.")
        elif self._predicted.value == outcome:
            self._message.say(f"As you predicted: {outcome}.", "good")
        else:
            self._message.say(f"You predicted {self._predicted.value}; the outcome is {outcome}.")

    def text(self) -> str:
        """Return the faults by name."""
        return "\n".join(f"{name}: {fault.title} ({fault.stage})" for name, fault in FAULTS.items())

    def _clear(self) -> None:
        self._predicted.value = None
        self._answer.show("")
        self._message.say(f"What will happen with {FAULTS[self._fault.value].title}?")
