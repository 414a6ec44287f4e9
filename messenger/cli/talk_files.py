"""Files in a conversation in the terminal: what is typed about them, and what is said."""

from pathlib import Path
from typing import Final

from messenger.cli.terminal import Terminal
from messenger.core import transfer_limits
from messenger.core.errors import SottoError
from messenger.core.ids import ConversationId
from messenger.core.transfer_deeds import FileDeed, possible
from messenger.core.transfers import ENDS, Transfer, TransferId, TransferState
from messenger.engine.engine import Engine
from messenger.text import explain, files_title, left_out_words, state_words
from messenger.text import terminal_files as words

_KIB: Final = 1024
_SILENT: Final = frozenset({TransferState.WAITING, TransferState.RUNNING, TransferState.FINISHING})
"""What passes by itself; the line below the prompt shows it."""


class TalkFiles:
    """The files of one conversation.

    Args:
        engine: Open.
        terminal: Where it happens.
        conversation: Which.
    """

    def __init__(self, engine: Engine, terminal: Terminal, conversation: ConversationId) -> None:
        self._engine, self._terminal, self._conversation = engine, terminal, conversation
        self._told: dict[TransferId, TransferState] = {}
        self._begun = set[TransferId]()
        self._running: dict[TransferId, Transfer] = {}

    async def begin(self, name: str) -> None:
        """Say what waits for an answer, or goes on."""
        for transfer in reversed(await self._engine.transfers(self._conversation)):
            if transfer.state in {TransferState.OFFERED, TransferState.RUNNING, TransferState.PAUSED}:
                self.changed(transfer, name)
            self._told.setdefault(transfer.id, transfer.state)

    def changed(self, transfer: Transfer, name: str) -> None:
        """A transfer stands differently: say so once, but not each step of it.

        Args:
            transfer: How it stands.
            name: Of the other person.
        """
        self._running.pop(transfer.id, None)
        if transfer.state is TransferState.RUNNING:
            self._running[transfer.id] = transfer
        if transfer.conversation != self._conversation or self._told.get(transfer.id) is transfer.state:
            return
        self._told[transfer.id] = transfer.state
        if transfer.state is TransferState.OFFERED and not transfer.outgoing:
            self._terminal.say(f"{words.offer_words(transfer, name)} {words.accept_hint()}")
        elif transfer.state is TransferState.RUNNING and transfer.id not in self._begun:
            self._begun.add(transfer.id)
            self._terminal.say(words.on_its_way(transfer))
        elif transfer.state not in _SILENT:
            self._begun.discard(transfer.id)  # it is told again when it goes on
            line = f"{files_title(transfer)}: {state_words(transfer, name)}"
            done = transfer.state is TransferState.DONE and not transfer.outgoing
            self._terminal.say(
                "\n".join([line, *(f"  {path}" for path in transfer.placed)]) if done else line
            )

    def running(self, name: str) -> str:
        """How files go on, for the line below the prompt; empty if none do."""
        return " · ".join(f"{files_title(t)} {state_words(t, name)}" for t in self._running.values())

    def takes(self, command: str) -> bool:
        """Whether something that was typed is about files."""
        return command.split(maxsplit=1)[0] in words.COMMANDS

    async def do(self, command: str) -> None:
        """Do what was typed."""
        name, _space, rest = command.partition(" ")
        try:
            if name == "/send":
                await self._send(rest.strip())
            elif name == "/limit":
                await self._limit(rest.strip())
            else:
                await self._act(words.DEED_OF[name], rest.strip())
        except SottoError as e:
            self._terminal.fail(explain(e))

    async def _send(self, typed: str) -> None:
        if not typed:
            self._terminal.fail(words.SEND_WHAT)
            return
        paths = [_path(typed)]
        choice = await self._engine.look_at_files(paths)
        for left in choice.left_out:
            self._terminal.fail(f"{words.LEFT_OUT} {left_out_words(left)}")
        if choice.tops:
            await self._engine.offer_files(self._conversation, paths)
        else:
            self._terminal.fail(words.NOTHING_TO_SEND)

    async def _limit(self, typed: str) -> None:
        """Bound the speed of the newest transfer that goes on."""
        if not typed.isdecimal() or int(typed) > transfer_limits.SPEED_LIMIT_MAX:
            self._terminal.fail(words.LIMIT_WHAT)
            return
        found = [t for t in await self._engine.transfers(self._conversation) if t.state not in ENDS]
        if found:
            await self._engine.limit_transfer(found[0].id, int(typed) * _KIB)
        else:
            self._terminal.fail(words.NO_SUCH_TRANSFER)

    async def _act(self, deed: FileDeed, rest: str) -> None:
        """Do something with the newest transfer with which that can be done."""
        engine = self._engine
        found = [t for t in await engine.transfers(self._conversation) if deed in possible(t)]
        if not found:
            self._terminal.fail(words.NO_SUCH_TRANSFER)
            return
        id_ = found[0].id
        match deed:
            case FileDeed.ACCEPT:
                await engine.accept_files(id_, _path(rest) if rest else None)
            case FileDeed.DECLINE:
                await engine.decline_files(id_)
            case FileDeed.PAUSE:
                await engine.pause_transfer(id_)
            case FileDeed.RESUME:
                await engine.resume_transfer(id_)
            case FileDeed.FIRST:
                await engine.send_first(id_)
            case _:
                await engine.cancel_transfer(id_)


def _path(typed: str) -> Path:
    """A path as somebody types it, perhaps in quotes."""
    if len(typed) > 1 and typed[0] == typed[-1] and typed[0] in "'\"":
        typed = typed[1:-1]
    try:
        return Path(typed).expanduser()
    except RuntimeError:  # nobody is called so here
        return Path(typed)
