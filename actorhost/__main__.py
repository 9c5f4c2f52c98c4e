"""``python -m actorhost`` is the command ``actorhost``."""

from actorhost.cli.main import main

main()
