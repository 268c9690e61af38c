"""Schema changes of the catalog, forward only."""
