"""Embedded defaults of whole capabilities."""
