"""What we know: the only SQL."""
