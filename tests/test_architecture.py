"""The layer law of messenger/README.md, read from every import, function-local and TYPE_CHECKING ones too."""

import ast
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final

import pytest

ROOT: Final = Path(__file__).parent.parent
HOUSE: Final = "messenger"

LAYERS: Final[dict[str, frozenset[str]]] = {
    "core": frozenset(),
    "crypto": frozenset({"core"}),
    "protocol": frozenset({"core", "crypto"}),
    "net": frozenset({"core", "protocol"}),
    "storage": frozenset({"core"}),
    "engine": frozenset({"core", "crypto", "protocol", "net", "storage"}),
    "relay": frozenset({"core", "crypto", "protocol", "net", "storage", "text"}),
    "control": frozenset({"core", "engine"}),
    "cli": frozenset({"core", "control", "demo", "engine", "relay", "text"}),
    "gui": frozenset({"core", "control", "demo", "engine", "text", "assets", "storage.reader"}),
    "text": frozenset({"core", "assets"}),
    "assets": frozenset({"core"}),
    "demo": frozenset({"core", "engine", "net", "text"}),
    "__main__": frozenset(
        {"cli", "gui", "core", "crypto.no_openssl", "crypto.process", "crypto.vault_process"}
    ),
    "__init__": frozenset(),
}
"""What each part of the house may import of ours: whole packages, or one module of another."""

ONLY: Final[dict[str, frozenset[str]]] = {
    "Crypto": frozenset({"crypto"}),
    "cryptography": frozenset({"crypto"}),
    "keyring": frozenset({"crypto"}),
    "apsw": frozenset({"storage"}),
    "PySide6": frozenset({"gui"}),
    "shiboken6": frozenset({"gui"}),
    "qasync": frozenset({"gui"}),
    "enchant": frozenset({"gui"}),
    "ifaddr": frozenset({"net"}),
    "jeepney": frozenset({"gui"}),
    "segno": frozenset({"gui"}),
    "zeroconf": frozenset({"net"}),
    "socket": frozenset({"net", "control"}),
    "subprocess": frozenset({"control", "crypto", "demo", "__main__"}),
    "typer": frozenset({"cli"}),
    "rich": frozenset({"cli"}),
    "prompt_toolkit": frozenset({"cli"}),
    "platformdirs": frozenset({"core", "cli", "gui", "relay", "text", "__main__"}),
    "prometheus_client": frozenset({"relay"}),
}
"""Foreign libraries with one gateway each: the only parts that may import them."""

OPENERS: Final = frozenset(
    {
        "open_connection",
        "open_unix_connection",
        "start_server",
        "start_unix_server",
        "create_connection",
        "create_server",
        "create_unix_connection",
        "create_unix_server",
        "create_datagram_endpoint",
        "create_subprocess_exec",
        "create_subprocess_shell",
        "sock_connect",
        "sock_accept",
    }
)
"""Methods by which asyncio opens sockets or starts processes without `socket` or `subprocess`."""

OPENING: Final[dict[str, frozenset[str]]] = {
    "net": OPENERS - {"create_subprocess_exec", "create_subprocess_shell"},
    "control": OPENERS - {"create_subprocess_exec", "create_subprocess_shell"},
    "crypto": frozenset({"create_subprocess_exec"}),
    "demo": frozenset({"create_subprocess_exec"}),
}
"""Who may call which of them."""

WORLD: Final = frozenset(
    {
        "asyncio",
        "concurrent",
        "ctypes",
        "multiprocessing",
        "os",
        "pathlib",
        "random",
        "select",
        "selectors",
        "shutil",
        "signal",
        "socket",
        "ssl",
        "subprocess",
        "sys",
        "tempfile",
        "threading",
        "time",
    }
)
"""Modules of I/O, clocks and threads, which core and protocol do without."""

ENTROPY: Final = "urandom"
"""The one thing of `os` that the protocol may name: the default source of random bytes."""

FILE_LINES: Final = 400
FUNCTION_LINES: Final = 60
CLASS_METHODS: Final = 25

FACADES: Final = frozenset({"Engine"})
"""Classes with one method for each command of a contract, which do nothing themselves but pass on."""


