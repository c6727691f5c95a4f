"""What proves a log: signed checkpoints, the walk along the chain, and extracts for outsiders."""
