"""What every module stands on: settings, database, unit of work, outbox, jobs, errors, money, clock, ids, crypto, languages."""
