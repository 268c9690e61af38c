"""What can be asked: one function, one intention, one transaction."""
