"""Relays in the window: the question about a contact's, the list, links, the way in use, what ticks mean."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from msgspec.structs import replace
from PySide6.QtCore import Qt
from PySide6.QtGui import QGuiApplication

from messenger.core.errors import Reason, RelayError, RelayProblem
from messenger.core.ids import Fingerprint, format_fingerprint
from messenger.core.models import MessageState, Offline
from messenger.core.relays import Relay, RelayOnline, RelayUnreachable, RelayUse
from messenger.gui.add_relay_sheet import AddRelaySheet
from messenger.gui.connect_sheet import ConnectSheet
from messenger.gui.invite_sheet import InviteSheet
from messenger.gui.message_sheets import InfoSheet
from messenger.gui.relays_sheet import RelaysSheet
from messenger.gui.settings_sheet import SettingsSheet
from messenger.gui.sheet import ConfirmSheet
from messenger.protocol.invite import NO_SECRET, read_invite
from messenger.text import explain, relaying
from tests.gui.conftest import Desks
from tests.gui.test_chat import knock, meet, state, write
from tests.gui.test_deeds import key, mark
from tests.gui.test_settings import settings, turn_to
from tests.helpers.engines import fresh_port
from tests.helpers.gui import Desk
from tests.helpers.relay_thread import ThreadedRelay, threaded_relay


@pytest.fixture
def relay(tmp_path: Path) -> Iterator[ThreadedRelay]:
    with threaded_relay(tmp_path / "relay") as made:
        yield made


def known(desk: Desk) -> list[Relay]:
    return desk.call(desk.bridge.engine.relays)


def use(desk: Desk, relay: ThreadedRelay) -> None:
    """Use a relay behind the window's back, until strangers can write there: it has prekeys to hand out."""
    desk.call(desk.bridge.engine.add_relay, relay.started.link)
    desk.hands.until(lambda: any(isinstance(each.state, RelayOnline) for each in known(desk)))
    running = desk.bridge.engine._running
    assert running is not None
    desk.hands.until(lambda: bool(running.queues.larder._serials))


def relays_sheet(desk: Desk) -> RelaysSheet:
    """Open the list from the settings, by keyboard."""
    sheet = settings(desk)
    turn_to(desk, sheet, "listen")
    sheet.relays_button.setFocus()
    desk.hands.press(Qt.Key.Key_Space)
    return desk.sheet(RelaysSheet)


def paste(desk: Desk, text: str) -> None:
    """Copy a link and paste it as an invite."""
    QGuiApplication.clipboard().setText(text)
    desk.front()
    desk.hands.press(Qt.Key.Key_I, Qt.KeyboardModifier.ControlModifier, desk.window)


def test_a_contacts_relay_is_asked_about_and_used(desks: Desks, relay: ThreadedRelay) -> None:
    alice, bob = desks("alice"), desks("bob")
    use(bob, relay)
    meet(alice, bob)
    alice.front()
    alice.hands.until(lambda: alice.chat.relays.text() != "")
    words = alice.chat.relays.text()
    assert "Bob" in words
    assert relay.started.addresses[0] in words
    assert format_fingerprint(relay.started.fingerprint) in words
    assert "cannot read anything" in words
    assert alice.chat.relays.accessibleName() == words
    alice.chat.relays.use_button.setFocus()
    alice.hands.press(Qt.Key.Key_Space)
    alice.hands.until(lambda: alice.chat.relays.text() == "")
    assert [each.use for each in known(alice)] == [RelayUse.ALLOWED]


def test_the_question_stands_after_a_restart_until_it_is_answered(desks: Desks, relay: ThreadedRelay) -> None:
    alice, bob = desks("alice"), desks("bob")
    use(bob, relay)
    meet(alice, bob)
    alice.hands.until(lambda: alice.chat.relays.text() != "")
    folder = alice.folder
    alice.close()
    again = Desk(alice.hands, alice.window._theme, folder)
    try:
        again.start()
        assert again.chat.relays.text() == ""
        again.front().open_chat("Bob")
        again.hands.until(lambda: "Bob" in again.chat.relays.text())
        again.hands.click(again.chat.relays.later_button)
        again.hands.until(lambda: again.chat.relays.text() == "")
        assert [each.use for each in known(again)] == [RelayUse.REFUSED]
        sheet = relays_sheet(again)
        again.hands.until(lambda: len(sheet.rows) == 1)
        row = sheet.rows[relay.started.fingerprint]
        again.hands.until(row.act_button.isVisible)
        assert "do not use it" in row.standing.text()
        again.hands.click(row.act_button)
        again.hands.until(lambda: "you use it" in row.standing.text())
        again.hands.click(row.refuse_button)
        again.hands.until(lambda: "do not use it" in row.standing.text())
    finally:
        again.close()


