"""What pages and API share at the edge: credentials, access rules, the unit of work of a request, language, headers."""
