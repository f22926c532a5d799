"""What is held of a room is there as it was put, packed or not."""

from hypothesis import given, settings
from hypothesis import strategies as st

from tui_chat.client.sync.compressed_blocks import BLOCK_SIZE
from tui_chat.client.sync.message_store import MAX_DECOMPRESSED_BLOCKS, MessageStore
from tui_chat.protocol.events import Message

LAST = 3 * MAX_DECOMPRESSED_BLOCKS * BLOCK_SIZE


def said(seq: int, text: str = "") -> Message:
    return Message(
        room="tea",
        seq=seq,
        id=seq,
        nick_name="ann",
        member_id="a",
        message=text or f"m{seq}",
        ts=seq,
        reactions={"👍": ["a", "b"]} if seq % 3 == 0 else None,
        deleted=seq % 7 == 0,
    )


PUT = [said(seq) for seq in range(LAST + 1)]
CHANGED = [said(seq, "changed") for seq in range(LAST + 1)]


@settings(deadline=None)
@given(
    st.sets(st.integers(0, LAST), max_size=60),
    st.integers(1, 40),
    st.integers(0, LAST),
    st.integers(0, LAST),
)
def test_it_holds_what_was_put(seqs: set[int], step: int, first: int, last: int) -> None:
    held, model = MessageStore(), dict[int, tuple[Message, int]]()
    for seq in (*range(1, LAST, step), *seqs):
        held.put(PUT[seq], seq)
        model[seq] = (PUT[seq], seq)
    for seq in seqs:
        held.put(CHANGED[seq], LAST + seq)
        model[seq] = (CHANGED[seq], LAST + seq)
    inside = [model[seq][0] for seq in sorted(model) if first <= seq <= last]
    assert list(held.iter_range(first, last)) == inside
    assert [held.get(seq) for seq in (*seqs, first)] == [model.get(seq, (None,))[0] for seq in (*seqs, first)]
    assert [held.as_of_seq(seq) for seq in (*seqs, first)] == [model.get(seq, (None, seq))[1] for seq in (*seqs, first)]
    kept = 1 + first % len(model)
    oldest = sorted(model)[-kept]
    assert held.seq_from_end(kept) == oldest
    held.truncate_before(oldest)
    assert [message.seq for message in held.iter_range(0, None)] == sorted(model)[-kept:]
    assert len(held) == kept
    assert oldest in held
    assert all(seq not in held for seq in model if seq < oldest)
