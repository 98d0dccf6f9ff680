"""What we know about a customer.

Put here the golden record, activities, traits, segments, lifecycle, and what is published of them.
Keep out who is who (``identity``) and how any of it is scheduled (``assets``).
"""
