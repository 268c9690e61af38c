"""What gets done: a run from claim to outcome."""
