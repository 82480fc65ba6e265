"""What real payment providers speak, each in a module of its own."""
