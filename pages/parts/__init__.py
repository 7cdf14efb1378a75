"""Shared pieces of pages: the map, filters, cards, state, cached reads, words."""
