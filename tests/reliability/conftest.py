"""What runs only in the long set says so."""

import pytest

from tests.support.effort import IS_LONG


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Nothing is left out in silence."""
    if not IS_LONG:
        terminalreporter.write_line("test_real_mail_server.py needs a real mail server: it runs in make test-long")
