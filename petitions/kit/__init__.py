"""The paper kit: letters, sheets and posters as PDF, typeset in a process of its own from the campaign's content."""
