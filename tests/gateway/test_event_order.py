"""Order of requests, acknowledgements and pushes on one connection."""

from server.app import RunningServer
from tests.support.raw_client import RawClient, raw_client


async def test_events_of_one_client_are_handled_in_order(ann: RawClient) -> None:
    for number in range(300):
        await ann.ws.send_str(f'42{1000 + number}["sendMessage",{{"room":"tea","message":"{number}"}}]')
    seqs = [(await ann.read_response(1000 + number))["seq"] for number in range(300)]
    assert seqs == list(range(1, 301))
    page = await ann.request("history", {"room": "tea", "after": 100, "limit": 200})
    assert [int(entry["message"]) for entry in page["messages"]] == list(range(100, 300))


async def test_the_acknowledgement_of_a_message_precedes_its_push(ann: RawClient) -> None:
    await ann.ws.send_str('42900["sendMessage",{"room":"tea","message":"hi"}]')
    packets = [await ann.read_packet() or "" for _ in range(2)]
    assert [packet[:4] for packet in packets] == ["4390", '42["']


async def test_no_push_precedes_the_connect_response(server: RunningServer, ann: RawClient) -> None:
    async with raw_client(server.url, connect=False) as unconnected:
        await ann.request("sendMessage", {"room": "tea", "message": "hi"})
        await unconnected.ws.send_str("40")
        assert (await unconnected.read_packet() or "").startswith("40{")
