"""What must hold, and what happens to rows that do not.

Put here the contracts (``quality/contracts/``), what is derived from them, the expectation suites and
the quarantine. Keep out how rows arrive (``sources``) and what they mean (``identity``, ``profiles``).
"""
