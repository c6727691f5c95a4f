"""Events published by the policy service."""