def test_a_relay_is_added_by_its_link_and_removed(desks: Desks, relay: ThreadedRelay) -> None:
    alice = desks("alice")
    sheet = relays_sheet(alice)
    alice.hands.type(relay.started.link, sheet.field)
    alice.hands.press(Qt.Key.Key_Return, widget=sheet.field)
    alice.hands.until(lambda: not alice.no_sheet(AddRelaySheet))
    adding = alice.sheet(AddRelaySheet)
    assert adding.address.text() == relay.started.addresses[0]
    assert adding.go_button.hasFocus()
    assert known(alice) == [], "the key that opens the question does not answer it"
    alice.hands.press(Qt.Key.Key_Return)
    alice.hands.until(lambda: "Connected to" in adding.notice.text())
    alice.hands.click(adding.go_button)
    alice.hands.until(lambda: alice.no_sheet(AddRelaySheet))
    row = sheet.rows[relay.started.fingerprint]
    alice.hands.until(lambda: "Connected" in row.standing.text())
    alice.hands.click(row.act_button)
    asking = alice.sheet(ConfirmSheet)
    alice.hands.click(asking.action_button)
    alice.hands.until(lambda: "Removed" in row.standing.text())
    assert [each.use for each in known(alice)] == [RelayUse.LEAVING]
    alice.hands.click(row.act_button)
    alice.hands.click(alice.sheet(ConfirmSheet).action_button)
    alice.hands.until(lambda: sheet.rows == {})
    assert known(alice) == []


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("sotto://relay/AAAA", "damaged or incomplete"),
        ("example.org", "no link of a relay"),
        ("sotto://invite/AAAA", "no link of a relay"),
    ],
)
def test_what_is_no_link_of_a_relay_is_said_so(desks: Desks, text: str, words: str) -> None:
    alice = desks("alice")
    sheet = relays_sheet(alice)
    alice.hands.type(text, sheet.field)
    alice.hands.click(sheet.add_relay_button)
    adding = alice.sheet(AddRelaySheet)
    alice.hands.click(adding.go_button)
    alice.hands.until(lambda: words in adding.notice.text())
    assert known(alice) == []


def test_a_relay_that_does_not_answer_stays_with_the_reason(desks: Desks, tmp_path: Path) -> None:
    with threaded_relay(tmp_path / "relay", port=fresh_port()) as relay:  # which nobody else is given then
        link, fingerprint = relay.started.link, relay.started.fingerprint
    alice = desks("alice")
    paste(alice, link)
    adding = alice.sheet(AddRelaySheet)
    alice.hands.click(adding.go_button)
    alice.hands.until(lambda: "Nobody answers" in adding.notice.text())
    alice.hands.click(adding.go_button)
    sheet = relays_sheet(alice)
    alice.hands.until(lambda: fingerprint in sheet.rows)
    alice.hands.until(lambda: "Nobody answers" in sheet.rows[fingerprint].standing.text())


def test_a_link_of_a_relay_in_the_connect_dialog_offers_to_use_it(desks: Desks, relay: ThreadedRelay) -> None:
    alice = desks("alice")
    alice.front()
    alice.hands.press(Qt.Key.Key_N, Qt.KeyboardModifier.ControlModifier, alice.window)
    sheet = alice.sheet(ConnectSheet)
    alice.hands.type(relay.started.link, sheet.field)
    alice.hands.press(Qt.Key.Key_Return)
    adding = alice.sheet(AddRelaySheet)
    assert alice.no_sheet(ConnectSheet)
    assert adding.address.text() == relay.started.addresses[0]
    alice.hands.press(Qt.Key.Key_Escape)
    assert known(alice) == []


def test_an_invite_of_somebody_away_says_where_the_message_waits(desks: Desks, relay: ThreadedRelay) -> None:
    alice, bob = desks("alice"), desks("bob")
    use(bob, relay)
    invite = bob.call(bob.bridge.engine.make_invite)
    folder = bob.folder
    bob.close()
    paste(alice, invite)
    sheet = alice.sheet(ConnectSheet)
    alice.hands.click(sheet.go_button)
    alice.hands.until(lambda: "waits at the relay" in alice.chat.notice.text())
    assert relay.started.addresses[0] in alice.chat.notice.text()
    write(alice, "found your invite")
    alice.hands.until(lambda: alice.texts() == ["found your invite"])
    alice.hands.until(lambda: state(alice, 0) is MessageState.SENT)
    assert "waits at the relay" in alice.chat.header.path.toolTip()
    assert "waits at a relay" in told(alice)
    again = Desk(alice.hands, alice.window._theme, folder)
    try:
        again.start()
        alice.hands.until(lambda: state(alice, 0) is MessageState.DELIVERED)
        assert "on their disk" in told(alice)
        again.hands.until(lambda: again.page.model.rowCount() == 1)
    finally:
        again.close()


def told(desk: Desk) -> str:
    """What the info of the last message says of its tick."""
    desk.front()
    mark(desk, desk.chat.model.rowCount() - 1)
    key(desk, Qt.Key.Key_I)
    sheet = desk.sheet(InfoSheet)
    words = sheet.meaning.text()
    desk.hands.press(Qt.Key.Key_Escape, widget=sheet)
    return words


