"""Every error has words of its own that say what happened and what to do."""

import inspect
import re

import pytest

from messenger.core import errors, limits
from messenger.core.errors import (
    AddressError,
    ConnectError,
    InputError,
    InputProblem,
    Reason,
    RelayError,
    RelayProblem,
    SettingError,
    SottoError,
)
from messenger.text import errors as words
from messenger.text import explain

KINDS = [kind for _name, kind in inspect.getmembers(errors, inspect.isclass) if issubclass(kind, SottoError)]
WITH_CODE = (InputError, ConnectError, RelayError)


def plain(kind: type[SottoError]) -> bool:
    return not issubclass(kind, WITH_CODE)


@pytest.mark.parametrize("kind", [kind for kind in KINDS if plain(kind)], ids=lambda kind: kind.__name__)
def test_every_error_class_has_a_sentence_of_its_own(kind: type[SottoError]) -> None:
    assert kind in words._ERRORS
    sentence = explain(kind("developer's text"))
    assert sentence == words._ERRORS[kind]
    assert "developer" not in sentence


@pytest.mark.parametrize("problem", RelayProblem)
def test_every_problem_of_a_relay_has_a_sentence(problem: RelayProblem) -> None:
    sentence = explain(RelayError(problem, 5))
    assert re.fullmatch(r"[A-Z].*\.", sentence), sentence
    assert sentence != words._ERRORS[SottoError]


@pytest.mark.parametrize("reason", Reason)
def test_every_reason_has_a_sentence(reason: Reason) -> None:
    there = explain(ConnectError(reason, "192.168.1.5:42000"))
    somewhere = explain(ConnectError(reason))
    for sentence in (there, somewhere):
        assert re.fullmatch(r"[A-Z0-9].*\.", sentence), sentence
        assert "{" not in sentence


@pytest.mark.parametrize("problem", InputProblem)
@pytest.mark.parametrize("kind", [InputError, AddressError, SettingError])
def test_every_problem_has_a_sentence(problem: InputProblem, kind: type[InputError]) -> None:
    for detail in ("", "nonsense"):
        sentence = explain(kind(problem, detail))
        assert sentence.endswith(".")
        assert "{" not in sentence


def test_all_sentences_are_different() -> None:
    sentences = [*words._ERRORS.values(), *words._REASONS.values(), *words._PROBLEMS.values()]
    assert len(set(sentences)) == len(sentences)


def test_the_address_is_named() -> None:
    assert "192.168.1.5:42000" in explain(ConnectError(Reason.NOBODY, "192.168.1.5:42000"))
    assert "not a port" in explain(AddressError(InputProblem.BAD_PORT, "99999"))
    assert "99999" in explain(AddressError(InputProblem.BAD_PORT, "99999"))


def test_a_subclass_that_nobody_described_falls_back_to_its_kind() -> None:
    class DiskOnFire(errors.DiskFull):
        pass

    assert explain(DiskOnFire()) == explain(errors.DiskFull())


def test_a_setting_is_called_by_its_label() -> None:
    assert "Port" in explain(SettingError(InputProblem.BAD_VALUE, "port"))


def test_too_long_says_what_is_allowed() -> None:
    assert "64 kilobytes" in explain(InputError(InputProblem.TOO_LONG, str(limits.TEXT_MAX)))
    assert "64 characters" in explain(InputError(InputProblem.TOO_LONG, str(limits.NAME_MAX)))


def test_an_unplanned_error_is_named_without_its_content() -> None:
    sentence = explain(KeyError("a secret word"))
    assert "KeyError" in sentence
    assert "secret" not in sentence
