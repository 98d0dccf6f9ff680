"""Shows the domain to Dagster: assets, checks, partitions, schedules, sensors, resources.

Put here thin factories that turn domain objects into Dagster objects. Keep out every decision about
data: a body longer than a dozen lines belongs on a floor below.
"""
