"""The emoji that can be chosen here; any other can be typed or pasted."""

import unicodedata
from typing import Final

from messenger.core.words import folded
from messenger.text import _

QUICK: Final = ("👍", "❤️", "😂", "😮", "😢", "🙏")
"""Reactions that are at hand."""

GROUPS: Final[dict[str, str]] = {
    _("Faces"): (
        "😀 😃 😄 😁 😆 😅 😂 🤣 🙂 🙃 😉 😊 😇 🥰 😍 🤩 😘 😋 😛 😜 🤪 🤗 🤭 🤔 🤐 🤨 😐 😏"
        " 😒 🙄 😬 😌 😔 😴 😷 🤒 🤕 🤢 🥵 🥶 🥴 😵 🤯 🤠 🥳 😎 🤓 😕 😟 🙁 😮 😲 😳 🥺 😨 😰"
        " 😢 😭 😱 😖 😞 😩 🥱 😤 😡 🤬 😈 💀 🤡 👻 👽 🤖"
    ),
    _("Hands and people"): (
        "👋 ✋ 👌 ✌️ 🤞 🤟 👈 👉 👆 👇 👍 👎 ✊ 👊 👏 🙌 👐 🤝 🙏 💪 ✍️ 💅 👀 🧠 👶 🧒 👩 👨"
        " 🧑 👵 👴 🙋 🤦 🤷 💃 🕺 🏃 🚶 👫 👪"
    ),
    _("Hearts and signs"): (
        "❤️ 🧡 💛 💚 💙 💜 🖤 🤍 💔 💕 💯 ✅ ❌ ❓ ❗ ⚠️ 🚫 ♻️ ➕ ➖ ✨ ⭐ 🌟 🔥 💥 💤 💬 🔔 🔒 🔑 ⏰ ⏳ 🏁 🎵"
    ),
    _("Animals and plants"): (
        "🐶 🐱 🐭 🐹 🐰 🦊 🐻 🐼 🐨 🐯 🦁 🐮 🐷 🐸 🐵 🐔 🐧 🐦 🦆 🦉 🐴 🦄 🐝 🐛 🦋 🐌 🐞 🐢"
        " 🐍 🐙 🐠 🐬 🐳 🌵 🎄 🌲 🌳 🌴 🌱 🍀 🍁 🌷 🌹 🌻 🌞 🌙 ☀️ ⛅ 🌧️ ⛄ 🌈 🌊"
    ),
    _("Food and drink"): (
        "🍏 🍎 🍐 🍊 🍋 🍌 🍉 🍇 🍓 🍒 🍑 🥝 🍅 🥑 🥕 🌽 🍞 🧀 🥚 🥞 🍔 🍟 🍕 🌮 🍝 🍜 🍣 🍦"
        " 🍩 🍪 🎂 🍰 🍫 🍿 ☕ 🍵 🥤 🍺 🍻 🥂 🍷"
    ),
    _("Things and places"): (
        "⚽ 🏀 🎾 🏐 🎱 🏆 🎯 🎮 🎲 🧩 🎨 🎭 🎸 🎹 🎤 🎧 🎬 📷 📱 💻 ⌨️ 🖨️ 💡 🔦 📚 📖 📝 ✏️"
        " 📌 📎 ✂️ 📦 📫 🔧 🔨 ⚙️ 🧪 💊 🛒 🎁 🎈 🎉 🚗 🚌 🚲 ✈️ 🚀 🚢 🚂 🏠 🏢 🏫 🏥 🏖️ ⛰️ 🗺️"
    ),
}
"""The emoji of each group, with spaces between them."""

_VARIANT: Final = "\ufe0f"
"""Asks for the coloured form; it has no name of its own."""


def name_of(emoji: str) -> str:
    """What a screen reader says for an emoji, and what a search finds it by."""
    return " ".join(unicodedata.name(c, "").lower() for c in emoji if c != _VARIANT).strip() or emoji


def found(words: str) -> list[str]:
    """All emoji whose name, or the name of whose group, has each of some words; all of them for none."""
    wanted = folded(words).split()
    result = list[str]()
    for group, emojis in GROUPS.items():
        for emoji in emojis.split():
            told = folded(f"{name_of(emoji)} {group}")
            if all(word in told for word in wanted) and emoji not in result:
                result.append(emoji)
    return result
