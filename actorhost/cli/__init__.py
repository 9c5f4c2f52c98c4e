"""The command line: one module a command family, each imported only when it is used."""
