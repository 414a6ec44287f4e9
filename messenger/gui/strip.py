"""A line of a painted row that is used up from both of its ends."""

from PySide6.QtCore import QRect


class Strip:
    """Hands out parts of a rectangle; start and end change places where writing runs from right to left.

    Args:
        rect: The whole line.
        mirrored: Whether it starts at the right.
    """

    def __init__(self, rect: QRect, *, mirrored: bool) -> None:
        self._left, self._right = rect.left(), rect.left() + rect.width()
        self._top, self._height = rect.top(), rect.height()
        self.mirrored = mirrored

    @property
    def room(self) -> int:
        """Pixels that are left."""
        return max(0, self._right - self._left)

    def start(self, width: int, gap: int = 0) -> QRect:
        """Take a part from the start.

        Args:
            width: Its width.
            gap: Pixels left free after it.
        """
        return self._take(width, gap, right=self.mirrored)

    def end(self, width: int, gap: int = 0) -> QRect:
        """Take a part from the end.

        Args:
            width: Its width.
            gap: Pixels left free before it.
        """
        return self._take(width, gap, right=not self.mirrored)

    def rest(self) -> QRect:
        """Everything that is left."""
        return QRect(self._left, self._top, self.room, self._height)

    def _take(self, width: int, gap: int, *, right: bool) -> QRect:
        if right:
            self._right -= width
            part = QRect(self._right, self._top, width, self._height)
            self._right -= gap
        else:
            part = QRect(self._left, self._top, width, self._height)
            self._left += width + gap
        return part
