"""The traveller's way: search, seats, passengers, review, payment, ticket, and finding a booking again."""
