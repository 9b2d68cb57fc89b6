"""Building blocks for adapter authors."""
