"""What clients ask that takes a while: queues, prekeys, circuits (SPEC.md 11.4)."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from functools import partial

from messenger.core.errors import RemoteProtocolError, StorageError
from messenger.protocol.prekeys import Prekey, PrekeyList
from messenger.protocol.relay_answers import PrekeyGiven, QueueMade
from messenger.protocol.relay_finding import Browse, LookUp, Publish, SetStatus, Withdraw
from messenger.protocol.relay_queues import (
    Connect,
    Delete,
    GetPrekey,
    NewQueue,
    PutPrekeys,
    QueueKind,
    Subscribe,
    SubscribeFlag,
)
from messenger.protocol.relay_request import Proved, Request
from messenger.protocol.relay_word import Code, RelayFlag
from messenger.relay import directory
from messenger.relay.house import House
from messenger.relay.known import Found, Queue
from messenger.relay.ports import Correspondent


async def handle(house: House, client: Correspondent, request: Request, *, solved: bool) -> None:
    """Do what a client asks, and answer.

    Args:
        house: The relay.
        client: Who asks.
        request: What.
        solved: Whether it came with the solution of the task of the link.

    Raises:
        StorageError: It could not be done; it has not been answered.
    """
    match request:
        case NewQueue():
            await _make(house, client, request)
        case Subscribe():
            await _subscribe(house, client, request)
        case Delete():
            await _delete(house, client, request)
        case PutPrekeys():
            await _put_prekeys(house, client, request)
        case GetPrekey():
            await _get_prekey(house, client, request, solved=solved)
        case Connect():
            await _connect(house, client, request)
        case Publish() | SetStatus() | Withdraw():
            await _show(house, client, request)
        case LookUp() | Browse():
            await directory.find(house, client, request)
        case _:
            client.failed(request.tag, Code.UNKNOWN)


async def _make(house: House, client: Correspondent, request: NewQueue) -> None:
    if house.welcome.flags & RelayFlag.QUEUE_TOKEN and not house.options.knows_token(request.token):
        client.failed(request.tag, Code.TOKEN)
    elif not client.network.queues.take(1, client.now):
        client.failed(request.tag, Code.BUSY, 60)
    else:
        queue = await house.queues.make(request.kind, request.recv_key, request.send_key)
        if not client.closed:
            client.service.answer(QueueMade(request.tag, queue.row.recv_id, queue.row.send_id))
            client.changed()


async def _subscribe(house: House, client: Correspondent, request: Subscribe) -> None:
    async with owned(house, client, request, request.recv_id) as queue:
        if queue is None:
            return
        if request.flags & SubscribeFlag.CALLS and queue.row.kind != QueueKind.CONTACT:
            client.failed(request.tag, Code.DENIED)
            return
        await house.queues.subscribe(client, request, queue)


async def _delete(house: House, client: Correspondent, request: Delete) -> None:
    async with owned(house, client, request, request.queue) as queue:
        if queue is not None:
            await house.queues.delete(queue, client)
            client.done(request.tag)


async def _put_prekeys(house: House, client: Correspondent, request: PutPrekeys) -> None:
    async with owned(house, client, request, request.recv_id, QueueKind.REQUESTS) as queue:
        if queue is None:
            return
        try:
            listed = PrekeyList.decode(request.prekeys)
            prekeys = [Prekey.decode(raw) for raw in request.keys]
        except RemoteProtocolError:
            client.failed(request.tag, Code.REFUSED)
            return
        named = {prekey.hash: (prekey.hash, prekey.last_resort, prekey.encode()) for prekey in prekeys}
        whole = len(named) == len(prekeys) and named.keys() <= set(listed.hashes)
        given = list(named.values())
        if not whole or not any(prekey.last_resort for prekey in prekeys):
            client.failed(request.tag, Code.REFUSED)
        elif await house.broker.put_prekeys(queue.row, listed.serial, request.prekeys, given):
            client.done(request.tag)
        else:
            client.failed(request.tag, Code.REFUSED)


async def _get_prekey(house: House, client: Correspondent, request: GetPrekey, *, solved: bool) -> None:
    async with written(house, client, request, request.send_id, QueueKind.REQUESTS) as queue:
        if queue is None:
            return
        if not solved:
            client.failed(request.tag, Code.PUZZLE)
            return
        found = await house.broker.take_prekey(queue.row)
    if found is None:
        client.failed(request.tag, Code.ABSENT)
    elif not client.closed:
        client.service.answer(PrekeyGiven(request.tag, *found))
        client.changed()


async def _connect(house: House, client: Correspondent, request: Connect) -> None:
    async with written(house, client, request, request.queue, QueueKind.CONTACT) as queue:
        if queue is not None:
            house.circuits.connect(client, request.tag, queue.subscription)


async def _show(house: House, client: Correspondent, request: Publish | SetStatus | Withdraw) -> None:
    recv_id = request.queue if isinstance(request, Withdraw) else request.recv_id
    if isinstance(request, Publish) and (code := directory.forbids(house, request)) is not None:
        client.failed(request.tag, code)
        return
    async with owned(house, client, request, recv_id, QueueKind.REQUESTS) as queue:
        if queue is not None:
            await directory.show(house, client, request, queue)


@asynccontextmanager
async def owned(
    house: House, client: Correspondent, request: Proved, recv_id: bytes, kind: QueueKind | None = None
) -> AsyncIterator[Queue | None]:
    """The queue of whoever proves to own it, kept in memory as long as the block runs.

    None if it is answered that they do not.
    """
    async with _found(partial(house.queues.known.by_recv, recv_id)) as queue:
        key = None if queue is None else queue.row.recv_key
        yield _checked(client, request, queue, key, kind)


@asynccontextmanager
async def written(
    house: House, client: Correspondent, request: Proved, send_id: bytes, kind: QueueKind
) -> AsyncIterator[Queue | None]:
    """The queue of whoever proves that they may write to it; as `owned`."""
    async with _found(partial(house.queues.known.by_send, send_id)) as queue:
        key = None if queue is None else queue.row.send_key
        yield _checked(client, request, queue, key, kind)


@asynccontextmanager
async def _found(seek: Callable[[Found], None]) -> AsyncIterator[Queue | None]:
    """A queue, kept from the moment in which it is found: else there could be two objects for one."""
    found: asyncio.Future[Queue | None] = asyncio.get_running_loop().create_future()
    seek(partial(_tell, found))
    queue = await found
    try:
        yield queue
    finally:
        if queue is not None:
            queue.used -= 1


def _tell(found: "asyncio.Future[Queue | None]", queue: Queue | StorageError | None) -> None:
    if isinstance(queue, StorageError):
        found.set_exception(queue)
        return
    if queue is not None:
        queue.used += 1
    found.set_result(queue)


def _checked(
    client: Correspondent, request: Proved, queue: Queue | None, key: bytes | None, kind: QueueKind | None
) -> Queue | None:
    holds = client.service.holds(request, key)
    if not holds or queue is None or queue.gone or (kind is not None and queue.row.kind != kind):
        client.failed(request.tag, Code.DENIED)
        return None
    return queue