@dataclass(frozen=True)
class Source:
    """One file of the house.

    Attributes:
        path: Where it is.
        module: Its dotted name; a package has the name of its folder.
        tree: What is in it.
        lines: How many lines.
    """

    path: Path
    module: str
    tree: ast.Module
    lines: int

    @property
    def part(self) -> str:
        """The package, or top-level module, that it belongs to."""
        names = self.module.split(".")
        return names[1] if len(names) > 1 else "__init__"


@cache
def sources() -> tuple[Source, ...]:
    return tuple(_source(path) for path in sorted((ROOT / HOUSE).rglob("*.py")))


def _source(path: Path) -> Source:
    names = list(path.relative_to(ROOT).with_suffix("").parts)
    if names[-1] == "__init__":
        names.pop()
    text = path.read_text(encoding="utf-8")
    return Source(path, ".".join(names), ast.parse(text, str(path)), text.count("\n"))


@cache
def modules() -> frozenset[str]:
    return frozenset(source.module for source in sources())


def imports(source: Source) -> Iterator[tuple[int, str]]:
    """Line and dotted name of everything that a file imports; a module of ours with its full name."""
    for node in ast.walk(source.tree):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{source.path}:{node.lineno}: a relative import"
            name = node.module or ""
            inner = [f"{name}.{alias.name}" for alias in node.names]
            ours = [module for module in inner if module in modules()]
            yield from ((node.lineno, module) for module in ours)
            if len(ours) < len(inner):
                yield node.lineno, name


def _may_import(part: str, module: str) -> bool:
    names = module.split(".")[1:]
    if not names:
        return True  # the package itself holds nothing but its version
    allowed = LAYERS[part] | {part}
    return names[0] in allowed or ".".join(names[:2]) in allowed


def test_every_part_of_the_house_is_in_the_law() -> None:
    assert {source.part for source in sources()} <= LAYERS.keys()


def test_the_sources_are_found() -> None:
    assert {f"{HOUSE}.core.limits", f"{HOUSE}.engine.engine", HOUSE} <= modules()


@pytest.mark.parametrize("source", sources(), ids=lambda source: source.module)
def test_layers(source: Source) -> None:
    wrong = [
        f"{source.path}:{line}: {source.part} must not import {name}"
        for line, name in imports(source)
        if name.split(".")[0] == HOUSE and not _may_import(source.part, name)
    ]
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize("source", sources(), ids=lambda source: source.module)
def test_each_library_has_one_gateway(source: Source) -> None:
    wrong = [
        f"{source.path}:{line}: only {sorted(ONLY[top])} may import {top}"
        for line, name in imports(source)
        if (top := name.split(".")[0]) in ONLY and source.part not in ONLY[top]
    ]
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize("source", sources(), ids=lambda source: source.module)
def test_only_net_and_control_open_sockets(source: Source) -> None:
    allowed = OPENING.get(source.part, frozenset())
    wrong = [
        f"{source.path}:{node.lineno}: {source.part} must not call {node.attr}"
        for node in ast.walk(source.tree)
        if isinstance(node, ast.Attribute) and node.attr in OPENERS - allowed
    ]
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize(
    "source", [s for s in sources() if s.part in ("core", "protocol")], ids=lambda source: source.module
)
def test_core_and_protocol_know_no_world(source: Source) -> None:
    """No I/O, no clock, no thread; of `os` the protocol names `urandom`, its default entropy, and no more."""
    wrong = []
    for line, name in imports(source):
        top = name.split(".")[0]
        entropy = name == "os" and source.part == "protocol" and _names_of_os(source) <= {ENTROPY}
        if top in WORLD and not entropy:
            wrong.append(f"{source.path}:{line}: {source.part} must not import {name}")
    assert not wrong, "\n".join(wrong)


def _names_of_os(source: Source) -> set[str]:
    """What a file uses of `os`; "?" for every use that is not ``os.NAME``."""
    named = {
        id(node.value): node.attr
        for node in ast.walk(source.tree)
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "os"
    }
    uses = [node for node in ast.walk(source.tree) if isinstance(node, ast.Name) and node.id == "os"]
    taken = any(isinstance(n, ast.ImportFrom) and n.module == "os" for n in ast.walk(source.tree))
    return {named.get(id(node), "?") for node in uses} | ({"?"} if taken else set())


