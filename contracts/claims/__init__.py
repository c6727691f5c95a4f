"""Events published by the claims service."""
