"""A profile of an earlier version: the window says how far its history has been brought up to date."""

import pytest

from messenger.crypto import keystore
from messenger.gui.card_page import CardPage
from messenger.gui.start_page import StartPage
from messenger.gui.theme import Theme
from messenger.gui.unlock import UnlockPage
from messenger.text import updating
from tests.gui.conftest import Desks
from tests.helpers import old_databases
from tests.helpers.engines import DATABASE
from tests.helpers.gui import Desk


def old_desk(desks: Desks, passphrase: str | None) -> Desk:
    desk = desks("alice", passphrase, start=False)
    (desk.folder / DATABASE).unlink()
    key = keystore.unlock(desk.folder, passphrase or "").db_key
    old_databases.make(desk.folder / DATABASE, key, 1)
    return desk


@pytest.mark.usefixtures("hands")
def test_it_is_said_until_it_is_done(theme: Theme) -> None:
    page = CardPage(theme)
    page.show()
    page.show_update(40)
    assert page.update_words.isVisible()
    assert page.update_words.text() == "Bringing the history up to date… 40 %"
    page.show_update(41)
    assert page.update_words.text().endswith("41 %")
    page.show_update(100)
    assert not page.update_words.isVisible()
    page.close()


@pytest.mark.parametrize("passphrase", [None, "open sesame"], ids=["start page", "unlock page"])
def test_the_page_that_opens_an_old_profile_says_it(
    desks: Desks, passphrase: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    said: list[tuple[type, str, bool]] = []
    show = CardPage.show_update

    def seen(page: CardPage, percent: int) -> None:
        show(page, percent)
        said.append((type(page), page.update_words.text(), page.update_words.isVisible()))

    monkeypatch.setattr(CardPage, "show_update", seen)
    desk = old_desk(desks, passphrase)
    desk.start()
    if passphrase is not None:
        unlock = desk.window.pages.currentWidget()
        assert isinstance(unlock, UnlockPage)
        desk.hands.type(passphrase, unlock.field)
        desk.hands.click(unlock.open_button)
    desk.hands.until(lambda: desk.window.conversations is not None)
    kind = StartPage if passphrase is None else UnlockPage
    assert said[0] == (kind, updating(0), True)
    assert said[-1] == (kind, updating(100), False)
    assert desk.window.conversations is not None
    assert desk.window.conversations.model.rowCount() == 2
