"""Between the packets of the wire and the chains of the store."""

from typing import assert_never

from messenger.core.chained import Chained, ChainKind
from messenger.core.errors import LocalProtocolError
from messenger.core.ids import MessageId
from messenger.protocol.packets import ChainedPacket, Delete, Edit, Offer, React, Text, Timer


def chained_of(packet: ChainedPacket) -> Chained:
    """What a packet says, as it is stored."""
    kind, about, content, timer, body = ChainKind.TEXT, b"", "", 0, b""
    match packet:
        case Text():
            about, content, timer = packet.reply, packet.text, packet.timer
        case Edit():
            kind, about, content = ChainKind.EDIT, packet.target, packet.text
        case Delete():
            kind, about = ChainKind.DELETE, packet.target
        case React():
            kind, about, content = ChainKind.REACTION, packet.target, packet.emoji
        case Timer():
            kind, timer = ChainKind.TIMER, packet.timer
        case Offer():
            kind, body, timer = ChainKind.OFFER, packet.body, packet.timer
        case _:
            assert_never(packet)
    return Chained(
        kind=kind,
        id=MessageId(packet.id),
        seq=packet.seq,
        prev=packet.prev,
        sent_ms=packet.sent_ms,
        order=packet.order,
        about=about,
        content=content,
        timer=timer,
        body=body,
    )


def packet_of(chained: Chained) -> ChainedPacket:
    """What is stored, as it is sent; always the same.

    Raises:
        LocalProtocolError: It is of no kind that is sent.
    """
    id_, about, content = bytes(chained.id), bytes(chained.about), chained.content
    seq, prev, sent_ms, order = chained.seq, chained.prev, chained.sent_ms, chained.order
    match chained.kind:
        case ChainKind.TEXT:
            return Text(id_, seq, prev, sent_ms, content, order, about, chained.timer)
        case ChainKind.EDIT:
            return Edit(id_, seq, prev, sent_ms, about, content, order)
        case ChainKind.DELETE:
            return Delete(id_, seq, prev, sent_ms, about, order)
        case ChainKind.REACTION:
            return React(id_, seq, prev, sent_ms, about, content, order)
        case ChainKind.TIMER:
            return Timer(id_, seq, prev, sent_ms, chained.timer, order)
        case ChainKind.OFFER:
            return Offer(id_, seq, prev, sent_ms, chained.body, order, chained.timer)
    raise LocalProtocolError("unknown kind")
