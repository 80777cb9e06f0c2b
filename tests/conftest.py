"""How many examples Hypothesis draws: HYPOTHESIS_PROFILE=deep, or ci where CI is set."""

import os

from hypothesis import settings

settings.register_profile("dev", max_examples=50, deadline=None)  # compiling takes seconds
settings.register_profile(
    "ci", settings.get_profile("dev"), derandomize=True, print_blob=True, database=None
)
settings.register_profile("deep", settings.get_profile("dev"), max_examples=5000)
settings.load_profile(
    os.environ.get("HYPOTHESIS_PROFILE") or ("ci" if os.environ.get("CI") else "dev")
)
