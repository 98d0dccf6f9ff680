"""The ground floor: DuckDB, SQL models, declarations, publishing, errors.

Put here what every floor above stands on and what knows nothing of customers: the database and its
transactions, how a table is made from a statement, how a YAML declaration is read, how a snapshot is
swapped in. Keep out anything that knows a feed, a contract, an identity or a profile.
"""
