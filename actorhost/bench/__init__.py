"""Benchmarks: each measures this machine against a baseline in the same run and reports ratios.

Rounds of ours and the baseline take turns, so that a machine whose speed drifts slows both; what is
reported is the median of the rounds' ratios, with the spread beside it.
"""
