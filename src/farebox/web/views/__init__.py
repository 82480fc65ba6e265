"""What pages show: frozen facts, made by the handlers, drawn by the templates. Nothing here asks the database."""
