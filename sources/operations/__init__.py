"""The closed vocabulary of operations that a mapping may apply to a value.

Put here one class per operation, with its Python form and its SQL form side by side; a property test holds them
equal. Keep out where a value comes from (``sources/expression.py``) and what it must satisfy (``quality``).
"""
