"""The steps of a product version's life: what can be ordered, and what has happened."""
