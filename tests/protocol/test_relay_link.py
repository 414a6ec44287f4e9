"""A client and a relay on a real anonymous link: the capabilities hold in this link and no other."""

from messenger.core import limits
from messenger.protocol.handshake import PeerAnonymous
from messenger.protocol.initiator import Initiator
from messenger.protocol.link import ContentReceived, Link, LinkUp
from messenger.protocol.relay_answers import Done, Subscribed
from messenger.protocol.relay_client import RelayClient
from messenger.protocol.relay_queues import Send, Subscribe
from messenger.protocol.relay_request import Proved, Request
from messenger.protocol.relay_service import RelayService
from messenger.protocol.relay_wire import EXPORT
from messenger.protocol.relay_word import FromRelay, Welcome
from messenger.protocol.responder import Responder
from tests.helpers.keys import identity
from tests.helpers.links import NOW, End, bundle, exchange
from tests.protocol.relay_pair import RECV_ID, RECV_KEY, SEND_ID, SEND_KEY, envelope


class Call:
    """A client of bob's relay."""

    def __init__(self) -> None:
        caller = Link(Initiator(None, NOW, expected=identity("bob").fingerprint), raw=True)
        relay = Link(Responder(bundle("bob"), NOW, open_door=False, anonymous=True), raw=True)
        self.ends = End(caller, None), End(relay, identity("bob"))
        exchange(*self.ends)
        assert PeerAnonymous in map(type, self.ends[1].asked)
        self.client = RelayClient(caller.export(EXPORT, b""))
        self.service = RelayService(relay.export(EXPORT, b""), Welcome())
        self.said: list[FromRelay] = []
        self.asked: list[Request] = []

    def carry(self) -> None:
        """Everything that is on its way, through records."""
        caller, relay = self.ends
        for end, pieces in ((caller, self.client.data_to_send()), (relay, self.service.data_to_send())):
            for piece in pieces:
                end.link.send_content(piece)
        exchange(caller, relay)
        for content in taken(relay):
            self.asked += self.service.receive(content)
        for content in taken(caller):
            self.said += self.client.receive(content)


def taken(end: End) -> list[bytes]:
    """Contents that have arrived, each once."""
    found = [event.content for event in end.events if isinstance(event, ContentReceived)]
    end.events.clear()
    return found


def test_a_message_through_a_relay() -> None:
    owner, writer = Call(), Call()
    for call in (owner, writer):
        call.carry()
        assert call.said == [Welcome()]
    tag = owner.client.request(Subscribe(0, RECV_ID), RECV_KEY)
    owner.carry()
    assert owner.service.holds(only(owner.asked), RECV_KEY)
    owner.service.answer(Subscribed(tag, 0))
    largest = envelope(7, max(limits.ENVELOPE_BUCKETS))
    sent = writer.client.request(Send(0, SEND_ID, largest), SEND_KEY)
    writer.carry()
    request = only(writer.asked)
    assert writer.service.holds(request, SEND_KEY)
    assert not owner.service.holds(request, SEND_KEY), "a proof of another link"
    assert isinstance(request, Send)
    owner.service.deliver(tag, request.envelope)
    writer.service.answer(Done(sent))
    for call in (owner, writer):
        call.carry()
    assert writer.said[-1] == Done(sent)
    assert getattr(owner.said[-1], "envelope", None) == largest


def only(requests: list[Request]) -> Proved:
    (request,) = requests
    assert isinstance(request, Proved)
    return request


def test_a_raw_link_does_not_look_into_contents() -> None:
    call = Call()
    caller, relay = call.ends
    caller.link.send_content(b"\x7f anything")
    exchange(caller, relay)
    assert relay.events[1:] == [ContentReceived(b"\x7f anything")]
    assert isinstance(relay.events[0], LinkUp)
    assert repr(relay.events[1]) == "ContentReceived(10 bytes)"
