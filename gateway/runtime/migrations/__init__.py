"""Schema migrations, run by `headrace migrate`."""
