"""The commands that show, keep and bring back what a profile holds, without going online."""

from datetime import datetime
from typing import Annotated

import typer

from messenger.cli.arguments import Ask, File, Json, Peer, Profile, options_of, run_job
from messenger.text import records

kept = typer.Typer()


@kept.command("contacts", help=records.HELP_CONTACTS)
def _contacts(context: typer.Context, profile: Profile = None, as_json: Json = False) -> None:
    from messenger.cli.records import contacts

    options = options_of(context, profile)
    run_job(lambda terminal: contacts(terminal, options, as_json=as_json))


@kept.command("history", help=records.HELP_HISTORY)
def _history(
    context: typer.Context,
    peer: Peer,
    since: Annotated[str, typer.Option("--since", metavar="DAY", help=records.OPTION_SINCE)] = "",
    profile: Profile = None,
    as_json: Json = False,
) -> None:
    from messenger.cli.records import history

    options, begin = options_of(context, profile), _day(since)
    run_job(lambda terminal: history(terminal, options, peer, begin, as_json=as_json))


@kept.command("search", help=records.HELP_SEARCH)
def _search(
    context: typer.Context,
    sought: Annotated[list[str], typer.Argument(metavar="WORDS...")],
    profile: Profile = None,
    as_json: Json = False,
) -> None:
    from messenger.cli.records import search

    options = options_of(context, profile)
    run_job(lambda terminal: search(terminal, options, " ".join(sought), as_json=as_json))


@kept.command("invite", help=records.HELP_INVITE)
def _invite(
    context: typer.Context,
    profile: Profile = None,
    lasting: Annotated[bool, typer.Option("--lasting", help=records.OPTION_LASTING)] = False,
) -> None:
    from messenger.cli.people import invite

    options = options_of(context, profile)
    run_job(lambda terminal: invite(terminal, options, lasting=lasting))


@kept.command("verify", help=records.HELP_VERIFY)
def _verify(context: typer.Context, peer: Peer, profile: Profile = None) -> None:
    from messenger.cli.people import verify

    options = options_of(context, profile)
    run_job(lambda terminal: verify(terminal, options, peer))


@kept.command("backups", help=records.HELP_BACKUPS)
def _backups(context: typer.Context, profile: Profile = None, as_json: Json = False) -> None:
    from messenger.cli.keeping import backups

    options = options_of(context, profile)
    run_job(lambda terminal: backups(terminal, options, as_json=as_json))


@kept.command("restore", help=records.HELP_RESTORE)
def _restore(
    context: typer.Context,
    name: Annotated[str, typer.Argument(metavar="NAME")],
    profile: Profile = None,
    yes: Annotated[bool, typer.Option("--yes", help=records.OPTION_GO_BACK)] = False,
) -> None:
    from messenger.cli.keeping import restore

    options = options_of(context, profile, yes=yes)
    run_job(lambda terminal: restore(terminal, options, name))


@kept.command("export", help=records.HELP_EXPORT)
def _export(context: typer.Context, file: File, profile: Profile = None) -> None:
    from messenger.cli.keeping import export

    options = options_of(context, profile)
    run_job(lambda terminal: export(terminal, options, file.absolute()))


@kept.command("import", help=records.HELP_IMPORT)
def _import(context: typer.Context, file: File, profile: Profile = None, ask_passphrase: Ask = False) -> None:
    from messenger.cli.keeping import import_

    options = options_of(context, profile, ask_passphrase=ask_passphrase)
    run_job(lambda terminal: import_(terminal, options, file.absolute()))


def _day(text: str) -> datetime | None:
    """The local time that somebody typed, or None."""
    try:
        return datetime.fromisoformat(text).astimezone() if text else None
    except (ValueError, OverflowError, OSError) as e:
        raise typer.BadParameter(records.NOT_A_DAY, param_hint="--since") from e
