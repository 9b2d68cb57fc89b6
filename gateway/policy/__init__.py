"""Decisions, computed without I/O."""
