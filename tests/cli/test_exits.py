"""One exit code for each way to end, and the same table in the code, in the words and in the help."""

import pytest

from messenger.cli.exits import Exit, exit_for
from messenger.core import errors
from messenger.core.errors import AddressError, ConnectError, InputProblem, Reason, SottoError
from messenger.text import terminal as words
from tests.helpers.terminal import run


def test_every_code_is_explained() -> None:
    assert set(words.EXIT_CODES) == set(Exit)


def test_the_help_has_the_table() -> None:
    done = run("--help")
    assert done.code == Exit.OK
    for code, meaning in words.EXIT_CODES.items():
        assert f"{code:>3}  {meaning}" in done.out


@pytest.mark.parametrize("reason", list(Reason))
def test_every_reason_has_a_code_that_is_not_success(reason: Reason) -> None:
    assert exit_for(ConnectError(reason)) in (Exit.FAILED, Exit.UNREACHABLE, Exit.DECLINED)


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (AddressError(InputProblem.BAD_ADDRESS), Exit.USAGE),
        (ConnectError(Reason.NOBODY), Exit.UNREACHABLE),
        (ConnectError(Reason.WRONG_PERSON), Exit.DECLINED),
        (ConnectError(Reason.PORT_TAKEN), Exit.FAILED),
        (errors.WrongPassphrase(), Exit.FAILED),
        (errors.ProfileInUse(), Exit.FAILED),
        (errors.DiskFull(), Exit.FAILED),
    ],
)
def test_examples(error: SottoError, code: Exit) -> None:
    assert exit_for(error) == code
