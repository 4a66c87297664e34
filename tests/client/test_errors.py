"""Every failure has a name, a reason, a remedy and a place where it is specified."""

from collections.abc import Callable
from pathlib import Path
from traceback import TracebackException
from typing import Any

import pytest

from redbooth_nb.client.authorize import AuthorizationRequest
from redbooth_nb.client.errors import explanation_of, meanings
from redbooth_nb.client.exchange import exchange
from redbooth_nb.client.refresh import RedboothSession, refresh
from redbooth_nb.client.token import Token
from redbooth_nb.client.wire import bearer_problem
from redbooth_nb.errors import RedboothError, only_kit_errors
from redbooth_nb.secret import Secret

LEGS = {"authorize", "token", "api"}
GUIDES = ["access_denied", "invalid_request", "unsupported_response_type", "server_error"]
TOKEN_ERRORS = [
    "invalid_request",
    "invalid_client",
    "invalid_grant",
    "unauthorized_client",
    "unsupported_grant_type",
    "invalid_scope",
]


@pytest.mark.parametrize(
    ("leg", "code"), [(step, code) for step, rows in meanings().items() if step in LEGS for code in rows]
)
def test_every_explanation_says_what_why_and_what_to_do(leg: str, code: str) -> None:
    known = explanation_of(leg, code)
    assert all(sentence.endswith(".") for sentence in (known.what, known.why, known.remedy))


@pytest.mark.parametrize(
    ("leg", "code"),
    [*(("authorize", code) for code in [*GUIDES, "temporarily_unavailable", "unauthorized_client", "invalid_scope"]),
     *(("token", code) for code in TOKEN_ERRORS), *(("api", word) for word in ("expired", "revoked", "invalid"))],
)  # fmt: skip
def test_every_error_of_the_guide_and_the_rfcs_is_known(leg: str, code: str) -> None:
    known = explanation_of(leg, code)
    assert "Neither the guide nor the RFC" not in known.why
    assert "RFC" in known.reference


def test_a_refresh_without_credentials_does_not_send_the_user_to_sign_in_again() -> None:
    """Doorkeeper answers invalid_grant to that, too: notebook 04 shows that nothing is lost."""
    remedy = explanation_of("token", "invalid_grant").remedy
    assert remedy.startswith("If the redirect_uri, the code verifier or the credentials were wrong, correct that:")


def test_an_error_nobody_specified_says_so_and_is_cut_short() -> None:
    known = explanation_of("token", "new\x1b[31m" + "x" * 500)
    assert "Neither the guide nor the RFC" in known.why
    assert "\x1b" not in known.what
    assert len(known.what) < 120


@pytest.mark.parametrize(
    ("header", "problem"),
    [
        ('Bearer error="invalid_token", error_description="The access token expired"', "expired"),
        ('Bearer error="invalid_token", error_description="The access token was revoked"', "revoked"),
        ('Bearer realm="Doorkeeper", error="invalid_token", error_description="It is invalid"', "invalid"),
        ('Bearer realm="Doorkeeper", error="insufficient_scope", error_description="expired"', ""),
        ('Bearer realm="expired", error="invalid_token", error_description="The access token was revoked"', "revoked"),
        ("Bearer error=invalid_token, error_description=expired", "expired"),
        ('Bearer realm="error=invalid_token"', ""),
        ('Bearer realm="Doorkeeper"', ""),
        ("", ""),
    ],
)  # fmt: skip
def test_only_the_header_decides(header: str, problem: str) -> None:
    """R30, RFC 6750 section 3.1."""
    assert bearer_problem(header) == problem


def test_an_error_reads_one_thought_to_a_line() -> None:
    error = RedboothError("It broke.", why="So it is.", remedy="Mend it.", reference="RFC 1")
    assert str(error) == "It broke.\nWhy: So it is.\nWhat to do: Mend it.\nSee: RFC 1"
    assert str(RedboothError("It broke.")) == "It broke."
    assert error._render_traceback_() == str(error).splitlines()


def frames(error: BaseException) -> list[tuple[str, str]]:
    """Return file and function of each frame; none but the test's own may hold the canary."""
    names, found = [], error.__traceback__
    while found is not None:
        names.append((Path(found.tb_frame.f_code.co_filename).name, found.tb_frame.f_code.co_name))
        assert "canary" not in str(found.tb_frame.f_locals) or Path(found.tb_frame.f_code.co_filename) == Path(__file__)
        found = found.tb_next
    return names


