"""``python -m messenger.relay``: what `sotto relay` does, without the rest of the program."""

import sys

from messenger.relay.main import run

if __name__ == "__main__":
    sys.exit(run(sys.argv[1:]))
