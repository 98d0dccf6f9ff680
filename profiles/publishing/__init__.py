"""What readers get: the snapshot, the exports and the pages about quality.

Put here which tables and columns are published. Keep out how they are swapped in (``warehouse/edition.py``).
"""
