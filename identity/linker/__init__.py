"""A linker for any table of person records: columns become fields, fields evidence, evidence clusters.

Put here the stages of matching on numbers: roles, values, blocking keys, levels, parameters, scores, the partition.
Nothing in here knows the warehouse; ``identity`` feeds it records and keeps what it finds.

Source of the method: Fellegi and Sunter, A theory for record linkage (1969), with parameters estimated by expectation
maximisation, value frequencies as levels, and classes of their own for households and for one day's community.
"""
