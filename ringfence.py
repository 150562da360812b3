"""The entry point. Its own folder comes first on the path: clients start servers in folders with a `tools/` too."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))


def main() -> None:
    """Run the command line."""
    from server.cli.app import run

    run()


if __name__ == "__main__":
    main()
