"""The catalogue of the person's language; without a translation the English of the source is shown."""

import gettext
from typing import Final

from messenger import assets

_catalogue: Final = gettext.translation("sotto", assets.path("translations"), fallback=True)

_ = _catalogue.gettext
"""Translate one sentence; the name by which extraction finds it."""

ngettext = _catalogue.ngettext
"""Translate a sentence that counts something."""
