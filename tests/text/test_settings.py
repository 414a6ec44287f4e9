"""Every declared setting, and every choice of one, has its words."""

from enum import StrEnum

from messenger.core.models import AddressKind
from messenger.core.settings import Page, declared
from messenger.text import ADDRESS_KINDS, CHOICES, PAGES, PROTECTION, SETTINGS


def test_every_setting_has_a_label_and_help() -> None:
    assert set(SETTINGS) == {item.name for item in declared()}
    for label, words in SETTINGS.values():
        assert label
        assert words.endswith(".")


def test_every_choice_has_words() -> None:
    choices = {choice for item in declared() if issubclass(item.kind, StrEnum) for choice in item.kind}
    assert set(CHOICES) == choices


def test_pages_kinds_and_protections_have_words() -> None:
    assert set(PAGES) == set(Page)
    assert set(ADDRESS_KINDS) == set(AddressKind)
    assert set(PROTECTION) == {"passphrase", "keyring", "file"}


def test_no_two_choices_share_a_word_of_their_own() -> None:
    """Equal members of two enumerations are one key of a table: the later words would hold for both."""
    members = [member for item in declared() if issubclass(item.kind, StrEnum) for member in item.kind]
    assert len({str(member) for member in members}) == len(members)
