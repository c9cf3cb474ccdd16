"""Verbs: one public function is one transaction. No caller commits, and no layer below has a rule."""
