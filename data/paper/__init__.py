"""Paper: the customer map, an atlas of a plan and what changes between two plans, drawn on the server."""
