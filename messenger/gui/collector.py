"""Python's cycle collector, bound to the window's thread.

Left alone it runs in whatever thread happens to allocate. In the engine's thread it would destroy
widgets, models and timers that stand in a reference cycle, which Qt allows in their own thread only:
the process dies of it now and then. So the automatic collection is off while there is a window, and
a timer of the window's thread collects instead.
"""

import gc
from typing import Final

from PySide6.QtCore import QObject, QTimerEvent

_INTERVAL_MS: Final = 1000


class Collector(QObject):
    """Collects garbage once a second, as much as the usual thresholds ask for.

    What exists when it begins (modules, classes, functions) is set aside for good, so that even a full
    collection looks only at what came later and the window does not stutter.

    Args:
        parent: Owner; collection becomes automatic again when it is destroyed.
    """

    def __init__(self, parent: QObject) -> None:
        super().__init__(parent)
        gc.disable()
        gc.freeze()
        self.startTimer(_INTERVAL_MS)
        parent.destroyed.connect(gc.enable)

    def timerEvent(self, event: QTimerEvent) -> None:  # noqa: ARG002, N802 -- Qt's name
        """Collect the oldest generation whose threshold is passed."""
        counts = zip(gc.get_count(), gc.get_threshold(), strict=True)
        passed = [generation for generation, (count, most) in enumerate(counts) if count > most]
        if passed:
            gc.collect(passed[-1])
