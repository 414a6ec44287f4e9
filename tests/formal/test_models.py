"""The models can be read. What they prove is ProVerif's business: see README.md and run.sh."""

import re
from pathlib import Path

import pytest

from tests.formal.reading import HERE, Model, Unreadable, load

MODELS = sorted(HERE.glob("*.pv"))
PRIMITIVES = (HERE / "primitives.pvl").read_text(encoding="utf-8")


@pytest.mark.parametrize("path", MODELS, ids=lambda path: path.stem)
def test_every_name_is_declared_and_every_call_whole(path: Path) -> None:
    model = load(path)
    assert model.queries or model.equivalence


def test_the_readme_names_every_model_and_library() -> None:
    text = (HERE / "README.md").read_text(encoding="utf-8")
    assert set(re.findall(r"`(\w+\.pvl?)`", text)) == {path.name for path in HERE.glob("*.pv*")}


@pytest.mark.parametrize(
    "wrong",
    [
        "const A: bitstring",
        "const A: bitstring. const A: bitstring.",
        "const secret: bitstring.",
        "free A: channell.",
        "fun F(bitstring: bitstring.",
        "let P = out(net, H(NOTHING, ZEROS)).",
        "let P = out(net, H).",
        "let P = out(net, ZEROS(NOTHING)).",
        "let P = out(net, H(nothing)).",
        "let P = out(net, H(NOTHING))).",
        "let P = new secret: bitstring; 0.",
        "event E(bitstring). let P = event E().",
        "event E(bitstring). query event(E(x)).",
        "reduc forall k: seed; f(k, m) = k.",
        "let P(x: bitstring) = 0. process P",
        "lett P = 0.",
    ],
)
def test_what_proverif_would_refuse_is_refused(wrong: str) -> None:
    model = Model()
    model.read(PRIMITIVES)
    with pytest.raises(Unreadable):
        model.read(wrong)


def test_what_proverif_takes_is_taken() -> None:
    model = Model()
    model.read(PRIMITIVES)
    model.read("event E(bitstring). let P(x: bitstring) = new y: bitstring; let z = H(x) in event E((y, z)).")
    model.read("query x: bitstring; event(E(x)). process (! P(NOTHING)) | 0")
    assert (model.queries, model.equivalence) == (1, False)
