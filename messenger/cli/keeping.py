"""`sotto backups`, `restore`, `export` and `import`: the ways back, and the way to a new computer."""

from pathlib import Path

from messenger.cli.exits import Exit, Stop
from messenger.cli.options import Options
from messenger.cli.people import looking
from messenger.cli.profile import ask_new_passphrase, ask_passphrase
from messenger.cli.records import print_object
from messenger.cli.runner import engine_on
from messenger.cli.terminal import Terminal
from messenger.core.errors import ProfileMissing
from messenger.core.models import ProfileStatus
from messenger.text import records


async def backups(terminal: Terminal, options: Options, *, as_json: bool) -> Exit:
    """List them; the profile need not be opened, and nobody has to close it elsewhere.

    Raises:
        StorageError: The folder cannot be read.
    """
    async with engine_on(options, terminal, online=False) as (engine, _):
        for backup in await engine.backups():
            if as_json:
                made = {"name": backup.name, "made_ms": backup.made_ms, "bytes": backup.bytes}
                print_object(terminal, made)
            else:
                terminal.out(records.backup_line(backup))
        return Exit.OK


async def restore(terminal: Terminal, options: Options, name: str) -> Exit:
    """Put a backup in the place of the database.

    Raises:
        SottoError: Nothing was changed, or what was there is beside it.
        Stop: There is no such backup, or nobody here can be asked.
    """
    async with engine_on(options, terminal, online=False) as (engine, _):
        if name not in {backup.name for backup in await engine.backups()}:
            raise Stop(records.no_backup(name), Exit.USAGE)
        if not (options.accept_all or terminal.can_ask):
            raise Stop(records.CANNOT_ASK_RESTORE, Exit.DECLINED)
        status = await engine.status()
        if status is ProfileStatus.NEW:
            raise ProfileMissing(str(options.folder))
        if not (options.accept_all or await terminal.confirm(records.ASK_RESTORE)):
            terminal.say(records.RESTORE_LEFT)
            return Exit.DECLINED
        locked = status is ProfileStatus.LOCKED
        await engine.restore(name, await ask_passphrase(terminal) if locked else None)
        terminal.say(records.RESTORED)
        return Exit.OK


async def export(terminal: Terminal, options: Options, path: Path) -> Exit:
    """Write the whole profile into a file.

    Raises:
        SottoError: It was not written.
    """
    async with looking(terminal, options) as engine:
        passphrase = await ask_new_passphrase(terminal, records.ASK_EXPORT, records.NEEDS_EXPORT)
        with terminal.busy(records.EXPORTING):
            await engine.export_profile(path, passphrase)
        terminal.say(records.exported(str(path)))
        return Exit.OK


async def import_(terminal: Terminal, options: Options, path: Path) -> Exit:
    """Make a new profile of an export.

    Raises:
        SottoError: Nothing was set up.
        Stop: There is somebody in the profile.
    """
    async with engine_on(options, terminal, online=False) as (engine, _):
        if await engine.status() is not ProfileStatus.NEW:
            raise Stop(records.PROFILE_THERE, Exit.USAGE)
        passphrase = await ask_passphrase(terminal, records.ASK_IMPORT, records.NEEDS_IMPORT)
        new = await ask_new_passphrase(terminal) if options.ask_passphrase else None
        with terminal.busy(records.IMPORTING):
            await engine.import_profile(path, passphrase, new)
        terminal.say(records.IMPORTED)
        return Exit.OK
