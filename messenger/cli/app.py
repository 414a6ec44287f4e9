"""The command line: what can be asked for, and which part of the program does it.

Everything beyond the parsing is imported by the command that needs it, so that the program starts quickly.
"""

import contextlib
import signal
import sys
import traceback
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Protocol

import typer

import messenger
from messenger.cli.exits import Exit
from messenger.core.errors import AddressError
from messenger.core.ids import Fingerprint, parse_fingerprint
from messenger.text import records
from messenger.text import terminal as words

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from messenger.cli.options import Options
    from messenger.cli.terminal import Terminal


class Windows(Protocol):
    """The window, which this package must not import; `messenger.__main__` brings it."""

    def load(self) -> None:
        """Get ready to open windows.

        Raises:
            ImportError: Qt, or a library of the system that it needs, is missing.
        """

    def open(self, folder: Path) -> int:
        """Open the window on a profile; returns the exit code when it has closed."""

    def demonstrate(self) -> int:
        """Run the demonstration in two windows; returns the exit code."""


class _Asked:
    """What stands before the command."""

    def __init__(self, windows: Windows, folder: Path | None) -> None:
        self.windows = windows
        self._folder = folder

    def folder(self, named: Path | None) -> Path:
        """The profile folder: as named after the command, or before it, or the usual one.

        Raises:
            BadParameter: It is relative to something that is not there, or its name is not UTF-8.
        """
        from messenger.cli.profile import default_folder

        try:
            folder = (named or self._folder or default_folder()).expanduser().absolute()
            str(folder).encode()
        except (RuntimeError, OSError, UnicodeEncodeError) as e:
            raise typer.BadParameter(words.NO_SUCH_PLACE, param_hint="--profile") from e
        return folder


def run(arguments: list[str], windows: Windows) -> int:
    """Do what a command line asks.

    Args:
        arguments: Those after the program name.
        windows: Opens windows.

    Returns:
        The exit code, see `messenger.cli.exits`.
    """
    try:
        if signal.getsignal(signal.SIGINT) is signal.SIG_DFL:  # while it was loaded
            signal.signal(signal.SIGINT, signal.default_int_handler)
        app(arguments, prog_name="sotto", obj=windows)
    except SystemExit as e:
        return e.code if isinstance(e.code, int) else Exit.FAILED
    except KeyboardInterrupt:
        return Exit.INTERRUPTED
    except OSError as e:
        if not _cannot_write(e):
            raise
        return Exit.FAILED
    return Exit.OK


def _cannot_write(error: OSError) -> bool:
    """Whether the parser could not write a help text, for example, to the output; then that is said."""
    from messenger.cli.output import give_up

    place = list(traceback.walk_tb(error.__traceback__))[-1][0]
    if place.f_globals["__name__"].partition(".")[0] != typer.__name__:
        return False
    give_up(sys.stdout)
    with contextlib.suppress(OSError):
        typer.echo(words.output_failed(error.strerror or type(error).__name__), err=True)
    return True


app = typer.Typer(
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
    help=words.HELP,
    epilog="\b\n" + words.exit_code_table(),
)

_Profile = Annotated[Path | None, typer.Option("--profile", metavar="DIR", help=words.OPTION_PROFILE)]
_Name = Annotated[str, typer.Option("--name", metavar="NAME", help=words.OPTION_NAME)]
_Ask = Annotated[bool, typer.Option("--ask-passphrase", help=words.OPTION_ASK)]
_Yes = Annotated[bool, typer.Option("--yes", help=words.OPTION_YES)]
_Json = Annotated[bool, typer.Option("--json", help=records.OPTION_JSON)]
_Peer = Annotated[str, typer.Argument(metavar="PEER")]
_File = Annotated[Path, typer.Argument(metavar="FILE")]
_Expect = Annotated[str, typer.Option("--expect", metavar="FINGERPRINT", help=words.OPTION_EXPECT)]


