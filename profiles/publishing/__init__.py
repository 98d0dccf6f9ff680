"""What readers get: the snapshot and the exports.

Put here which tables and columns are published. Keep out how a file is swapped in (``warehouse/publishing.py``).
"""
