"""How busy a process is with answering, so that what nobody waits for can let those pass who do."""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from typing import Final

PATIENCE_SECONDS: Final = 1.0
"""How long a job steps aside, so how fast jobs go under a load that never ends. `farebox worker` runs them apart."""


class Traffic:
    """The requests under way in this process."""

    def __init__(self) -> None:
        self._count = 0
        self._calm = asyncio.Event()
        self._calm.set()

    def enter(self) -> Callable[[], None]:
        """Count one more. What is returned ends that; it ends by itself for who takes long to ask or to listen."""
        is_over = False

        def leave() -> None:
            nonlocal is_over
            if not is_over:
                is_over = True
                timer.cancel()
                self._count -= 1
                if not self._count:
                    self._calm.set()

        timer = asyncio.get_running_loop().call_later(PATIENCE_SECONDS, leave)
        self._count += 1
        self._calm.clear()
        return leave

    async def let_pass(self) -> None:
        """Wait until no request is under way, but no longer than `PATIENCE_SECONDS`."""
        with suppress(TimeoutError):
            async with asyncio.timeout(PATIENCE_SECONDS):
                await self._calm.wait()