def _window(windows: Windows, folder: Path) -> int:
    """Raise the window that is open on a profile already, open one, or say why neither is possible."""
    from messenger.cli.display import window_problem
    from messenger.control import raise_running

    if raise_running(folder):
        typer.echo(words.RAISED, err=True)
        return Exit.OK
    if problem := window_problem(windows.load):
        typer.echo(problem, err=True)
        return Exit.USAGE
    return windows.open(folder)


def _expected(text: str) -> Fingerprint | None:
    if not text:
        return None
    try:
        return parse_fingerprint(text)
    except AddressError as e:
        raise typer.BadParameter(words.NOT_A_FINGERPRINT, param_hint="--expect") from e


def _show_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"sotto {messenger.__version__}")
        raise typer.Exit


@app.callback(invoke_without_command=True)
def _begin(
    context: typer.Context,
    profile: _Profile = None,
    _version: Annotated[
        bool, typer.Option("--version", is_eager=True, callback=_show_version, help=words.OPTION_VERSION)
    ] = False,
) -> None:
    windows: Windows = context.obj
    context.obj = _Asked(windows, profile)
    if context.invoked_subcommand is None:
        raise typer.Exit(_window(windows, context.obj.folder(None)))


@app.command("listen", help=words.HELP_LISTEN)
def _listen(
    context: typer.Context,
    port: Annotated[int | None, typer.Option("--port", metavar="N", help=words.OPTION_PORT)] = None,
    invite: Annotated[bool, typer.Option("--invite", help=words.OPTION_INVITE)] = False,
    name: _Name = "",
    profile: _Profile = None,
    ask_passphrase: _Ask = False,
    yes: _Yes = False,
    expect: _Expect = "",
) -> None:
    from messenger.cli.listen import listen
    from messenger.cli.options import Options
    from messenger.cli.runner import run as run_job

    options = Options(context.obj.folder(profile), name, ask_passphrase, yes, _expected(expect))
    raise typer.Exit(run_job(lambda terminal: listen(terminal, port, options, invite=invite)))


@app.command("chat", help=words.HELP_CHAT)
def _chat(
    context: typer.Context,
    target: Annotated[str, typer.Argument(metavar="TARGET")],
    name: _Name = "",
    profile: _Profile = None,
    ask_passphrase: _Ask = False,
    yes: _Yes = False,
    expect: _Expect = "",
) -> None:
    from messenger.cli.chat import chat
    from messenger.cli.options import Options
    from messenger.cli.runner import run as run_job

    options = Options(context.obj.folder(profile), name, ask_passphrase, yes, _expected(expect))
    raise typer.Exit(run_job(lambda terminal: chat(terminal, target, options)))


@app.command("new-key", help=words.HELP_NEW_KEY)
def _new_key(
    context: typer.Context,
    profile: _Profile = None,
    yes: Annotated[bool, typer.Option("--yes", help=words.OPTION_SURE)] = False,
) -> None:
    from messenger.cli.new_key import new_key
    from messenger.cli.options import Options
    from messenger.cli.runner import run as run_job

    folder = context.obj.folder(profile)
    options = Options(folder, name="", ask_passphrase=False, accept_all=yes, expected=None)
    raise typer.Exit(run_job(lambda terminal: new_key(terminal, options)))


@app.command("contacts", help=records.HELP_CONTACTS)
def _contacts(context: typer.Context, profile: _Profile = None, as_json: _Json = False) -> None:
    from messenger.cli.records import contacts

    options = _options(context, profile)
    _run(lambda terminal: contacts(terminal, options, as_json=as_json))


@app.command("history", help=records.HELP_HISTORY)
def _history(
    context: typer.Context,
    peer: _Peer,
    since: Annotated[str, typer.Option("--since", metavar="DAY", help=records.OPTION_SINCE)] = "",
    profile: _Profile = None,
    as_json: _Json = False,
) -> None:
    from messenger.cli.records import history

    options, begin = _options(context, profile), _day(since)
    _run(lambda terminal: history(terminal, options, peer, begin, as_json=as_json))


