"""What the groups of commands of `Engine` have in common."""

from messenger.core.errors import LocalProtocolError
from messenger.engine.running import Running


class Commands:
    """Commands to an engine that runs."""

    _running: Running | None = None
    """The parts, from `create` or `open` to `stop`."""

    def _now(self) -> Running:
        if self._running is None:
            raise LocalProtocolError("the engine is not running")
        return self._running
