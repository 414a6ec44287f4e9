"""The command line: what can be asked for, and which part of the program does it.

Everything beyond the parsing is imported by the command that needs it, so that the program starts quickly.
"""

import contextlib
import signal
import sys
import traceback
from pathlib import Path
from typing import Annotated

import typer

import messenger
from messenger.cli.arguments import Ask, Profile, options_of, run_job
from messenger.cli.exits import Exit
from messenger.cli.kept import kept
from messenger.cli.options import Accept
from messenger.cli.window import Windows, open_window, take_link, usable_folder
from messenger.core import limits, transfer_limits
from messenger.text import relay as relay_words
from messenger.text import relays as use_words
from messenger.text import terminal as words
from messenger.text import terminal_files as file_words


class Asked:
    """What stands before the command."""

    def __init__(self, windows: "_Given", folder: Path | None) -> None:
        self.windows, self.link = windows.windows, windows.link
        self._folder = folder

    def folder(self, named: Path | None) -> Path:
        """The profile folder: as named after the command, or before it, or the usual one.

        Raises:
            BadParameter: It is relative to something that is not there, or its name is not UTF-8.
        """
        try:
            return usable_folder(named or self._folder)
        except (RuntimeError, OSError, UnicodeEncodeError) as e:
            raise typer.BadParameter(words.NO_SUCH_PLACE, param_hint="--profile") from e


class _Given:
    """What stands around the command line."""

    def __init__(self, windows: Windows, link: str) -> None:
        self.windows, self.link = windows, link


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
        rest, link = take_link(arguments)
        if len(link) > limits.INVITE_TEXT_MAX:
            typer.echo(words.LINK_TOO_LONG, err=True)
            return Exit.USAGE
        app(rest, prog_name="sotto", obj=_Given(windows, link))
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

_Limit = Annotated[
    int,
    typer.Option(
        "--limit", metavar="KIB", min=0, max=transfer_limits.SPEED_LIMIT_MAX, help=file_words.OPTION_LIMIT
    ),
]
_Name = Annotated[str, typer.Option("--name", metavar="NAME", help=words.OPTION_NAME)]
_Yes = Annotated[bool, typer.Option("--yes", help=words.OPTION_YES)]
_Json = Annotated[bool, typer.Option("--json", help=file_words.OPTION_JSON)]
_Expect = Annotated[str, typer.Option("--expect", metavar="FINGERPRINT", help=words.OPTION_EXPECT)]


def _show_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"sotto {messenger.__version__}")
        raise typer.Exit


@app.callback(invoke_without_command=True)
def _begin(
    context: typer.Context,
    profile: Profile = None,
    _version: Annotated[
        bool, typer.Option("--version", is_eager=True, callback=_show_version, help=words.OPTION_VERSION)
    ] = False,
) -> None:
    context.obj = Asked(context.obj, profile)
    if context.invoked_subcommand is None:
        asked = context.obj
        raise typer.Exit(open_window(asked.windows, asked.folder(None), asked.link))


@app.command("listen", help=words.HELP_LISTEN)
def _listen(
    context: typer.Context,
    port: Annotated[int | None, typer.Option("--port", metavar="N", help=words.OPTION_PORT)] = None,
    invite: Annotated[bool, typer.Option("--invite", help=words.OPTION_INVITE)] = False,
    name: _Name = "",
    profile: Profile = None,
    ask_passphrase: Ask = False,
    yes: _Yes = False,
    expect: _Expect = "",
) -> None:
    from messenger.cli.listen import listen

    options = options_of(context, profile, name, ask_passphrase=ask_passphrase, yes=yes, expect=expect)
    run_job(lambda terminal: listen(terminal, port, options, invite=invite))


@app.command("chat", help=words.HELP_CHAT)
def _chat(
    context: typer.Context,
    target: Annotated[str, typer.Argument(metavar="TARGET")],
    name: _Name = "",
    profile: Profile = None,
    ask_passphrase: Ask = False,
    yes: _Yes = False,
    expect: _Expect = "",
) -> None:
    from messenger.cli.chat import chat

    options = options_of(context, profile, name, ask_passphrase=ask_passphrase, yes=yes, expect=expect)
    run_job(lambda terminal: chat(terminal, target, options))


