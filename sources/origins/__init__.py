"""Where feeds come from: object stores, HTTP APIs, SQL databases, webhooks.

Put here what brings files into ``landing/<feed>/`` whole and exactly once. Keep out what happens to files that lie
there: reading, checking and loading know nothing of origins.
"""
