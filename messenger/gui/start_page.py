"""What stands in the window while the profile is looked at; and when it cannot be opened, why."""

from PySide6.QtCore import Qt, Signal

from messenger.gui.card_page import CardPage
from messenger.gui.progress import Spinner
from messenger.gui.theme import Theme
from messenger.gui.widgets import button, label
from messenger.text import _, explain


class StartPage(CardPage):
    """While the profile is looked at; and when it cannot be opened, why.

    Args:
        theme: Colours and fonts.
    """

    again = Signal()
    """The person wants to try once more."""

    def __init__(self, theme: Theme) -> None:
        super().__init__(theme)
        self.add_head("Sotto", "")
        self._spinner = Spinner(theme, 24)
        self._error = label("", "error", wrap=True)
        self._error.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self._rest = label("", "muted", wrap=True)
        self._rest.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self.again_button = button(_("Try again"), "primary")
        self.again_button.clicked.connect(self.again)
        self.column.addWidget(self._spinner, 0, Qt.AlignmentFlag.AlignHCenter)
        self.column.addWidget(self._error)
        self.column.addWidget(self._rest)
        self.column.addWidget(self.again_button, 0, Qt.AlignmentFlag.AlignHCenter)
        self.add_profiles_button()
        self.wait()

    def error(self) -> str:
        """What it says went wrong, or nothing."""
        return self._error.text()

    def resting(self) -> str:
        """Why there is nothing to be seen, or nothing."""
        return self._rest.text()

    def wait(self) -> None:
        """Show that something is going on."""
        self._spinner.show()
        for part in (self._error, self._rest):
            part.clear()
            part.hide()
        self.again_button.hide()
        self.profiles_button.hide()

    def rest(self, words: str) -> None:
        """Say why there is nothing to be seen, and nothing to be done about it."""
        self.wait()
        self._spinner.hide()
        self._rest.setText(words)
        self._rest.show()

    def fail(self, error: BaseException) -> None:
        """Say why the profile cannot be opened."""
        self.wait()
        self._spinner.hide()
        self._error.setText(explain(error))
        self._error.show()
        self.again_button.show()
        self.profiles_button.show()
        self.again_button.setFocus()
