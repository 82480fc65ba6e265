async def test_a_unit_of_work_commits(database):
    async with database.begin() as work:
        cursor = await work.execute("SELECT 1 + %s", (1,))
        assert (await cursor.fetchone())[0] == 2
