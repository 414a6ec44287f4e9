"""Messages between a program and its vault."""

import inspect

import msgspec
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from messenger.core import errors, limits
from messenger.core.errors import InputError, InputProblem, SottoError, VaultError, WrongPassphrase
from messenger.crypto import vault_wire as wire
from messenger.crypto.protection import Protection
from messenger.crypto.rsa import Label

SECRET = b"hunter2-hunter2"
REQUESTS: list[wire.Request] = [
    wire.Status(1, b"/folder"),
    wire.Create(2, b"/folder", 3072, Protection.PASSPHRASE, SECRET),
    wire.Open(3, b"/folder", SECRET),
    wire.Sign(4, Label.LINK_I, [b"a", b"", SECRET]),
    wire.Unwrap(5, b"label", b"ciphertext"),
    wire.Unwrap(12, b"label", b"ciphertext", 1),
    wire.ChangeProtection(6, SECRET, Protection.KEYRING, SECRET),
    wire.SetRecovery(13, SECRET),
    wire.Export(14, SECRET),
    wire.ReadExport(15, b"head", SECRET),
    wire.PrepareImport(16, b"/folder", Protection.PASSPHRASE, SECRET),
    wire.Import(17),
    wire.Renew(7),
    wire.ForgetOld(11),
    wire.Succeed(8, 1),
    wire.Adopt(9),
]
REPLIES: list[wire.Reply] = [
    wire.Ready(0),
    wire.Progress(1, wire.Step.SIGNING_KEY),
    wire.State(2, wire.VaultState.LOCKED),
    wire.Opened(3, b"bundle", SECRET, Protection.FILE, renewal_due=True),
    wire.Exported(7, b"head", SECRET, SECRET),
    wire.Result(4, SECRET),
    wire.Done(5),
    wire.Failed(6, "VaultError", "text"),
]


@pytest.mark.parametrize("message", REQUESTS, ids=str)
def test_requests_survive(message: wire.Request) -> None:
    data = wire.frame(message)
    assert wire.frame_size(data[:4]) == len(data) - 4
    assert wire.read_request(data[4:]) == message
    with pytest.raises(VaultError):
        wire.read_reply(data[4:])


@pytest.mark.parametrize("message", REPLIES, ids=str)
def test_replies_survive(message: wire.Reply) -> None:
    data = wire.frame(message)
    assert wire.read_reply(data[4:]) == message
    with pytest.raises(VaultError):
        wire.read_request(data[4:])


@pytest.mark.parametrize("message", [*REQUESTS, *REPLIES], ids=str)
def test_no_message_shows_its_content(message: wire.Message) -> None:
    assert repr(message) == str(message) == f"{type(message).__name__}({message.call})"


def test_every_message_is_in_the_lists_above() -> None:
    kinds = {kind for _, kind in inspect.getmembers(wire, inspect.isclass) if issubclass(kind, wire.Message)}
    assert kinds - {wire.Message} == {type(message) for message in [*REQUESTS, *REPLIES]}


@given(st.binary(max_size=200))
@example(b"\x91\xa5\x00\x00\x00\x00\x80")  # a text that is not UTF-8
@example(b"\x91" * 100_000)
def test_garbage_is_refused_without_being_quoted(data: bytes) -> None:
    for read in (wire.read_request, wire.read_reply):
        with pytest.raises(VaultError) as caught:
            read(data)
        assert caught.value.__cause__ is None
        assert caught.value.__suppress_context__


@pytest.mark.parametrize(
    "body",
    [
        ["Sign", 1, "no such label", []],
        ["Sign", 1, "group"],
        ["Sign", 1, "group", [], "more"],
        ["Sign", "1", "group", []],
        ["Create", 1, b"/", 3072, "hope", b""],
        ["Open", 1, b"/", "text"],
        ["Exec", 1, "rm"],
        {"type": "Renew", "call": 1},
    ],
    ids=str,
)
def test_nearly_right_requests_are_refused(body: object) -> None:
    with pytest.raises(VaultError):
        wire.read_request(msgspec.msgpack.encode(body))


@given(st.text(st.characters(exclude_categories=[])))
def test_any_passphrase_crosses(passphrase: str) -> None:
    assert wire.read_passphrase(wire.write_passphrase(passphrase)) == passphrase


def test_what_is_no_passphrase() -> None:
    with pytest.raises(VaultError) as caught:
        wire.read_passphrase(b"secret\xff")
    assert caught.value.__cause__ is None
    assert "secret" not in str(caught.value)


def test_sizes() -> None:
    limit = limits.VAULT_MESSAGE_MAX
    with pytest.raises(VaultError):
        wire.frame(wire.Sign(1, Label.GROUP, [bytes(limit)]))
    assert wire.frame_size(limit.to_bytes(4, "big")) == limit
    for size in (0, limit + 1, 2**32 - 1):
        with pytest.raises(VaultError):
            wire.frame_size(size.to_bytes(4, "big"))


ERRORS = [
    kind
    for _, kind in inspect.getmembers(errors, inspect.isclass)
    if issubclass(kind, SottoError)
    and not issubclass(kind, InputError | errors.ConnectError | errors.RelayError)
]


@pytest.mark.parametrize("kind", ERRORS)
def test_errors_cross_with_their_class_and_text(kind: type[SottoError]) -> None:
    failed = wire.failure(7, kind("what happened"))
    assert failed.call == 7
    error = wire.error_of(failed)
    assert type(error) is kind
    assert str(error) == "what happened"


@pytest.mark.parametrize("problem", InputProblem)
def test_input_errors_cross_with_their_problem(problem: InputProblem) -> None:
    error = wire.error_of(wire.failure(7, InputError(problem)))
    assert isinstance(error, InputError)
    assert error.problem is problem


@pytest.mark.parametrize("kind", ["Exception", "StrEnum", "eval", "", "Reason"])
def test_unknown_errors_become_vault_errors(kind: str) -> None:
    assert type(wire.error_of(wire.Failed(1, kind, "text"))) is VaultError


def test_the_class_counts_not_only_its_family() -> None:
    assert isinstance(wire.error_of(wire.failure(1, WrongPassphrase("no"))), WrongPassphrase)
