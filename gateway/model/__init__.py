"""Nouns of order-to-cash, typed and frozen."""
