"""The queue of jobs, where it is long."""

import psycopg

from farebox.core.jobs import Jobs

FILL = """
    INSERT INTO procrastinate_jobs (queue_name, task_name, priority, args, lock)
    SELECT 'default', 'lamp.light', 0, '{}', CASE WHEN number % 3 = 0 THEN 'lamp ' || number END
    FROM generate_series(1, 500) AS number
"""
READ = "SELECT seq_tup_read + idx_tup_fetch FROM pg_stat_user_tables WHERE relname = 'procrastinate_jobs'"


async def rows_read(database, jobs):
    await jobs.app.connector.execute_query_async("SELECT pg_stat_force_next_flush()")
    async with database.begin() as work:
        [[(count,)]] = await work.send([(READ, ())])
    return count


async def test_the_next_job_is_found_without_looking_at_all_that_wait(database):
    """Although the worker made its plan when there were none, and the planner knew it."""
    async with await psycopg.AsyncConnection.connect(database.direct_dsn, autocommit=True) as connection:
        await connection.execute("VACUUM ANALYZE procrastinate_jobs")
    jobs = Jobs(database.direct_dsn)
    async with jobs.app.open_async():
        manager = jobs.app.job_manager
        worker = await manager.register_worker()
        for _ in range(6):
            assert await manager.fetch_job(None, worker) is None
        async with database.begin() as work:
            await work.execute(FILL)
        before = await rows_read(database, jobs)
        assert await manager.fetch_job(None, worker) is not None
        assert await rows_read(database, jobs) - before < 10
