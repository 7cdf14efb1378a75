"""Files that people bring: found out from their bytes, read as tables, whatever their format."""
