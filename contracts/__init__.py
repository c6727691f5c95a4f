"""What crosses a boundary: every message between the four services, the channels and analytics.

Imports nothing else of the project and does no I/O, so any program can take it alone.
"""
