"""The relay: a server that passes on and keeps what it cannot read (SPEC.md sections 11 to 13)."""
