"""Where and how much: pure functions on arrays and GeoDataFrames. Imports nothing of ours."""
