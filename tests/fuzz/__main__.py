"""Coverage-guided fuzzing: ``python -m tests.fuzz TARGET [--seconds N]``, or ``--list``.

Needs `atheris` (the extra ``fuzz``; Linux). What the kept corpus and the seeds lead to is explored until
the time is over; an input that breaks a rule is written into ``tests/fuzz/corpus/TARGET/``, where
every run of the tests finds it from then on. With ``--keep N`` so many small inputs that
together reach everything that was reached are put there too.
"""

import argparse
import hashlib
import importlib.util
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Final

CORPUS: Final = Path(__file__).parent / "corpus"


def main() -> int:
    """Fuzz one target; returns 1 if something was found."""
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__)
    parser.add_argument("target", nargs="?", help="what to fuzz")
    parser.add_argument("--seconds", type=int, default=60, metavar="N", help="how long (60)")
    parser.add_argument("--runs", type=int, metavar="N", help="so many inputs instead, always the same ones")
    parser.add_argument("--list", action="store_true", help="name the targets")
    parser.add_argument("--keep", type=int, default=0, metavar="N", help="keep so many inputs of this run")
    parser.add_argument("--inside", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.inside is None:
        return _supervise(options)
    import atheris

    with atheris.instrument_imports(include=["messenger", "tests.fuzz"]):
        from tests.fuzz import targets
    target = targets.TARGETS[options.target]
    for name, data in targets.seeds(options.target).items():
        (options.inside / f"seed-{name}").write_bytes(data)
    kept = CORPUS / options.target
    kept.mkdir(parents=True, exist_ok=True)
    until = ["-seed=1", f"-runs={options.runs}"] if options.runs else [f"-max_total_time={options.seconds}"]
    arguments = [sys.argv[0], *until, f"-max_len={target.longest}"]
    arguments += [f"-artifact_prefix={kept}/", "-print_final_stats=1", "-rss_limit_mb=1024", "-timeout=20"]
    atheris.Setup([*arguments, str(options.inside), str(kept)], target.run)
    atheris.Fuzz()
    return 0


def _supervise(options: argparse.Namespace) -> int:
    """Run the fuzzer in a process of its own, which ends itself, and look at what it leaves."""
    from tests.fuzz.targets import TARGETS

    if options.list or options.target not in TARGETS:
        print("\n".join(TARGETS))
        return 0 if options.list else 2
    if importlib.util.find_spec("atheris") is None:
        print("This needs atheris: python -m pip install 'sotto[fuzz]'", file=sys.stderr)
        return 2
    target: str = options.target
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "tests.fuzz", target, "--seconds", str(options.seconds)]
        command += ["--runs", str(options.runs)] if options.runs else []
        ended = subprocess.run([*command, "--inside", folder], check=False).returncode
        if options.keep:
            found = sorted(Path(folder).iterdir(), key=lambda path: path.stat().st_size)
            _keep(target, found, options.keep)
    return 1 if ended else 0


def _keep(target: str, found: list[Path], most: int) -> None:
    """Put inputs into the kept corpus, small and large in turn of their size."""
    explored = [path for path in found if not path.name.startswith("seed-")]
    for path in explored[:: max(1, len(explored) // most)][:most]:
        data = path.read_bytes()
        (CORPUS / target / hashlib.sha256(data).hexdigest()[:16]).write_bytes(data)


if __name__ == "__main__":
    sys.exit(main())
