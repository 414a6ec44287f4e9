"""The terminal front end: the same engine as the window's, on the main thread's loop, without Qt."""
