"""The demonstration: two people meet, compare, talk and part, and everything about it is checked.

The terminal runs it with `headless`, over a tapped cable; the window plays the same `scenario` on
the engines of two windows.
"""
