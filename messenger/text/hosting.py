"""Sentences about a relay that the window hosts."""

from typing import Any, Final

from messenger.text.catalogue import _

OFF: Final = _("The relay is off.")
STARTING: Final = _("Starting. The first time it makes its keys, which takes some seconds.")
STOPPING: Final = _("Stopping.")
ABOUT: Final = _(
    "A relay keeps sealed messages for people who are away, and joins people who cannot reach each other."
    " It cannot read what passes: below is everything that it sees."
)
KEEP: Final = _("Keep running when the window closes")
KEEP_MORE: Final = _("It then runs until you stop it here, or the computer shuts down.")
USE: Final = _("Use it myself…")
QUIET: Final = _("Nothing has passed yet.")
COLUMNS: Final = (_("Time"), _("From"), _("To"), _("Size"), _("What it sees"))

_EVENTS: Final = {
    "ring": _("calls for a circuit"),
    "circuit": _("a circuit begins"),
    "circuit over": _("a circuit ends"),
    "missed": _("lines missed: {lines}"),
}


def running(clients: int, messages: int) -> str:
    """How a running relay is, in one line."""
    return _("Running · connected now: {clients} · messages taken: {messages}").format(
        clients=clients, messages=messages
    )


def traffic(line: dict[str, Any]) -> tuple[str, str, str, str]:
    """From, to, size and content of what a relay saw (`messenger.relay.monitor`)."""
    event, link = str(line.get("event", "")), _link(line.get("link"))
    if event in {"in", "out"}:
        queue = _("queue {id}").format(id=line.get("queue", ""))
        ends = (link, queue) if event == "in" else (queue, link)
        return *ends, str(line.get("bytes", "")), str(line.get("hex", ""))
    links = [_link(each) for each in line.get("links", ())]
    start, end = links if len(links) == 2 else (link, _link(line.get("to")))
    words = _EVENTS.get(event, event).format(lines=line.get("lines", ""))
    return start, end, str(line.get("bytes", "")), words


def _link(name: object) -> str:
    return _("link {name}").format(name=name) if name is not None else ""
