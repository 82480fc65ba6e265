"""What ticketing does by the clock."""

from farebox.core.db import Database
from farebox.core.jobs import Jobs
from farebox.ticketing.commands import forget_documents

FORGET_DOCUMENTS = "ticketing.forget-documents"


def register_jobs(jobs: Jobs, database: Database) -> None:
    """Enter the periodic job that deletes printed PDFs of last week."""

    async def forget(timestamp: int) -> None:
        async with database.begin() as work:
            await forget_documents(work)

    jobs.every("20 3 * * *", FORGET_DOCUMENTS, forget)
