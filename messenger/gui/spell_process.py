"""The process that looks words up in the dictionaries of this computer, and can do nothing else.

It is started when the first word is typed, with two arguments, each tags of languages with commas between:
those that the person has chosen (none to follow the others), and those of the program and of the system. It
says `Hello`, then answers each line of standard input (`Check` or `Suggest`, JSON) with one line (`Checked`
or `Suggested`), in their order, until its input ends.

Dictionaries are found by enchant: those of hunspell, aspell and nuspell, and the checkers of macOS. Enchant
would keep word lists of its own in the person's home; it is given no place for them. On Linux, once the
dictionaries are loaded, the process gives up opening and writing files, sockets and processes: what is typed
can go nowhere, and a text that deceives the code of a dictionary finds nothing here.
"""

import os
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, BinaryIO, Final, NoReturn

import msgspec

from messenger.core import window_limits as limits
from messenger.core.spelling import is_tag, wanted_languages
from messenger.gui.confinement import confine

if TYPE_CHECKING:
    import enchant

_NOWHERE: Final = f"{os.devnull}/none"
"""A folder that cannot be made: enchant puts empty word lists where it can."""
_ARGUMENTS: Final = 2
_USAGE: Final = 64


class Hello(msgspec.Struct, frozen=True):
    """What can be checked."""

    installed: bool = False
    """Whether there is the library that looks words up."""
    available: tuple[str, ...] = ()
    """Tags of all dictionaries that there are."""
    used: tuple[str, ...] = ()
    """Tags of those that are used; none if there is none for the languages that are wanted."""


class Check(msgspec.Struct, frozen=True, tag=True):
    """Which of these words are right?"""

    words: tuple[str, ...]


class Checked(msgspec.Struct, frozen=True):
    """For each word whether it is."""

    right: tuple[bool, ...]


class Suggest(msgspec.Struct, frozen=True, tag=True):
    """What could this word have been meant to be?"""

    word: str


class Suggested(msgspec.Struct, frozen=True):
    """The best first."""

    words: tuple[str, ...]


class _Counted:
    """One dictionary, and how many words it had."""

    def __init__(self, dictionary: "enchant.Dict") -> None:
        self.dictionary, self.hits = dictionary, 0

    def has(self, word: str) -> bool:
        """Whether it has a word."""
        found = bool(self.dictionary.check(word))
        self.hits += found
        return found


def distance(one: str, other: str) -> int:
    """How much has to be changed to make one word of another: 1 for two letters that change places, else 2.

    Capital letters count as small ones (optimal string alignment).
    """
    one, other = one.casefold(), other.casefold()
    before, row = list[int](), list(range(0, 2 * len(other) + 2, 2))
    for i, letter in enumerate(one):
        earlier, before, row = before, row, [2 * i + 2]
        for j, sign in enumerate(other):
            best = min(before[j] + 2 * (letter != sign), before[j + 1] + 2, row[j] + 2)
            if i and j and letter == other[j - 1] and one[i - 1] == sign:
                best = min(best, earlier[j - 1] + 1)
            row.append(best)
    return row[-1]


class Dictionaries:
    """The dictionaries in use; a word is right that is in one of them.

    Args:
        loaded: As enchant has loaded them.
    """

    def __init__(self, loaded: Sequence["enchant.Dict"]) -> None:
        self._loaded = [_Counted(one) for one in loaded]

    def answer(self, asked: Check | Suggest) -> Checked | Suggested:
        """Answer one line."""
        if isinstance(asked, Check):
            return Checked(tuple(self.right(word) for word in asked.words))
        return Suggested(self.suggest(asked.word))

    def right(self, word: str) -> bool:
        """Whether a word is in one of them; one that they cannot look up is."""
        if not 0 < len(word) <= limits.SPELLED_WORD_MAX:
            return True
        return bool([one for one in self._loaded if one.has(word)])  # each is asked, and counts

    def suggest(self, word: str) -> tuple[str, ...]:
        """What could have been meant: what is most alike first, then by the language that is used most.

        At the beginning of a sentence it may be a word that is written small elsewhere.
        """
        if not 0 < len(word) <= limits.SPELLED_WORD_MAX:
            return ()
        found: dict[str, int] = {}
        for one in sorted(self._loaded, key=lambda one: -one.hits):
            ways = one.dictionary.suggest(word)
            if word[:1].isupper():
                small = word[:1].lower() + word[1:]
                ways += [way[:1].upper() + way[1:] for way in one.dictionary.suggest(small)]
            for way in filter(str.isprintable, ways):
                found.setdefault(way, distance(word, way))
        return tuple(sorted(found, key=found.__getitem__))[: limits.SUGGESTIONS_MAX]


def load(chosen: tuple[str, ...], own: tuple[str, ...]) -> tuple[Hello, Dictionaries]:
    """Load the dictionaries.

    Args:
        chosen: Tags that the person has chosen.
        own: Languages of the program and of the system.
    """
    if sys.platform != "win32":  # there the person's dictionaries themselves are in that folder
        os.environ["ENCHANT_CONFIG_DIR"] = _NOWHERE
    try:
        import enchant
    except (ImportError, OSError, AssertionError):  # the package, the library, or what it needs is not there
        return Hello(), Dictionaries(())
    broker = enchant.Broker()
    available = tuple(sorted(filter(is_tag, set(broker.list_languages()))))[: limits.SPELLED_TAGS_MAX]
    loaded: dict[str, enchant.Dict] = {}
    for tag in wanted_languages(available, chosen, own):
        try:
            loaded[tag] = broker.request_dict(tag)
        except enchant.errors.Error:  # it is listed and cannot be read
            continue
    dictionaries = Dictionaries(tuple(loaded.values()))
    dictionaries.right("warm")  # what is loaded at the first use
    dictionaries.suggest("wram")
    return Hello(installed=True, available=available, used=tuple(loaded)), dictionaries


def run(arguments: Sequence[str], given: BinaryIO, said: BinaryIO) -> int:
    """Answer until nothing more is asked; returns the exit code.

    Args:
        arguments: As the module says.
        given: Lines that ask.
        said: Where the answers go.
    """
    if len(arguments) != _ARGUMENTS:
        return _USAGE
    chosen, own = (tuple(filter(is_tag, tags.split(","))) for tags in arguments)
    hello, dictionaries = load(chosen, own)
    encoder, decoder = msgspec.json.Encoder(), msgspec.json.Decoder(Check | Suggest)
    if sys.platform == "linux":  # the checkers of macOS are programs of their own
        confine()
    said.write(encoder.encode(hello) + b"\n")
    said.flush()
    for line in given:
        said.write(encoder.encode(dictionaries.answer(decoder.decode(line))) + b"\n")
        said.flush()
    return 0


def main(arguments: Sequence[str] | None = None) -> NoReturn:
    """Run as the process that checks, and end it.

    Args:
        arguments: Those after the program name (after ``--spelling`` in a packed program); those of
            this process unless given.
    """
    os._exit(run(sys.argv[1:] if arguments is None else arguments, sys.stdin.buffer, sys.stdout.buffer))


if __name__ == "__main__":
    main()
