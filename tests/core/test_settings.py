"""Settings are data."""

from enum import Enum

import pytest
from hypothesis import given
from hypothesis import strategies as st

from messenger.core.errors import InputProblem, SettingError
from messenger.core.settings import Declared, OpenDoor, Settings, Theme, changed, declared, to_plain


def test_changes_are_checked_and_applied() -> None:
    settings = changed(Settings(), {"port": 5, "open_door": "nobody", "theme": Theme.DARK, "listen": False})
    assert settings == Settings(port=5, open_door=OpenDoor.NOBODY, theme=Theme.DARK, listen=False)


@pytest.mark.parametrize(
    ("name", "value", "problem"),
    [
        ("port", 0, InputProblem.BAD_VALUE),
        ("port", 65536, InputProblem.BAD_VALUE),
        ("port", "5", InputProblem.BAD_VALUE),
        ("port", True, InputProblem.BAD_VALUE),
        ("port", 5.0, InputProblem.BAD_VALUE),
        ("port", None, InputProblem.BAD_VALUE),
        ("listen", 1, InputProblem.BAD_VALUE),
        ("listen", "yes", InputProblem.BAD_VALUE),
        ("open_door", "sometimes", InputProblem.BAD_VALUE),
        ("theme", None, InputProblem.BAD_VALUE),
        ("colour", "red", InputProblem.UNKNOWN),
        ("__class__", "x", InputProblem.UNKNOWN),
    ],
)
def test_refused(name: str, value: object, problem: InputProblem) -> None:
    with pytest.raises(SettingError) as caught:
        changed(Settings(), {"read_receipts": False, name: value})
    assert caught.value.problem is problem
    assert caught.value.detail == name


def test_the_bounds_themselves_are_allowed() -> None:
    for item in declared():
        for bound in (item.least, item.most):
            if bound is not None:
                assert getattr(changed(Settings(), {item.name: bound}), item.name) == bound


def test_defaults_are_allowed_values() -> None:
    assert changed(Settings(), to_plain(Settings())) == Settings()


def _values(item: Declared) -> st.SearchStrategy[object]:
    if issubclass(item.kind, Enum):
        return st.sampled_from(list(item.kind))
    return st.booleans() if item.kind is bool else st.integers(item.least, item.most)


@given(st.fixed_dictionaries({}, optional={item.name: _values(item) for item in declared()}))
def test_what_is_stored_can_be_read(changes: dict[str, object]) -> None:
    settings = changed(Settings(), changes)
    plain = to_plain(settings)
    assert {type(value) for value in plain.values()} <= {bool, int, str}
    assert changed(Settings(), plain) == settings


@given(st.dictionaries(st.text(), st.one_of(st.none(), st.booleans(), st.integers(), st.text(), st.floats())))
def test_anything_else_is_a_setting_error(changes: dict[str, object]) -> None:
    try:
        changed(Settings(), changes)
    except SettingError:
        return
    assert changes.keys() <= {item.name for item in declared()}
