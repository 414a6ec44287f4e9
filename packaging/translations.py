"""Keeps the translations in resources/translations/ in step with the sentences of the source.

    python packaging/translations.py            says what is missing and what is left over
    python packaging/translations.py --update   adds what is missing, untranslated; drops what is left over

The .po files are read as they are when Sotto starts (messenger/text/catalogue.py), so nothing is compiled.
"""

import argparse
import ast
import sys
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from messenger.text.catalogue import read_po  # noqa: E402

FOLDER: Final = ROOT / "resources" / "translations"
_ONE: Final = "_"
_MANY: Final = "ngettext"


def extract(root: Path = ROOT) -> dict[str, tuple[str, str]]:
    """Every sentence of the source: its plural or nothing, and the file it stands in.

    Args:
        root: The checkout.

    Raises:
        ValueError: Something is translated that is no plain string.
    """
    found: dict[str, tuple[str, str]] = {}
    for path in sorted((root / "messenger").rglob("*.py")):
        where = path.relative_to(root).as_posix()
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Name):
                continue
            if node.func.id not in {_ONE, _MANY}:
                continue
            words = node.args[: 1 if node.func.id == _ONE else 2]
            texts = [part.value for part in words if isinstance(part, ast.Constant)]
            if len(texts) != len(words) or not all(isinstance(text, str) for text in texts):
                raise ValueError(f"{where}:{node.lineno}: not a plain string")
            one, many = str(texts[0]), str(texts[1]) if len(texts) > 1 else ""
            if one not in found or many:
                found[one] = many, where
    return found


def render(
    head: str, entries: dict[str, list[str]], sentences: dict[str, tuple[str, str]], forms: int
) -> str:
    """The text of a .po file.

    Args:
        head: Its header.
        entries: Translations by sentence.
        sentences: As `extract` gives them.
        forms: How many plural forms the language has.
    """
    parts = [f'msgid ""\nmsgstr ""\n{_lines(head)}']
    for one, (many, where) in sorted(sentences.items(), key=lambda item: (item[1][1], item[0])):
        lines = [f"#: {where}", f"msgid {_quoted(one)}"]
        if many:
            given = entries.get(one) or [""] * forms
            lines.append(f"msgid_plural {_quoted(many)}")
            lines += [f"msgstr[{place}] {_quoted(text)}" for place, text in enumerate(given)]
        else:
            lines.append(f"msgstr {_quoted((entries.get(one) or [''])[0])}")
        parts.append("\n".join(lines))
    return "\n\n".join(parts) + "\n"


def _lines(text: str) -> str:
    return "\n".join(_quoted(line + "\n") for line in text.strip().split("\n"))


def _quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n").replace("\t", "\\t")
    return f'"{escaped}"'


def main() -> int:
    """Look at every translation; returns the exit code."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--update", action="store_true")
    update = parser.parse_args().update
    sentences, bad = extract(), False
    for path in sorted(FOLDER.glob("*.po")):
        entries = {one: forms for one, _many, forms in read_po(path.read_text(encoding="utf-8"))}
        head = entries.pop("", [""])[0]
        missing = [one for one in sentences if not entries.get(one) or not all(entries[one])]
        left = [one for one in entries if one not in sentences]
        for words, those in (("not translated", missing), ("not in the source any more", left)):
            for one in those:
                print(f"{path.name}: {words}: {one!r}")
        bad = bad or bool(missing or left)
        if update:
            path.write_text(render(head, entries, sentences, 2), encoding="utf-8")
    return 1 if bad and not update else 0


if __name__ == "__main__":
    sys.exit(main())
