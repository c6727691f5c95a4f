"""What customers decide after an order: through their channel, and whether an accepted order ends without a policy."""
