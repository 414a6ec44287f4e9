"""What every benchmark shares: options, interleaved runs, medians, a table for people or JSON lines."""

import argparse
import platform
import statistics
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import msgspec

Sample = dict[str, float]
"""One run's figures by name."""


@dataclass(frozen=True)
class Case:
    """One program, ours or a peer.

    Attributes:
        name: As DESIGN fixes it.
        run: Does the work once and returns its figures; None if the peer is not installed.
    """

    name: str
    run: Callable[[], Sample] | None


def options(description: str) -> argparse.Namespace:
    """Read ``--json`` and ``--runs N`` (at least 1, five unless given)."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--json", action="store_true", help="one JSON object a line")
    parser.add_argument("--runs", type=int, default=5, help="how often each case runs (median is shown)")
    chosen = parser.parse_args()
    if chosen.runs < 1:
        parser.error("--runs must be at least 1")
    return chosen


def measure(cases: Sequence[Case], units: dict[str, str], *, runs: int, as_json: bool) -> None:
    """Run all cases in turn, so that a slow moment of the machine hits all alike, and print the figures.

    Args:
        cases: Ours and the peers.
        units: Unit of each figure by its name.
        runs: How often each case runs.
        as_json: One object a line instead of a table.
    """
    samples: dict[str, list[Sample]] = {case.name: [] for case in cases}
    for _ in range(runs):
        for case in cases:
            if case.run is not None:
                samples[case.name].append(case.run())
    if not as_json:
        print(f"{platform.machine()}, Python {platform.python_version()}, median of {runs} (least, most)")
    for case in cases:
        if case.run is None:
            _print_missing(case.name, as_json=as_json)
            continue
        for figure, unit in units.items():
            values = [sample[figure] for sample in samples[case.name] if figure in sample]
            if values:
                _print_figure(case.name, figure, unit, values, as_json=as_json)


def _print_missing(name: str, *, as_json: bool) -> None:
    if as_json:
        print(msgspec.json.encode({"case": name, "missing": True}).decode())
    else:
        print(f"{name:12} is not installed")


def _print_figure(name: str, figure: str, unit: str, values: list[float], *, as_json: bool) -> None:
    median, least, most = statistics.median(values), min(values), max(values)
    if as_json:
        line = {
            "case": name, "figure": figure, "median": median, "min": least, "max": most,
            "unit": unit, "runs": len(values),
        }  # fmt: skip
        print(msgspec.json.encode(line).decode())
    else:
        print(f"{name:12} {figure:20} {median:12.3f} {unit:6} ({least:.3f}, {most:.3f})")
