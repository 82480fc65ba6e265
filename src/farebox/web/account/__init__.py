"""Pages of people with an account."""
