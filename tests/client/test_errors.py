"""Every failure has a name, a reason, a remedy and a place where it is specified."""

from pathlib import Path

import pytest

from redbooth_nb.client import errors as errors_module
from redbooth_nb.client.errors import bearer_problem, meaning_of
from redbooth_nb.errors import RedboothError, without_frames

GUIDES = ["access_denied", "invalid_request", "unsupported_response_type", "server_error"]
TOKEN_ERRORS = [
    "invalid_request",
    "invalid_client",
    "invalid_grant",
    "unauthorized_client",
    "unsupported_grant_type",
    "invalid_scope",
]


@pytest.mark.parametrize(("leg", "code"), errors_module._MEANINGS)
def test_every_explanation_says_what_why_and_what_to_do(leg: str, code: str) -> None:
    known = meaning_of(leg, code)
    assert all(sentence.endswith(".") for sentence in (known.what, known.why, known.remedy))


@pytest.mark.parametrize(
    ("leg", "code"),
    [*(("authorize", code) for code in [*GUIDES, "temporarily_unavailable", "unauthorized_client", "invalid_scope"]),
     *(("token", code) for code in TOKEN_ERRORS), *(("api", word) for word in ("expired", "revoked", "invalid"))],
)  # fmt: skip
def test_every_error_of_the_guide_and_the_rfcs_is_known(leg: str, code: str) -> None:
    known = meaning_of(leg, code)
    assert "Neither the guide nor the RFC" not in known.why
    assert "RFC" in known.reference


def test_an_error_nobody_specified_says_so_and_is_cut_short() -> None:
    known = meaning_of("token", "new\x1b[31m" + "x" * 500)
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


def test_a_fresh_error_has_no_past() -> None:
    """R38: neither frames nor a chain, also where it was raised from another."""

    def fail(secret: str) -> None:
        try:
            int(secret)
        except ValueError as error:
            raise RedboothError("It broke.") from error

    with pytest.raises(RedboothError) as caught:
        without_frames(fail)("canary")
    error = caught.value
    assert (error.__cause__, error.__context__) == (None, None)
    assert error.__traceback__ is not None
    names = []
    found = error.__traceback__
    while found is not None:
        names.append((Path(found.tb_frame.f_code.co_filename).name, found.tb_frame.f_code.co_name))
        assert "canary" not in str(found.tb_frame.f_locals) or Path(found.tb_frame.f_code.co_filename) == Path(__file__)
        found = found.tb_next
    assert names[-1] == ("errors.py", "call")
    assert "fail" not in [name for _, name in names]


def test_other_errors_and_results_pass_through() -> None:
    assert without_frames(lambda x, y=1: x + y)(1, y=2) == 3
    with pytest.raises(ZeroDivisionError):
        without_frames(lambda: 1 / 0)()
