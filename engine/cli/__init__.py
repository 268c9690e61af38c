"""The command line: parse, one action, show."""
