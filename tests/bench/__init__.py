"""Benchmarks: `python -m tests.bench.NAME [--json] [--runs N]`; ours and its peers in one run."""
