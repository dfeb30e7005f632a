"""`python -m triformers` is the `triformers` command."""

import sys

from .cli import main

sys.exit(main())
