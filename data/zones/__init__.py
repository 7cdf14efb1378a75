"""Zones of a branch's ground: plans kept and published, designed, read in, staffed, visited and covered."""
