"""Benchmarks: one command, figures with the machine they were measured on."""
