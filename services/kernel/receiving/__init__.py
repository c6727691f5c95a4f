"""From Kafka to commands, effectively once, and what becomes of messages that cannot be handled."""
