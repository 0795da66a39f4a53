"""`python -m musenet`: the command line."""

import sys

from musenet.cli import main

if __name__ == "__main__":
    sys.exit(main())
