"""Events published by the quote service."""
