"""`python -m redbooth_nb` is `redbooth-nb`."""

from redbooth_nb.cli import main

raise SystemExit(main())
