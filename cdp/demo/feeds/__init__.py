"""One module per vendor format: how the invented behaviour looks in that vendor's files.

Put here shapes, spellings and habits of a vendor. Keep out who does what and when: that is decided one floor up.
"""
