"""The sample business: an invented shop whose feeds look like real vendors' files.

Put here what invents persons, behaviour, files and their truth. Keep out anything the platform itself needs.
"""
