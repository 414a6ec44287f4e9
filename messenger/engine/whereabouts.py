"""Where two people can reach each other otherwise than by the link on which they talk."""

from messenger.core import limits
from messenger.core.address import is_near, parse_address
from messenger.core.ids import ConversationId
from messenger.engine import mailboxes
from messenger.engine.context import Context
from messenger.net.interfaces import reachable_addresses
from messenger.protocol.packets import Addresses, Mailboxes


def addresses_to_tell(context: Context, relay: str) -> list[Addresses]:
    """What to tell on a link through a relay of where we can be called without it, if that is allowed.

    Args:
        context: The open profile.
        relay: IP address of the relay; addresses of our own network are told only through one that is in it.
    """
    if not (context.settings.tell_addresses and context.port):
        return []
    near = is_near(relay.partition("%")[0])
    found = [each.text for each in reachable_addresses(context.port) if "%" not in each.text]
    told = [text for text in found if near or not is_near(parse_address(text).host)]
    return [Addresses(told[: limits.INVITE_ADDRESSES_MAX])] if told else []


async def take_whereabouts(
    context: Context, conversation: ConversationId, packet: Mailboxes | Addresses, *, direct: bool
) -> None:
    """Take where an accepted contact can be reached: through relays from now on, or without one now.

    Args:
        context: The open profile.
        conversation: Who.
        packet: What they have told.
        direct: Whether the link on which they did goes through no relay.
    """
    if isinstance(packet, Addresses):
        if not direct:
            context.upgrade(conversation, packet.addresses)
        return
    waiting = await context.stored(mailboxes.move, context.store, conversation, packet)
    if waiting is not None:
        context.publish_changed(waiting)
        places = await context.stored(mailboxes.places, context.store, conversation)
        await context.placed(conversation, places)
