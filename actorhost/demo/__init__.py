"""The demo: a year of real hourly temperature readings through sandboxed actors.

``readings.py`` deals the readings to sensors, ``replay.py`` sends them over NATS, ``summary.py``
puts together what the actors found.
"""
