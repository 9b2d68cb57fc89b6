"""The REST facade and the webhook receiver."""
