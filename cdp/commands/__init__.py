"""One module per noun of the command line.

Put here what parses options, calls one function of a floor below and shows its answer. Keep out everything else,
and keep imports of Dagster and Great Expectations inside functions: ``cdp --help`` must be quick.
"""