def test_no_import_cycle() -> None:
    graph = {
        source.module: {name for _, name in imports(source) if name in modules()} - {source.module, HOUSE}
        for source in sources()
    }
    cycle = _cycle(graph)
    assert not cycle, " -> ".join(cycle)


def _cycle(graph: dict[str, set[str]]) -> list[str]:
    """One cycle of a graph, or nothing."""
    done: set[str] = set()

    def visit(module: str, way: list[str]) -> list[str]:
        if module in way:
            return [*way[way.index(module) :], module]
        if module in done:
            return []
        for name in sorted(graph[module]):
            if found := visit(name, [*way, module]):
                return found
        done.add(module)
        return []

    return next((found for module in sorted(graph) if (found := visit(module, []))), [])


def test_the_search_for_cycles_finds_one() -> None:
    assert _cycle({"a": {"b"}, "b": {"c"}, "c": {"b"}}) == ["b", "c", "b"]
    assert not _cycle({"a": {"b", "c"}, "b": {"c"}, "c": set()})


def test_files_are_short() -> None:
    long = [f"{source.path}: {source.lines} lines" for source in sources() if source.lines > FILE_LINES]
    assert not long, "\n".join(long)


def test_functions_are_short() -> None:
    """Those of the tests and of packaging too."""
    long = []
    for path in sorted(
        path for name in (HOUSE, "tests", "packaging") for path in (ROOT / name).rglob("*.py")
    ):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                lines = (node.end_lineno or node.lineno) - node.lineno + 1
                if lines > FUNCTION_LINES:
                    long.append(f"{path}:{node.lineno}: {node.name} has {lines} lines")
    assert not long, "\n".join(long)


def test_classes_have_few_methods() -> None:
    long = []
    for source in sources():
        for node in ast.walk(source.tree):
            if isinstance(node, ast.ClassDef) and node.name not in FACADES:
                methods = [n for n in node.body if isinstance(n, ast.FunctionDef | ast.AsyncFunctionDef)]
                if len(methods) > CLASS_METHODS:
                    long.append(f"{source.path}:{node.lineno}: {node.name} has {len(methods)} methods")
    assert not long, "\n".join(long)


def test_every_module_says_what_it_is() -> None:
    mute = [str(source.path) for source in sources() if not ast.get_docstring(source.tree)]
    assert not mute, "\n".join(mute)


def test_every_package_is_one() -> None:
    """A folder with code and no __init__ would be a namespace package and hide from the rules above."""
    bare = {
        path.parent for path in (ROOT / HOUSE).rglob("*.py") if not (path.parent / "__init__.py").exists()
    }
    assert not bare


@pytest.mark.parametrize(
    ("module", "absent"),
    [
        ("messenger.cli", ("PySide6", "qasync", "messenger.gui")),
        ("messenger.engine.engine", ("PySide6", "qasync", "typer", "rich")),
        ("messenger.core.models", ("asyncio", "cryptography", "apsw")),
        ("messenger.gui.window", ("enchant", "messenger.gui.speller", "messenger.gui.spell_box")),
        ("messenger.gui.spell_process", ("PySide6", "asyncio", "enchant", "messenger.text")),
        ("messenger.protocol.link", ("asyncio", "socket", "apsw")),
    ],
)
def test_importing_brings_no_more_than_it_should(module: str, absent: tuple[str, ...]) -> None:
    program = f"import sys, {module}; print([name for name in {absent!r} if name in sys.modules])"
    run = [sys.executable, "-W", "error", "-c", program]
    done = subprocess.run(run, cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_every_limit_is_used() -> None:
    """A number that bounds nothing is a promise that nobody keeps."""
    limits = [source for source in sources() if source.part == "core" and source.module.endswith("limits")]
    assert {f"{HOUSE}.core.limits", f"{HOUSE}.core.relay_limits"} <= {source.module for source in limits}
    nodes = [node for source in limits for node in source.tree.body]
    targets = [node.target for node in nodes if isinstance(node, ast.AnnAssign)]
    names = {target.id for target in targets if isinstance(target, ast.Name)}
    used = {
        node.attr if isinstance(node, ast.Attribute) else node.id
        for source in sources()
        for node in ast.walk(source.tree)
        if isinstance(node, ast.Attribute) or (isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load))
    }
    assert not names - used, sorted(names - used)
