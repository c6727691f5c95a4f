"""From a command to its outcome: many are decided in one transaction, and events, replies and dead letters kept."""
