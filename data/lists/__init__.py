"""Lists on their way into the store: columns and datum settled, rows judged, placed, compared and stored."""
