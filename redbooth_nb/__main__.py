"""`python -m redbooth_nb` is `redbooth-nb`."""

import sys

from redbooth_nb.cli import main

sys.exit(main())
