from pathlib import Path

import msgspec
import pytest

from messenger.core.settings import LogLevel, NewTimer, Notify, OpenDoor, Settings, TakeFiles, Theme, declared
from messenger.storage.store import Store

CHANGED = Settings(
    listen=False,
    port=50000,
    open_door=OpenDoor.NOBODY,
    reconnect=False,
    read_receipts=False,
    typing=False,
    new_timer=NewTimer.DAY,
    tell_addresses=True,
    lock_after=5,
    notify=Notify.BARE,
    sound=False,
    close_to_tray=True,
    start_minimised=True,
    autostart=True,
    theme=Theme.DARK,
    zoom=150,
    enter_sends=False,
    spelling=False,
    take_files=TakeFiles.VERIFIED,
    take_files_mib=7,
    previews=False,
    lanes=3,
    send_limit=1000,
    receive_limit=2000,
    keep_days=30,
    backups_kept=0,
    log=LogLevel.STEPS,
)


def test_values_by_name(store: Store) -> None:
    assert store.meta.get("one") is None
    store.meta.put("one", b"\x00\xff")
    store.meta.put("two", b"")
    assert store.meta.get("one") == b"\x00\xff"
    assert store.meta.get("two") == b""
    store.meta.put("one", b"new")
    assert store.meta.get("one") == b"new"


def test_the_name(store: Store) -> None:
    assert store.meta.name() == ""
    store.meta.set_name("Zoë 👩‍🚀 שלום")
    assert store.meta.name() == "Zoë 👩‍🚀 שלום"


def test_settings_come_back_after_a_restart(path: Path, key: bytes) -> None:
    assert all(getattr(CHANGED, item.name) != getattr(Settings(), item.name) for item in declared())
    store = Store.open(path, key)
    assert store.meta.settings() == Settings()
    store.meta.save_settings(CHANGED)
    assert store.meta.settings() == CHANGED
    store.close()
    store = Store.open(path, key)
    assert store.meta.settings() == CHANGED
    store.close()


@pytest.mark.parametrize(
    "stored",
    [
        {"port": 50001, "of a later version": 1, "theme": "dark"},
        {"port": 50001, "reconnect": "yes", "theme": "dark"},
        {"open_door": "ajar", "port": 50001, "theme": "dark"},
        {"listen": None, "port": 50001, "theme": "dark"},
        {"port": 50001, "enter_sends": [1, {}], "theme": "dark"},
    ],
)
def test_one_setting_that_cannot_be_used_leaves_the_others(store: Store, stored: dict[str, object]) -> None:
    store.meta.put("settings", msgspec.json.encode(stored))
    assert store.meta.settings() == Settings(port=50001, theme=Theme.DARK)


@pytest.mark.parametrize("port", [0, 65536, -1, 1.5, True, "50001"])
def test_a_number_out_of_bounds_falls_back(store: Store, port: object) -> None:
    store.meta.put("settings", msgspec.json.encode({"port": port, "listen": False}))
    assert store.meta.settings() == Settings(listen=False)


@pytest.mark.parametrize(
    "stored", [b"", b"[1]", b"{", b"\xff\xfe", b"null", b'{"a":"\xff"}', b'{"a":' + b"[" * 100_000]
)
def test_settings_that_cannot_be_read_at_all(store: Store, stored: bytes) -> None:
    store.meta.put("settings", stored)
    assert store.meta.settings() == Settings()
