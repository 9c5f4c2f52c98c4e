"""The public test kit: conformance suites and stand-ins. Nothing imports it at run time."""
