"""Contracts: named, versioned sets of operations with typed parameters and results; no I/O.

``wit/`` holds each contract as people and other languages read it; the module of the same name
holds its Python face. A test compares the two, so neither can drift.
"""
