"""Ours and its peers on the same work, in one run. Nothing here is part of the app."""
