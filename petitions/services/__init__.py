"""Use cases: one public function is one transaction. Callers never commit, and lower packages contain no rules."""
