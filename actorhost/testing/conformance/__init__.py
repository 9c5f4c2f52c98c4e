"""Conformance suites: one a contract, which every backend of that contract must pass."""
