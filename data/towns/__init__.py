"""The town of the demo: its streets, shops and people, all invented."""
