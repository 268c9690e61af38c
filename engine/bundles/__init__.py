"""A folder, archive or object becomes a checked, content-addressed bundle."""
