"""Event sourcing: log, relay, inbox, projections. Knows nothing of insurance."""
