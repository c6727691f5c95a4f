"""The append-only log: events in PostgreSQL, chained, and read forward."""
