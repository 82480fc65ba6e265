"""The mail server dies while a booking is paid, and comes back: the booking is sold, and each mail arrives once."""

from tests.faults.settling import Order, Process
from tests.faults.test_settling import SETTLED, facts

from farebox.payments import verify_ledger

MOST_STEPS = 60
COMMANDS = 3 * 5
"""Three mails (tickets, receipt, and the refund of what was paid twice): each has EHLO, MAIL, RCPT, DATA and QUIT."""


class Sale:
    """A booking that is paid by one process, while something happens to the mail server."""

    def __init__(self, mail, server_url, home, booking, step):
        order = Order(server_url, home, booking.id, 0, smtp_url=mail.url)
        self.booking, self.process = booking, Process(order, step)

    async def pay(self):
        await self.process.pay(self.booking.id)
        await self.process.work()

    async def try_again(self):
        """What waits for its next attempt is due."""
        async with self.process.database.begin() as work:
            await work.execute("UPDATE procrastinate_jobs SET scheduled_at = now() WHERE status = 'todo'")
        await self.process.work()
        await self.process.dispose()


async def test_whenever_the_mail_server_goes_away_mails_wait_until_it_is_back(
    box, database, mail, server_url, tmp_path
):
    step, was_killed = 0, True
    while was_killed:
        step += 1
        assert step < MOST_STEPS
        booking, _, _ = await box.booked()
        passed = iter(range(1, MOST_STEPS))

        def count(passed=passed, dies_before=step):
            if next(passed) == dies_before:
                mail.kill()

        sale = Sale(mail, server_url, tmp_path, booking, count)
        await sale.pay()
        was_killed = not mail.is_up
        found = await facts(database, booking.id)
        assert found | {"mails": None} == SETTLED | {"mails": None}, f"killed before step {step}"
        waiting = sum(number for _, status, number in found["mails"] if status == "queued")
        assert len(mail.taken) == 3 - waiting
        if was_killed:
            await mail.start()
        await sale.try_again()
        assert await facts(database, booking.id) == SETTLED, f"killed before step {step}"
        assert len(mail.taken) == len(set(mail.taken)) == 3, f"killed before step {step}"
        mail.taken.clear()
    assert step > 15  # control: it was killed at many
    assert [str(verdict) for verdict in verify_ledger(database.dsn) if verdict.broken] == []


async def test_wherever_in_a_conversation_the_mail_server_dies_each_mail_arrives_once(
    box, database, mail, server_url, tmp_path
):
    for command in range(1, COMMANDS + 1):
        booking, _, _ = await box.booked()
        sale = Sale(mail, server_url, tmp_path, booking, lambda: None)
        mail.dies_at = mail.commands + command
        await sale.pay()
        assert not mail.is_up
        await mail.start()
        await sale.try_again()
        assert await facts(database, booking.id) == SETTLED, f"died at command {command}"
        assert len(mail.taken) == len(set(mail.taken)) == 3, f"died at command {command}"
        mail.taken.clear()
