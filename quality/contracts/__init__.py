"""The record contracts, one pydantic model per kind, and everything derived from them.

Put here models, their column lists, table statements, fast checks and reasons. Keep out how a vendor's object
becomes a row (``sources``) and expectations about whole tables (``quality/suites.py``).
"""
