"""Publishers of results and diagnostics."""
