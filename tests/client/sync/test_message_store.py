"""Message store with compressed blocks, compared with a dictionary."""

from hypothesis import given, settings, strategies as st

from tests.support.reactions import summarize
from tui_chat.client.sync.compressed_blocks import BLOCK_SIZE
from tui_chat.client.sync.message_store import MAX_DECOMPRESSED_BLOCKS, MessageStore
from tui_chat.protocol.events import Message

LAST = 3 * MAX_DECOMPRESSED_BLOCKS * BLOCK_SIZE


def make_message(seq: int, text: str = "") -> Message:
    return Message(
        room="tea",
        seq=seq,
        id=seq,
        nick_name="ann",
        member_id="a",
        message=text or f"m{seq}",
        ts=seq,
        reactions={"👍": summarize(a="ann", b="ben")} if seq % 3 == 0 else None,
        deleted=seq % 7 == 0,
    )


ORIGINALS = [make_message(seq) for seq in range(LAST + 1)]
CHANGED = [make_message(seq, "changed") for seq in range(LAST + 1)]


@settings(deadline=None)
@given(
    st.sets(st.integers(0, LAST), max_size=60),
    st.integers(1, 40),
    st.integers(0, LAST),
    st.integers(0, LAST),
)
def test_the_store_matches_a_dictionary_model(seqs: set[int], step: int, first: int, last: int) -> None:
    store, model = MessageStore(), dict[int, tuple[Message, int]]()
    for seq in (*range(1, LAST, step), *seqs):
        store.put(ORIGINALS[seq], seq)
        model[seq] = (ORIGINALS[seq], seq)
    for seq in seqs:
        store.put(CHANGED[seq], LAST + seq)
        model[seq] = (CHANGED[seq], LAST + seq)
    in_range = [model[seq][0] for seq in sorted(model) if first <= seq <= last]
    assert list(store.iter_range(first, last)) == in_range
    assert [store.get(seq) for seq in (*seqs, first)] == [model.get(seq, (None,))[0] for seq in (*seqs, first)]
    assert [store.get_as_of(seq) for seq in (*seqs, first)] == [
        model.get(seq, (None, seq))[1] for seq in (*seqs, first)
    ]
    remaining = 1 + first % len(model)
    oldest = sorted(model)[-remaining]
    assert store.seq_from_end(remaining) == oldest
    store.truncate_before(oldest)
    assert [message.seq for message in store.iter_range(0, None)] == sorted(model)[-remaining:]
    assert len(store) == remaining
    assert oldest in store
    assert all(seq not in store for seq in model if seq < oldest)
