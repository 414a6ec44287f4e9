"""`sotto demo --headless`: the demonstration as a transcript."""

import time

from messenger.cli.exits import Exit
from messenger.cli.terminal import Terminal
from messenger.demo.headless import run_headless
from messenger.demo.scenario import Step
from messenger.text import demo as words


async def demonstrate(terminal: Terminal) -> Exit:
    """Run the demonstration and print each step when it is done.

    Returns:
        OK only if every check of every step passed.

    Raises:
        SottoError: A step could not be done.
    """
    started = time.perf_counter()
    transcript = Transcript(terminal)
    await run_headless(transcript)
    terminal.out("")
    terminal.out(words.time_line(time.perf_counter() - started))
    terminal.out(words.PASSED if transcript.passed else words.FAILED)
    return Exit.OK if transcript.passed else Exit.FAILED


class Transcript:
    """Prints steps and counts what failed."""

    def __init__(self, terminal: Terminal) -> None:
        self._terminal = terminal
        self.passed = True

    def begun(self, title: str) -> None:
        """Print what is being done."""
        self._terminal.out(f"\n{title}")

    def done(self, step: Step) -> None:
        """Print what a step showed, what was checked, and how long it took."""
        for line in step.lines:
            self._terminal.out(f"    {line}")
        for what, holds in step.checks:
            self.passed = self.passed and holds
            self._terminal.out(f"  {words.GOOD if holds else words.BAD} {what}")
        self._terminal.out(f"  {words.step_time(step.seconds)}")
