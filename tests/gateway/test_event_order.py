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
    assert packets[0].startswith("43900[")
    assert packets[1].startswith('42["message",')


async def test_the_connect_response_precedes_the_response_and_the_pushes_of_an_immediate_join(
    server: RunningServer,
) -> None:
    async with raw_client(server.url, connect=False) as client:
        await client.ws.send_str("40")
        await client.ws.send_str('421["joinRoom",{"roomName":"tea","nickName":"bob"}]')
        packets = [await client.read_packet() or "" for _ in range(3)]
    assert packets[0].startswith("40{")
    assert sorted(packet[:4] for packet in packets[1:]) == ['42["', "431["]
