"""The protocol as a value: bytes in, events out, bytes out. No socket, no disk, no clock."""
