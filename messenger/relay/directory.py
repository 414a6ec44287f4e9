"""The directory: who may publish, what is checked, who may look (SPEC.md section 13)."""

import asyncio

from messenger.core.errors import RemoteProtocolError
from messenger.protocol.directory import Entry
from messenger.protocol.relay_answers import Page
from messenger.protocol.relay_finding import Browse, LookUp, Publish, SetStatus, Withdraw
from messenger.protocol.relay_word import Code, DirectoryPolicy, RelayFlag
from messenger.relay.house import House
from messenger.relay.known import Queue
from messenger.relay.ports import Correspondent


def forbids(house: House, request: Publish) -> Code | None:
    """Why the owner's policy does not let somebody publish; None if it does, as far as is known yet."""
    match house.welcome.directory:
        case DirectoryPolicy.NONE:
            return Code.UNKNOWN
        case DirectoryPolicy.TOKEN if not house.options.knows_token(request.token):
            return Code.TOKEN
    return None


async def show(
    house: House, client: Correspondent, request: Publish | SetStatus | Withdraw, queue: Queue
) -> None:
    """Publish, change the status, or take an entry back, for the owner of a queue.

    Raises:
        StorageError: It could not be done; it has not been answered.
    """
    if house.welcome.directory is DirectoryPolicy.NONE:
        client.failed(request.tag, Code.UNKNOWN)
        return
    if isinstance(request, Withdraw):
        there = await house.broker.withdraw(queue.row)
        house.statuses.drop(queue.row.number)
        _tell(client, request.tag, None if there else Code.ABSENT)
        return
    if not client.may_publish():
        client.failed(request.tag, Code.BUSY, 10)
        return
    if isinstance(request, Publish):
        code = await _publish(house, request, queue)
    else:
        code = None if await house.broker.has_entry(queue.row) else Code.ABSENT
    if code is None and not client.closed:
        house.statuses.set(queue.row.number, client, request.status)
    _tell(client, request.tag, code)


async def find(house: House, client: Correspondent, request: LookUp | Browse) -> None:
    """Answer a question about the directory.

    Raises:
        StorageError: It could not be done; it has not been answered.
    """
    if house.welcome.directory is DirectoryPolicy.NONE:
        client.failed(request.tag, Code.UNKNOWN)
        return
    if house.welcome.flags & RelayFlag.FIND_TOKEN and not house.options.knows_token(request.token):
        client.failed(request.tag, Code.TOKEN)
        return
    if not client.network.looks.take(1, client.now):
        client.failed(request.tag, Code.BUSY, 1)
        return
    following = b""
    if isinstance(request, LookUp):
        found = await house.broker.look_up(request.fingerprint)
    else:
        found = await house.broker.browse(request.after, request.most + 1)
        if len(found) > request.most:
            found.pop()
            following = found[-1][1]
    if isinstance(request, LookUp) and not found:
        client.failed(request.tag, Code.ABSENT)
    elif not client.closed:
        entries = tuple((house.statuses.get(number), entry) for number, _, entry in found)
        client.service.answer(Page(request.tag, entries, following))
        client.changed()


async def _publish(house: House, request: Publish, queue: Queue) -> Code | None:
    """The checks in the order of the specification; None if the entry is in the directory now."""
    try:
        entry = Entry.decode(request.entry)
    except RemoteProtocolError:
        return Code.REFUSED
    if entry.send_id != queue.row.send_id:
        return Code.DENIED
    now = house.unix()
    if entry.not_after < now:
        return Code.REFUSED
    serial = await house.broker.entry_serial(entry.fingerprint)
    if serial is not None and serial >= entry.serial:
        return Code.REFUSED
    try:
        await asyncio.to_thread(entry.verify, house.keys.fingerprint, now)
    except RemoteProtocolError:
        return Code.REFUSED
    listed = house.options.lists(entry.fingerprint)
    if house.welcome.directory is DirectoryPolicy.LISTED and not listed:
        return Code.REFUSED
    row, raw = queue.row, request.entry
    put = await house.broker.publish(row, entry.fingerprint, entry.serial, entry.not_after, raw)
    return None if put else Code.REFUSED


def _tell(client: Correspondent, tag: int, code: Code | None) -> None:
    if code is None:
        client.done(tag)
    else:
        client.failed(tag, code)
