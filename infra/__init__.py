"""The servers under the services: which Kafka and which PostgreSQL are used, and how they are run."""
