"""What people see: one file a page, and the shell around them."""
