"""The entry point: finds Ringfence's own packages, refuses to start on a broken installation, runs the command line.

Imports only what Python holds frozen: until the folders of others are out of the way, any file there could stand in.
"""

import gc
import os
import sys
from importlib.machinery import ModuleSpec, PathFinder

FOLDER = os.path.dirname(os.path.realpath(__file__))
OWN = ("ringfence_installation", "server", "tools", "prompts", "guard", "clients", "sandbox")


class OwnPackages:
    """Finds Ringfence's packages beside this file: clients start servers in folders that have a `tools/` too."""

    @staticmethod
    def find_spec(name: str, path: object = None, target: object = None) -> ModuleSpec | None:
        """Find a package of ours; everything else, the standard library first, is found as usual."""
        return PathFinder.find_spec(name, [FOLDER]) if name in OWN else None


def put_last(path: list[str], pythonpath: str) -> list[str]:
    """Return where modules are searched, with the folders that PYTHONPATH names behind the installed ones.

    There, they can add a module, but not stand in for one of Python or of a library. A relative folder is left out, and
    so is the current one, which an empty part means: they belong to whatever project a client started the server in.
    """
    named = {os.path.abspath(part): os.path.isabs(part) for part in pythonpath.split(os.pathsep)} if pythonpath else {}
    installed = [folder for folder in path if os.path.abspath(folder) not in named]
    return installed + [folder for folder in path if named.get(os.path.abspath(folder))]


def main() -> None:
    """Run the command line, or exit with 2 and one sentence if the installation is broken."""
    gc.disable()  # modules are no garbage, and looking through them takes a tenth of a start; `run` turns it on again
    if not sys.flags.ignore_environment:
        sys.path[:] = put_last(sys.path, os.environ.get("PYTHONPATH", ""))
    sys.meta_path.insert(0, OwnPackages)
    from ringfence_installation import find_fault

    if fault := find_fault():
        sys.stderr.write(f"{fault}\n")
        sys.exit(2)
    from server.cli.app import run

    run()


if __name__ == "__main__":
    if not sys.flags.safe_path:
        del sys.path[0]  # the folder that an MCP client happened to start it in, or this one
    main()