def test_a_fresh_error_has_no_past() -> None:
    """R38: neither frames nor a chain, also where it was raised from another."""

    def fail(secret: str) -> None:
        try:
            int(secret)
        except ValueError as error:
            raise RedboothError("It broke.") from error

    with pytest.raises(RedboothError) as caught:
        only_kit_errors(fail)("canary")
    error = caught.value
    assert (error.__cause__, error.__context__) == (None, None)
    assert error.__traceback__ is not None
    names = frames(error)
    assert names[-1] == ("errors.py", "call")
    assert "fail" not in [name for _, name in names]


@pytest.mark.parametrize("content", [{"access_token": "canary", "token_type": "mac"}, ["canary"], "canary"])
def test_what_is_no_token_leaves_no_frames_with_it(content: dict[str, Any]) -> None:
    with pytest.raises(RedboothError) as caught:
        Token.from_response(content, 0.0)
    shown = TracebackException.from_exception(caught.value, capture_locals=True).stack
    assert "canary" not in str([frame.locals for frame in shown if frame.filename != __file__])


def test_other_errors_and_results_pass_through() -> None:
    assert only_kit_errors(lambda x, y=1: x + y)(1, y=2) == 3


def test_whatever_else_goes_wrong_is_a_kit_error_without_its_text() -> None:
    """R48: a foreign error's text and frames may hold secrets."""

    def fail(secret: str) -> None:
        raise ValueError(f"bad value {secret}")

    with pytest.raises(RedboothError, match="ValueError") as caught:
        only_kit_errors(fail)("canary")
    assert "canary" not in str(caught.value)
    assert caught.value.__context__ is None
    assert frames(caught.value)[-1] == ("errors.py", "call")


@pytest.mark.parametrize("step", ["authorize", "token", "api"])
def test_a_secret_in_place_of_an_error_code_is_not_repeated(step: str) -> None:
    """Neither whole nor in part, as a long one would be that is cut off first."""
    for secret in ("canary-secret-7731", "canary-secret-" + "7731" * 16):
        shown = str(explanation_of(step, Secret("client secret", secret).reveal()))
        assert "canary" not in shown
        assert "<client secret ..." in shown


def test_a_wrong_call_stays_a_type_error() -> None:
    with pytest.raises(TypeError, match="unexpected keyword argument 'wrong'") as caught:
        only_kit_errors(lambda secret: secret)("canary", wrong=1)  # type: ignore[call-arg]
    assert "canary" not in str(frames(caught.value))


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (
            lambda: exchange("https://my-app.test/callback?code=canary"),
            r"exchange\(\) can't use a value of type str as",
        ),
        (lambda: refresh(Token.from_response({"access_token": "canary"}, 0.0)), r"type Token as its settings"),
        (lambda: AuthorizationRequest.new(scope=["all"]), r"new\(\) can't use a value of type list as its scope"),
        (lambda: AuthorizationRequest.new(response_type=None), r"type NoneType as its response_type\. It takes: str\."),
        (lambda: RedboothSession(5), r"RedboothSession\(\) can't .* as its settings\. It takes: Settings \| None\."),
        (lambda: RedboothSession().get(None), r"type NoneType as its path"),
    ],
)
@pytest.mark.usefixtures("stored")
def test_an_argument_of_the_wrong_type_is_named(call: Callable[[], object], words: str) -> None:
    with pytest.raises(RedboothError, match=words) as caught:
        call()
    assert "canary" not in f"{caught.value}{frames(caught.value)}"


def test_a_hint_that_cannot_be_read_is_no_second_error() -> None:
    @only_kit_errors
    def fail(secret: "OnlyForTypeCheckers") -> None:  # type: ignore[name-defined]  # noqa: F821
        raise OSError(secret)

    with pytest.raises(RedboothError, match="did not foresee") as caught:
        fail("canary")
    assert "canary" not in f"{caught.value}{frames(caught.value)}"


def test_an_argument_that_fits_is_not_blamed() -> None:
    @only_kit_errors
    def fail(seconds: float, *paths: str, names: dict[str, int], **more: int) -> None:
        raise OSError(seconds, paths, names, more)

    with pytest.raises(RedboothError, match="did not foresee"):
        fail(5, "a", "b", names={"c": 1}, d=2)


def test_an_interrupt_goes_on_without_its_frames() -> None:
    """R48: Ctrl-C in the middle of a request, under `%xmode Verbose`."""

    def fail(_: str) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt) as caught:
        only_kit_errors(fail)("canary")
    assert frames(caught.value)[-1] == ("errors.py", "call")


@pytest.mark.parametrize("text", ["\x1b[31mred\x07", "\ud800", "x" * 100_000])
def test_no_text_harms_a_terminal(text: str) -> None:
    """R51: no control characters, no half surrogates, bounded length."""
    error = RedboothError(text, why=text, remedy=text)
    assert len(str(error)) < 7000
    assert all(character.isprintable() or character == "\n" for character in str(error))
