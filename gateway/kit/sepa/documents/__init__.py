"""Documents of banks: payment files that we write, statements and status reports that we read."""
