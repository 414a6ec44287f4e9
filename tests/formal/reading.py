"""Reads the models: enough of ProVerif's language to tell that names are declared and calls are whole."""

import itertools
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

HERE: Final = Path(__file__).parent

_COMMAND: Final = re.compile(r"\(\* proverif ((?:-lib \w+\.pvl )+)(\w+\.pv) \*\)\n")
_COMMENT: Final = re.compile(r"\(\*.*?\*\)", re.DOTALL)
_TOKEN: Final = re.compile(r"inj-event|\w+|==>|<>|\|\||&&|\S")
_NAME: Final = re.compile(r"[A-Za-z]\w*")
_PAIRS: Final = {"(": ")", "[": "]"}

_RESERVED: Final = """
    among axiom channel choice clauses const def diff do elimtrue else equation equivalence event expand fail
    for forall foreach free fun get if implementation in inj-event insert lemma let letfun letproba new
    noninterf noselect not nounif or otherwise out param phase pred proba process proof public_vars putbegin
    query reduc restriction secret select set suchthat sync table then type weaksecret yield
"""
_KNOWN: Final = "bitstring bool time true false attacker private typeConverter preciseActions"
_KEYWORDS: Final = frozenset(_RESERVED.split())
_BUILT_IN: Final = frozenset(_KNOWN.split())


class Unreadable(Exception):
    """A model that ProVerif would refuse."""


@dataclass
class Model:
    """What is declared up to here: each name with the number of its arguments, None if it takes none."""

    names: dict[str, int | None] = field(default_factory=dict)
    queries: int = 0
    equivalence: bool = False

    def read(self, text: str) -> None:
        """Read a file; what earlier ones declared is known.

        Raises:
            Unreadable: A bracket is not closed, a name is unknown, a call has too many arguments or too few.
        """
        for declaration in _declarations(_TOKEN.findall(_COMMENT.sub(" ", text))):
            self._declare(declaration)

    def _declare(self, tokens: list[str]) -> None:
        kind, name = tokens[0], tokens[1]
        self.queries += kind == "query"
        self.equivalence |= "choice" in tokens
        if kind in {"const", "free"}:
            for each in tokens[1 : tokens.index(":") : 2]:
                self._add(each, None)
        elif kind == "reduc":
            head = tokens.index(";") + 1
            self._add(tokens[head], _arguments(tokens, head + 1))
        elif kind in {"type", "fun", "event", "let"}:
            self._add(name, _arguments(tokens, 2) if tokens[2:3] == ["("] else None)
        elif kind not in {"query", "process", "set"}:
            raise Unreadable(f"no declaration begins with {kind}")
        self._check(tokens)

    def _add(self, name: str, arguments: int | None) -> None:
        if name in self.names or name in _KEYWORDS or not _NAME.fullmatch(name):
            raise Unreadable(f"{name} cannot be declared here")
        self.names[name] = arguments

    def _check(self, tokens: list[str]) -> None:
        bound = _typed(tokens) | _let_bound(tokens)
        if _KEYWORDS & bound:
            raise Unreadable(f"{_KEYWORDS & bound} cannot be names")
        for at, name in enumerate(tokens):
            if not _NAME.fullmatch(name) or name in _KEYWORDS | _BUILT_IN:
                continue
            if name not in bound and name not in self.names:
                raise Unreadable(f"{name} is not declared")
            called = _arguments(tokens, at + 1) if tokens[at + 1 : at + 2] == ["("] else None
            if name not in bound and called != self.names[name]:
                raise Unreadable(f"{name} takes {self.names[name]} arguments and gets {called}")


def _declarations(tokens: list[str]) -> Iterator[list[str]]:
    """Split at the dots; the process comes last and has none."""
    open_brackets: list[str] = []
    start = 0
    for at, token in enumerate(tokens):
        if token in _PAIRS:
            open_brackets.append(_PAIRS[token])
        elif token in _PAIRS.values() and (not open_brackets or open_brackets.pop() != token):
            raise Unreadable(f"a {token} that closes nothing")
        elif token == "." and not open_brackets:
            yield tokens[start:at]
            start = at + 1
    if open_brackets:
        raise Unreadable("a bracket is not closed")
    if start < len(tokens):
        if tokens[start] != "process":
            raise Unreadable("a dot is missing at the end")
        yield tokens[start:]


def _arguments(tokens: list[str], at: int) -> int:
    """How many things stand in the brackets that open there."""
    depth, commas = 0, 0
    for end in range(at, len(tokens)):
        depth += (tokens[end] in _PAIRS) - (tokens[end] in _PAIRS.values())
        commas += depth == 1 and tokens[end] == ","
        if depth == 0:
            return 0 if end == at + 1 else commas + 1
    raise Unreadable("a bracket is not closed")


def _typed(tokens: list[str]) -> set[str]:
    """Names that get a type in a declaration: variables, parameters and what is new."""
    return {name for name, colon in itertools.pairwise(tokens) if colon == ":" and _NAME.fullmatch(name)}


def _let_bound(tokens: list[str]) -> set[str]:
    """Names that a ``let`` inside of a process gives to a term."""
    triples = zip(tokens[1:], tokens[2:], tokens[3:], strict=False)
    return {name for word, name, sign in triples if word == "let" and sign == "="}


def load(path: Path) -> Model:
    """Read a model after the libraries that its first line names.

    Raises:
        Unreadable: See `Model.read`; or the first line is not the command that runs it.
    """
    text = path.read_text(encoding="utf-8")
    command = _COMMAND.match(text)
    if command is None or command[2] != path.name:
        raise Unreadable("the first line is not the command that runs it")
    model = Model()
    for library in re.findall(r"\w+\.pvl", command[1]):
        model.read((path.parent / library).read_text(encoding="utf-8"))
    model.read(text)
    return model
