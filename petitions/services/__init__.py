"""Verbs. One public function is one transaction; nobody above commits, nobody below knows a rule."""
