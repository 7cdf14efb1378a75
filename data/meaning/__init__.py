"""What headers, cells and names mean: fields, numbers, telephones, categories, initials."""
