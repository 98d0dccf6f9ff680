"""The roof: command line, settings, the Dagster code location.

Put here what knows the environment, the clock and the terminal, and what wires the floors together.
Keep out everything that decides something about data.
"""
