"""What an unknown file is: its form, the mapping that explains it best, and a first feed declaration for it.

Put here whatever guesses. Keep out whatever loads: a trial reads a part of one file and writes nothing.
"""
