"""HTML for people: pages that work without JavaScript and are made live by htmx and small ES modules."""
