"""Hosting a relay from the window: a real relay in a process of its own, and real clients of it."""

import json
import socket
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from PySide6.QtCore import QModelIndex, Qt
from PySide6.QtGui import QGuiApplication

from messenger.control import relay_host
from messenger.core import relay_limits
from messenger.core.ids import Fingerprint
from messenger.core.relays import Relay, RelayOnline, RelayUse
from messenger.gui.add_relay_sheet import AddRelaySheet
from messenger.gui.relay_monitor import TrafficModel
from messenger.gui.relay_sheet import RelaySheet
from messenger.protocol.relay_queues import Send
from messenger.text import hosting
from tests.gui.conftest import Desks
from tests.helpers.engines import fresh_port
from tests.helpers.gui import Desk, Hands
from tests.helpers.relays import Visitor, envelope, prepare


@pytest.fixture(autouse=True)
def none_goes_on(hands: Hands, tmp_path: Path) -> Iterator[None]:
    """End relays that a failed test left behind."""
    yield
    for path in tmp_path.glob("*/relay/relay.sock"):
        hands.run(relay_host.stop(path.parent.parent))


def hosting_sheet(desk: Desk, port: int) -> RelaySheet:
    """The sheet, with keys of a relay that are made already, and a free port."""
    if not (desk.folder / "relay").exists():
        prepare(desk.folder / "relay")
    desk.front()
    desk.hands.press(
        Qt.Key.Key_H, Qt.KeyboardModifier.ControlModifier | Qt.KeyboardModifier.ShiftModifier, desk.window
    )
    sheet = desk.sheet(RelaySheet)
    desk.hands.until(lambda: bool(sheet.port.text()))
    sheet.port.selectAll()
    desk.hands.type(str(port), sheet.port)
    desk.hands.press(Qt.Key.Key_Return, widget=sheet.port)
    return sheet


def started(desk: Desk) -> RelaySheet:
    sheet = hosting_sheet(desk, fresh_port())
    desk.hands.click(sheet.start_button)
    desk.hands.until(lambda: sheet.relay is not None)
    return sheet


def runs(desk: Desk) -> bool:
    return desk.hands.run(relay_host.look(desk.folder)) is not None


def ended(desk: Desk) -> bool:
    return not (desk.folder / "relay" / "relay.sock").exists()


async def one_message(sheet: RelaySheet) -> None:
    """Two clients of the relay, and a message between them."""
    assert sheet.relay is not None
    who = Fingerprint(bytes.fromhex(sheet.relay.fingerprint))
    owner, writer = [await (await Visitor.call(sheet.relay.port, who)).up() for _ in range(2)]
    box = await owner.make()
    tag = await owner.subscribe(box)
    writer.post(Send(0, box.send_id, envelope(7)), box.send_key)
    assert await owner.arrived(tag) == envelope(7)
    for each in (owner, writer):
        await each.close()


def cells(sheet: RelaySheet) -> list[str]:
    model = sheet.model
    return [
        str(model.data(model.index(row, column, QModelIndex())))
        for row in range(model.rowCount())
        for column in range(model.columnCount())
    ]


def test_one_click_starts_it_and_everything_that_it_sees_is_shown(desks: Desks) -> None:
    alice = desks("alice")
    sheet = started(alice)
    assert sheet.relay is not None
    assert str(sheet.relay.port) in sheet.addresses.text()
    assert sheet.fingerprint.text()
    assert not sheet.picture.pixmap().isNull()
    alice.hands.click(sheet.copy_button)
    assert QGuiApplication.clipboard().text() == sheet.relay.link
    assert sheet.relay.link.startswith("sotto://relay/")
    alice.hands.run(one_message(sheet))
    alice.hands.until(lambda: sum(envelope(7)[:16].hex() in cell for cell in cells(sheet)) == 2)
    assert "4096" in cells(sheet)
    alice.hands.click(sheet.stop_button)
    alice.hands.until(lambda: sheet.relay is None and not sheet._busy)
    assert ended(alice)
    assert sheet.state.text() == hosting.OFF


def own(desk: Desk, sheet: RelaySheet) -> Relay | None:
    """The relay that is hosted, as the engine uses it."""
    return next(
        (each for each in desk.call(desk.bridge.engine.relays) if each.fingerprint == sheet._who()), None
    )


