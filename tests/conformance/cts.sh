#!/bin/sh
# See run.py and docs/CONFORMANCE.md; `cts.sh --help` lists the options.
exec /usr/bin/python3 "$(dirname "$0")/run.py" cts "$@"
