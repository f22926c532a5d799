from uuid import uuid4

from tui_chat.client.outbox.retry_policy import MAX_RETRY_DELAY, RetryPolicy
from tui_chat.protocol.errors import Unavailable


def test_the_delay_keeps_its_maximum_after_thousands_of_failures() -> None:
    policy, client_id = RetryPolicy(), uuid4()
    delays = [policy.next_delay(client_id, Unavailable("server_stopping")) for _ in range(3000)]
    assert set(delays[5:]) == {MAX_RETRY_DELAY}
