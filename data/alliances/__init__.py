"""Merchants joined for marketing: which trades go together, links, alliances."""