@app.command("search", help=records.HELP_SEARCH)
def _search(
    context: typer.Context,
    sought: Annotated[list[str], typer.Argument(metavar="WORDS...")],
    profile: _Profile = None,
    as_json: _Json = False,
) -> None:
    from messenger.cli.records import search

    options = _options(context, profile)
    _run(lambda terminal: search(terminal, options, " ".join(sought), as_json=as_json))


@app.command("invite", help=records.HELP_INVITE)
def _invite(context: typer.Context, profile: _Profile = None) -> None:
    from messenger.cli.people import invite

    options = _options(context, profile)
    _run(lambda terminal: invite(terminal, options))


@app.command("verify", help=records.HELP_VERIFY)
def _verify(context: typer.Context, peer: _Peer, profile: _Profile = None) -> None:
    from messenger.cli.people import verify

    options = _options(context, profile)
    _run(lambda terminal: verify(terminal, options, peer))


@app.command("backups", help=records.HELP_BACKUPS)
def _backups(context: typer.Context, profile: _Profile = None, as_json: _Json = False) -> None:
    from messenger.cli.keeping import backups

    options = _options(context, profile)
    _run(lambda terminal: backups(terminal, options, as_json=as_json))


@app.command("restore", help=records.HELP_RESTORE)
def _restore(
    context: typer.Context,
    name: Annotated[str, typer.Argument(metavar="NAME")],
    profile: _Profile = None,
    yes: Annotated[bool, typer.Option("--yes", help=records.OPTION_GO_BACK)] = False,
) -> None:
    from messenger.cli.keeping import restore

    options = _options(context, profile, accept_all=yes)
    _run(lambda terminal: restore(terminal, options, name))


@app.command("export", help=records.HELP_EXPORT)
def _export(context: typer.Context, file: _File, profile: _Profile = None) -> None:
    from messenger.cli.keeping import export

    options = _options(context, profile)
    _run(lambda terminal: export(terminal, options, file.absolute()))


@app.command("import", help=records.HELP_IMPORT)
def _import(
    context: typer.Context, file: _File, profile: _Profile = None, ask_passphrase: _Ask = False
) -> None:
    from messenger.cli.keeping import import_

    options = _options(context, profile, ask_passphrase=ask_passphrase)
    _run(lambda terminal: import_(terminal, options, file.absolute()))


def _options(
    context: typer.Context, profile: Path | None, *, ask_passphrase: bool = False, accept_all: bool = False
) -> "Options":
    from messenger.cli.options import Options

    return Options(context.obj.folder(profile), "", ask_passphrase, accept_all)


def _run(job: "Callable[[Terminal], Awaitable[Exit]]") -> None:
    from messenger.cli.runner import run as run_job

    raise typer.Exit(run_job(job))


def _day(text: str) -> datetime | None:
    """The local time that somebody typed, or None."""
    try:
        return datetime.fromisoformat(text).astimezone() if text else None
    except (ValueError, OverflowError, OSError) as e:
        raise typer.BadParameter(records.NOT_A_DAY, param_hint="--since") from e


@app.command("demo", help=words.HELP_DEMO)
def _demo(
    context: typer.Context,
    headless: Annotated[bool, typer.Option("--headless", help=words.OPTION_HEADLESS)] = False,
) -> None:
    from messenger.cli.demo import demonstrate
    from messenger.cli.runner import run as run_job

    windows: Windows = context.obj.windows
    if not headless:
        from messenger.cli.display import window_problem

        problem = window_problem(windows.load)
        if not problem:
            raise typer.Exit(windows.demonstrate())
        typer.echo(f"{problem} {words.DEMO_AS_TEXT}", err=True)
    raise typer.Exit(run_job(demonstrate))