def test_the_header_says_which_way_is_in_use(desks: Desks) -> None:
    alice, bob = desks("alice"), desks("bob")
    knock(alice, bob)
    alice.hands.until(lambda: alice.chat.header.words().startswith("Online"))
    assert alice.chat.header.path.isVisible()
    assert "Straight from computer to computer" in alice.chat.header.path.toolTip()
    assert alice.chat.header.path.accessibleName() == alice.chat.header.path.toolTip()
    bob.close()
    alice.hands.until(lambda: alice.chat.header.words().startswith("Offline"))
    assert not alice.chat.header.path.isVisible()


def test_a_link_through_a_relay_is_named(desks: Desks, relay: ThreadedRelay) -> None:
    alice, bob = desks("alice", listen=False), desks("bob", listen=False)
    for desk in (alice, bob):
        use(desk, relay)
    paste(alice, bob.call(bob.bridge.engine.make_invite))
    alice.hands.click(alice.sheet(ConnectSheet).go_button)
    alice.hands.until(lambda: alice.chat.conversation is not None)
    write(alice, "through")
    bob.hands.until(lambda: bob.page.model.rowCount() == 1)
    bob.front().open_chat(bob.page.sidebar.order.rows()[0].conversation.contact.title)
    write(bob, "back")
    alice.hands.until(lambda: "back" in alice.texts())
    assert alice.chat.conversation is not None
    alice.call(alice.bridge.engine.reconnect, alice.chat.conversation)
    address = relay.started.addresses[0]
    alice.hands.until(lambda: alice.chat.header.words() == f"Online · through the relay {address}")
    assert "cannot read anything" in alice.chat.header.path.toolTip()
    assert address in alice.chat.header.path.toolTip()


def test_the_settings_lead_to_the_list(desks: Desks) -> None:
    alice = desks("alice")
    sheet = relays_sheet(alice)
    assert "wait at a relay" in " ".join(part.text() for part in sheet.findChildren(type(sheet.notice._text)))
    assert alice.window.findChildren(SettingsSheet)


def test_a_relay_that_must_not_be_used_is_no_way() -> None:
    asked = [Relay(fingerprint=Fingerprint(bytes(32)), addresses=("r:1",), use=RelayUse.REFUSED)]
    assert relaying.path(Offline(), asked) == ("", "")
    icon, words = relaying.path(Offline(), [*asked, replace(asked[0], addresses=("s:2",), use=RelayUse.OWN)])
    assert icon == "relay"
    assert "s:2" in words


def test_where_no_relay_answers_nothing_is_said_to_wait_there() -> None:
    relay = Relay(fingerprint=Fingerprint(bytes(32)), addresses=("r:1",), use=RelayUse.OWN)
    silent = replace(relay, state=RelayUnreachable(Reason.TIMEOUT))
    assert "waits at the relay r:1" in relaying.path(Offline(), [relay])[1]
    assert "waits on this computer" in relaying.path(Offline(), [silent])[1]
    assert "waits at the relay" in relaying.path(Offline(), [silent, relay])[1]


def test_a_link_that_lasts_can_be_copied_where_strangers_can_write(
    desks: Desks, relay: ThreadedRelay
) -> None:
    alice = desks("alice").front()
    use(alice, relay)
    alice.window.commands.actions["show"].trigger()
    sheet = alice.sheet(InviteSheet)
    alice.hands.until(sheet.lasting_button.isVisible)
    alice.hands.click(sheet.lasting_button)
    link = read_invite(QGuiApplication.clipboard().text())
    assert (link.secret, len(link.places)) == (NO_SECRET, 1)
    assert QGuiApplication.clipboard().text() != sheet.link.text()


def test_a_relay_for_the_invited_says_so_and_takes_a_token(desks: Desks, tmp_path: Path) -> None:
    tokens = tmp_path / "tokens"
    tokens.write_text("open sesame\n")
    with threaded_relay(tmp_path / "relay", queue_token=True, token_file=str(tokens)) as relay:
        alice = desks("alice").front()
        paste(alice, relay.started.link)
        sheet = alice.sheet(AddRelaySheet)
        alice.hands.click(sheet.go_button)
        wanted = explain(RelayError(RelayProblem.TOKEN))
        alice.hands.until(lambda: wanted in sheet.notice.text())
        assert (sheet.token.isEnabled(), sheet.go_button.text()) == (True, relaying.ADD_ACTION)
        sheet.token.setText("open sesame")
        alice.hands.click(sheet.go_button)
        alice.hands.until(lambda: "People can write to you there" in sheet.notice.text())
        running = alice.bridge.engine._running
        assert running is not None
        alice.hands.until(lambda: bool(running.queues.larder._serials))
        assert [each.state.refused for each in known(alice) if isinstance(each.state, RelayOnline)] == [None]
