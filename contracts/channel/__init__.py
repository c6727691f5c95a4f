"""What channels publish to us, and the notices that they get back."""
