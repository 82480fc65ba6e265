"""What every module stands on: settings, database, outbox, jobs, errors, money, clock, ids, keys, languages."""
