"""``python -m actorhost.cli``: the command line where its script is not installed."""

from actorhost.cli.main import main

main()
