"""Fuzzing: `python -m tests.fuzz TARGET --seconds N`; `targets` says what, `test_fuzz` is the short run."""
