"""One folder per product; each fulfils one or more ports."""
