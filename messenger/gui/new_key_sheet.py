"""Going on as the same person with other keys: what it means, the question, and the steps."""

from PySide6.QtCore import Slot
from PySide6.QtWidgets import QWidget

from messenger.core.errors import SottoError
from messenger.engine.events import Event, SetupProgress
from messenger.gui.bridge import Bridge
from messenger.gui.progress import StepList
from messenger.gui.sheet import Sheet
from messenger.gui.theme import Theme
from messenger.gui.widgets import label
from messenger.text import SETUP_STEPS, _, keys


class NewKeySheet(Sheet):
    """Explains, asks, makes; closed before the keys are made, it gives up and changes nothing.

    Args:
        parent: The window.
        theme: Colours and fonts.
        bridge: The way to the engine.
    """

    def __init__(self, parent: QWidget, theme: Theme, bridge: Bridge) -> None:
        super().__init__(parent, theme, keys.NEW_KEY_ACTION)
        self._bridge = bridge
        self.body.addWidget(label(keys.NEW_KEY_TITLE, "title", wrap=True))
        self.words = label(keys.NEW_KEY_WORDS, "muted", wrap=True)
        self.body.addWidget(self.words)
        self.steps = StepList(theme, SETUP_STEPS)
        self.steps.hide()
        self.body.addWidget(self.steps)
        self.cancel_button = self.add_button(_("Cancel"))
        self.go_button = self.add_button(keys.NEW_KEY_ACTION, "danger")
        self.cancel_button.clicked.connect(self.reject)
        self.go_button.clicked.connect(self._on_go)
        self.cancel_button.setFocus()
        self.setMinimumWidth(440)
        bridge.events.connect(self._on_events)

    @Slot()
    def _on_go(self) -> None:
        self.go_button.setEnabled(False)
        self.steps.reset()
        self.steps.show()
        self.fit()
        self.run(self._make(), "make a new key")

    async def _make(self) -> None:
        try:
            await self._bridge.call(self._bridge.engine.move_to_new_identity)
        except SottoError:
            self.steps.fail()
            self.go_button.setEnabled(True)
            raise
        self.steps.finish()
        self.words.setText(keys.NEW_KEY_DONE)
        self.go_button.hide()
        self.cancel_button.setText(_("Close"))

    @Slot(object)
    def _on_events(self, events: tuple[Event, ...]) -> None:
        for event in events:
            if isinstance(event, SetupProgress):
                self.steps.begin(event.step.value)
