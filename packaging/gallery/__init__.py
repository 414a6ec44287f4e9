"""What the gallery is made of: an invented profile, a studio, and lists of what is shown."""
