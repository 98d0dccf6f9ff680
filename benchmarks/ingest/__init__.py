"""How many CPU seconds loading with contract checks costs beside DuckDB reading the same rows unchecked."""
