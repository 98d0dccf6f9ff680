"""How files are read: from bytes to source rows in Arrow, and to words about what cannot be read.

Put here one reader per form of file, and what they share: decompression, encodings. Keep out what a row means
(``sources/mapping.py``) and what must hold for it (``quality``). No reader raises over the content of a file.
"""
