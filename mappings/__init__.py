"""Field-by-field translation, as data: a folder per product, cases beside each mapping."""
