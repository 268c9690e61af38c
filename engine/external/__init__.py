"""Other programs and services: processes, AWS."""