@app.command("send", help=file_words.HELP_SEND)
def _send(
    context: typer.Context,
    target: Annotated[str, typer.Argument(metavar="PEER")],
    paths: Annotated[list[Path] | None, typer.Argument(metavar="PATH…")] = None,
    limit: _Limit = 0,
    json: _Json = False,
    name: _Name = "",
    profile: Profile = None,
    ask_passphrase: Ask = False,
    yes: _Yes = False,
    expect: _Expect = "",
) -> None:
    from messenger.cli.files import send

    options = options_of(context, profile, name, ask_passphrase=ask_passphrase, yes=yes, expect=expect)
    run_job(lambda terminal: send(terminal, target, paths or [], options, json=json, limit=limit))


@app.command("receive", help=file_words.HELP_RECEIVE)
def _receive(
    context: typer.Context,
    target: Annotated[str, typer.Argument(metavar="PEER")] = "",
    accept: Annotated[Accept, typer.Option("--accept", help=file_words.OPTION_ACCEPT)] = Accept.ASK,
    folder: Annotated[
        Path | None, typer.Option("--folder", metavar="DIR", help=file_words.OPTION_FOLDER)
    ] = None,
    once: Annotated[bool, typer.Option("--once", help=file_words.OPTION_ONCE)] = False,
    port: Annotated[int | None, typer.Option("--port", metavar="N", help=words.OPTION_PORT)] = None,
    limit: _Limit = 0,
    json: _Json = False,
    name: _Name = "",
    profile: Profile = None,
    ask_passphrase: Ask = False,
    yes: _Yes = False,
    expect: _Expect = "",
) -> None:
    from messenger.cli.files import Taking, receive

    options = options_of(context, profile, name, ask_passphrase=ask_passphrase, yes=yes, expect=expect)
    taking = Taking(accept, None if folder is None else folder.absolute(), once, json, port, limit)
    run_job(lambda terminal: receive(terminal, target, options, taking))


@app.command("new-key", help=words.HELP_NEW_KEY)
def _new_key(
    context: typer.Context,
    profile: Profile = None,
    yes: Annotated[bool, typer.Option("--yes", help=words.OPTION_SURE)] = False,
) -> None:
    from messenger.cli.new_key import new_key

    options = options_of(context, profile, yes=yes)
    run_job(lambda terminal: new_key(terminal, options))


@app.command(
    "relay",
    help=relay_words.HELP,
    add_help_option=False,
    context_settings={"ignore_unknown_options": True, "allow_extra_args": True},
)
def _relay(context: typer.Context) -> None:
    from messenger.relay.main import run as run_relay

    raise typer.Exit(run_relay(context.args))


relays = typer.Typer(help=use_words.HELP, no_args_is_help=True, rich_markup_mode=None)
app.add_typer(relays, name="relays")


@relays.command("add", help=use_words.HELP_ADD)
def _relays_add(
    context: typer.Context,
    link: Annotated[list[str], typer.Argument(metavar="LINK")],
    token: Annotated[str, typer.Option("--token", metavar="TEXT", help=use_words.OPTION_TOKEN)] = "",
    name: _Name = "",
    profile: Profile = None,
) -> None:
    from messenger.cli.relays import add

    options = options_of(context, profile, name)
    run_job(lambda terminal: add(terminal, " ".join(link), token, options))


@relays.command("list", help=use_words.HELP_LIST)
def _relays_list(context: typer.Context, profile: Profile = None) -> None:
    from messenger.cli.relays import show

    options = options_of(context, profile)
    run_job(lambda terminal: show(terminal, options))


@relays.command("remove", help=use_words.HELP_REMOVE)
def _relays_remove(
    context: typer.Context,
    relay: Annotated[list[str], typer.Argument(metavar="RELAY")],
    now: Annotated[bool, typer.Option("--now", help=use_words.OPTION_NOW)] = False,
    profile: Profile = None,
) -> None:
    from messenger.cli.relays import remove

    options = options_of(context, profile)
    run_job(lambda terminal: remove(terminal, " ".join(relay), options, at_once=now))


app.add_typer(kept)


@app.command("demo", help=words.HELP_DEMO)
def _demo(
    context: typer.Context,
    headless: Annotated[bool, typer.Option("--headless", help=words.OPTION_HEADLESS)] = False,
) -> None:
    from messenger.cli.demo import demonstrate

    windows: Windows = context.obj.windows
    if not headless:
        from messenger.cli.display import window_problem

        problem = window_problem(windows.load)
        if not problem:
            raise typer.Exit(windows.demonstrate())
        typer.echo(f"{problem} {words.DEMO_AS_TEXT}", err=True)
    run_job(demonstrate)
