"""The hub: one facade for front-ends, a webhook receiver, durable flows and export jobs."""
