"""One business story per file, durable."""
