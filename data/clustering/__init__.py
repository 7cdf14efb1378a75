"""Clusters of a branch's customers and merchants: found, named, described, kept from month to month."""
