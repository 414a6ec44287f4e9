"""The design sheet: complete in both schemes, legible, and followed by what is on the screen."""

import json
from itertools import product
from typing import Final

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QColor
from PySide6.QtWidgets import QApplication

from messenger import assets
from messenger.core.settings import Theme as Choice
from messenger.gui.theme import AVATARS, Colors, Theme, style_sheet

TOKENS: Final = json.loads(assets.read_text("tokens.json"))
LEGIBLE: Final = 4.5
"""Least contrast of text (WCAG 2.2, 1.4.3)."""


def luminance(color: QColor) -> float:
    def linear(part: float) -> float:
        return part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4

    red, green, blue = (linear(part) for part in (color.redF(), color.greenF(), color.blueF()))
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: QColor, other: QColor) -> float:
    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize(("scheme", "pair"), [*product(("light", "dark"), TOKENS["contrast"])], ids=str)
def test_text_stands_out_from_its_background(scheme: str, pair: tuple[str, str]) -> None:
    colors = Colors(scheme)
    assert contrast(colors[pair[0]], colors[pair[1]]) >= LEGIBLE


@pytest.mark.parametrize("color", AVATARS)
def test_white_initials_stand_out(color: str) -> None:
    assert contrast(QColor("white"), QColor(color)) >= LEGIBLE


def test_every_text_colour_is_checked_against_something() -> None:
    checked = {name for name, _background in TOKENS["contrast"]}
    texts = {name for name in TOKENS["colors"]["light"] if name.endswith(("text", "_meta", "_link", "muted"))}
    assert texts <= checked


def test_both_schemes_have_the_same_tokens() -> None:
    assert list(TOKENS["colors"]["light"]) == list(TOKENS["colors"]["dark"])
    assert all(QColor(value).isValid() for scheme in TOKENS["colors"].values() for value in scheme.values())


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_style_sheet_is_filled_completely(qapp: QApplication, scheme: str) -> None:  # noqa: ARG001 -- fonts
    sheet = style_sheet(Colors(scheme))
    assert "$" not in sheet
    assert sheet.count("{") == sheet.count("}")


def test_distances_are_steps_of_four() -> None:
    assert all(step % 4 == 0 for step in TOKENS["space"].values())


def test_a_choice_changes_palette_and_style_at_once(qapp: QApplication, theme: Theme) -> None:
    changes: list[bool] = []
    theme.changed.connect(lambda: changes.append(theme.dark))
    light = qapp.palette().window().color()
    theme.choose(Choice.DARK)
    assert changes == [True]
    assert qapp.palette().window().color() != light
    assert Colors("dark").names["window"] in qapp.styleSheet()
    theme.choose(Choice.DARK)
    assert changes == [True]
    theme.choose(Choice.LIGHT)
    assert changes == [True, False]
    assert qapp.palette().window().color() == light


def test_system_follows_the_desktop(qapp: QApplication, theme: Theme) -> None:
    hints = qapp.styleHints()
    theme.choose(Choice.SYSTEM)
    hints.setColorScheme(Qt.ColorScheme.Dark)
    followed = theme.dark
    theme.choose(Choice.LIGHT)
    hints.unsetColorScheme()
    assert followed or hints.colorScheme() is Qt.ColorScheme.Unknown
    assert not theme.dark


def test_fonts_have_the_sizes_of_the_design(theme: Theme) -> None:
    assert theme.font("small").pixelSize() == TOKENS["type"]["small"]
    assert theme.font("body", bold=True).bold()
    assert theme.font("body") == theme.font()
