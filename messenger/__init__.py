"""Sotto: an encrypted desktop messenger; see README.md in this folder for the map."""

__version__ = "0.1.0"
"""The version of the program, the same as in pyproject.toml."""
