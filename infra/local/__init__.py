"""Kafka and PostgreSQL as ordinary child processes, for a machine without Docker."""
