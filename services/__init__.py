"""The four services, the kernel that they share, and the command line."""
