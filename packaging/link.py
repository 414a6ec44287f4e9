"""Makes this checkout importable and callable in the environment whose Python runs this script.

Afterwards ``import messenger`` finds the checkout, and ``bin/sotto`` in the environment starts it; nothing is
built. setup.sh calls it after the locked packages are in place.
"""

import os
import shlex
import sys
import sysconfig
from pathlib import Path


def link(root: Path, prefix: Path, site: Path) -> None:
    """Write the path entry and the launcher.

    Args:
        root: The checkout.
        prefix: The environment.
        site: Its folder of installed packages.
    """
    # Relative, because Python up to 3.12 reads the entry in the encoding of the locale.
    (site / "sotto.pth").write_text(os.path.relpath(root, site) + "\n", encoding="ascii")
    launcher = prefix / "bin" / "sotto"
    # -P: the folder in which somebody starts it is not searched for modules.
    command = f'exec {shlex.quote(str(prefix / "bin" / "python"))} -P -m messenger "$@"'
    launcher.write_text(f"#!/bin/sh\n{command}\n", encoding="utf-8")
    launcher.chmod(0o755)


if __name__ == "__main__":
    if sys.prefix == sys.base_prefix:
        raise SystemExit("run this with the Python of an environment")
    link(Path(__file__).resolve().parent.parent, Path(sys.prefix), Path(sysconfig.get_path("purelib")))
