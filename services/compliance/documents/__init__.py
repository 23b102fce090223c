"""What people are handed: statements, pages, reports, bundles, and their words."""
