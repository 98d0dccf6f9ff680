"""Who is who: identifiers, matching, clusters, the ledger of decisions.

Put here everything between staged rows and customer ids, one module per stage: normalise, block,
compare, score, cluster, assign ids, explain. Keep out what we know about a customer (``profiles``).
"""
