"""What arrives, and how it becomes contract rows.

Put here feeds, landing files, readers, mappings with their closed vocabulary, and the loading of
batches. Keep out what a row must satisfy (``quality``) and who it belongs to (``identity``).
"""
