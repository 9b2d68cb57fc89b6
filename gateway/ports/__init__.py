"""What any product of a kind must be able to do."""