def linked(desk: Desk, sheet: RelaySheet) -> bool:
    relay = own(desk, sheet)
    return relay is not None and relay.use is RelayUse.OWN and isinstance(relay.state, RelayOnline)


def test_who_hosts_it_can_use_it_too_and_finds_it_where_it_is_started_next(desks: Desks) -> None:
    alice = desks("alice")
    sheet = started(alice)
    assert sheet.relay is not None
    alice.hands.until(sheet.use_button.isVisible)
    alice.hands.click(sheet.use_button)
    adding = alice.sheet(AddRelaySheet)
    assert adding.field.text() == sheet.relay.link
    alice.hands.click(adding.go_button)
    alice.hands.until(lambda: linked(alice, sheet))
    alice.hands.until(adding.go_button.isEnabled)
    alice.hands.click(adding.go_button)
    alice.hands.until(lambda: not sheet.use_button.isVisible())
    before = sheet.relay.port
    alice.hands.click(sheet.stop_button)
    alice.hands.until(lambda: sheet.relay is None and not sheet._busy)
    sheet.port.show_value(fresh_port())
    sheet.port.changed.emit(sheet.port.value())
    alice.hands.click(sheet.start_button)
    alice.hands.until(lambda: sheet.relay is not None and sheet.relay.port != before)
    alice.hands.until(lambda: linked(alice, sheet))
    relay = own(alice, sheet)
    assert relay is not None
    assert {address.rpartition(":")[2] for address in relay.addresses} == {str(sheet.relay.port)}
    assert not sheet.use_button.isVisible()
    alice.call(alice.bridge.engine.remove_relay, relay.fingerprint)
    alice.hands.until(sheet.use_button.isVisible)


def test_a_paused_monitor_stands_still(desks: Desks) -> None:
    alice = desks("alice")
    sheet = started(alice)
    alice.hands.click(sheet.pause_button)
    alice.hands.run(one_message(sheet))
    alice.hands.until(lambda: sheet.relay is not None and sheet.relay.messages_in == 1)
    assert sheet.model.rowCount() == 0
    alice.hands.click(sheet.pause_button)
    alice.hands.run(one_message(sheet))
    alice.hands.until(lambda: sheet.model.rowCount() >= 2)


def test_a_taken_port_is_said_with_what_to_do(desks: Desks) -> None:
    alice = desks("alice")
    with closing(socket.create_server(("", fresh_port()))) as taken:
        port = taken.getsockname()[1]
        sheet = hosting_sheet(alice, port)
        alice.hands.click(sheet.start_button)
        alice.hands.until(lambda: str(port) in sheet.notice.text())
    assert "Choose another port" in sheet.notice.text()
    assert sheet.start_button.isEnabled()
    assert sheet.relay is None


def test_it_ends_with_the_window(desks: Desks) -> None:
    alice = desks("alice")
    started(alice)
    alice.close()
    assert ended(alice)


def test_one_that_is_kept_goes_on_and_the_next_start_finds_it(desks: Desks) -> None:
    alice = desks("alice")
    sheet = started(alice)
    alice.hands.click(sheet.keep)
    alice.hands.until(lambda: json.loads((alice.folder / "relay" / "window.json").read_bytes())["keep"])
    link = sheet.relay.link if sheet.relay is not None else ""
    alice.close()
    assert runs(alice)
    again = Desk(alice.hands, alice.window._theme, alice.folder).start()
    try:
        found = RelaySheet(again.window, again.window._theme, again.bridge, again.folder)
        found.open()
        again.hands.until(lambda: found.relay is not None)
        assert found.relay is not None
        assert found.relay.link == link
        assert found.keep.isChecked()
        again.hands.click(found.stop_button)
        again.hands.until(lambda: found.relay is None and not found._busy)
        assert ended(again)
    finally:
        again.close()


def test_the_monitor_keeps_the_last_thousand_rows() -> None:
    model = TrafficModel()
    for start in range(0, 3000, 700):
        model.add(tuple({"event": "in", "time": 0, "bytes": start + i} for i in range(700)))
        assert model.rowCount() <= relay_limits.TRAFFIC_ROWS
    last = model.index(model.rowCount() - 1, 3, QModelIndex())
    assert model.rowCount() == relay_limits.TRAFFIC_ROWS
    assert model.data(last) == "3499"
