"""From the log to Kafka, in order; the end of the topic is the checkpoint."""
