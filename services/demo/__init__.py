"""The demonstration: a generated or a real book of business through the whole system."""
