"""Sets other limits in a program that a test starts: see `limited` in `tests.helpers.terminal`."""

import json
import os

from messenger.core import limits

for name, value in json.loads(os.environ["SOTTO_TEST_LIMITS"]).items():
    assert hasattr(limits, name), name
    setattr(limits, name, value)
