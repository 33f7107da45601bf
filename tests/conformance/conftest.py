"""The checks are no test module, yet their asserts shall say what they compared."""

import pytest

pytest.register_assert_rewrite("tests.conformance.checks")
