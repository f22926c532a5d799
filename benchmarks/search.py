"""Cost of the search index: write path and queries.

    python -m benchmarks.search --messages 1000000

The messages are English and Chinese in equal parts, written by the journal in full batches.
"""

import argparse
import asyncio
import random
import sqlite3
import statistics
import time
from pathlib import Path
from tempfile import TemporaryDirectory

from server.domain.log_commands import AppendMessage, RoomRef
from server.storage.database import Database, open_database
from server.storage.journal import MAX_BATCH
from server.storage.search import SearchResult
from tui_chat.protocol.events import Member

ENGLISH = "the of and to in you that it he was for on are with as his they be at one have this from or had by hot but some what there we can out other were all your when up use word how said an each she which do their time if will way about many then them would write like so these her long make thing see him two has look more day could go come did my sound no most number who over know water than call first people may down side been now find".split()  # noqa: E501, SIM905 (as it is read)
CHINESE = "的一是不了在人有我他这个们中来上大为和国地到以说时要就出会可也你对生能而子那得于着下自之年过发后作里用道行所然家种事成方多经么去法学如都同现当没动面起看定天分还进好小部其些主样理心她本前开但因只从想实日军者意无力它与长把机十民第公此已工使情明性知全三又关点正业外将两高间由问很最重并物手应战向头文体政美相见被利什二等产或新己制身果加西斯月话合回特代内信表化老给世位次度门任常先海通教儿原东声提立及比员解水名真论处走义各入几口认条平系气题活尔更别打女变四神总何电数安少报才结反受目太量再感建务做接必场件计管期市直德资命山金指克许统区保至队形社便空决治展马科司五基眼书非则听白却界达光放强即像难且权思王象完设式色路记南品住告类求据程北边死张该交规万取拉格望觉术领共确传师观清今切院让识候带导争运"  # noqa: E501

QUERIES = (
    "zebra",
    "water",
    "the",
    "the people",
    "water zebra",
    "中国",
    "的",
    "确传师观",
    "sound water people number",
    "?",
)


async def main(messages: int) -> None:
    """Print the costs of writing and querying, with a new database."""
    with TemporaryDirectory() as folder:
        path = Path(folder) / "chat.db"
        database = await open_database(path, clock=lambda: int(time.time() * 1000))
        start_time, cpu_before = time.perf_counter(), time.process_time()
        await write_messages(database, messages)
        print(f"write: {messages / (time.perf_counter() - start_time):,.0f} messages per second,", end=" ")
        cpu_per_message = (time.process_time() - cpu_before) / messages * 1e6
        print(f"{cpu_per_message:.1f} µs CPU per message; {describe_size(path, messages)}")
        await time_queries(database)
        await database.close()


async def write_messages(database: Database, messages: int) -> None:
    """Append random messages to twenty rooms, including `zebra` once."""
    rng, author = random.Random(1), Member(member_id="m", nick_name="M", role="member")
    rooms = [RoomRef(key=f"room {number}", name=f"room {number}") for number in range(20)]
    for start in range(0, messages, MAX_BATCH):
        texts = [
            "zebra" if number == messages // 2 else random_text(rng)
            for number in range(start, min(start + MAX_BATCH, messages))
        ]
        commands = [AppendMessage(room=rng.choice(rooms), author=author, message=message) for message in texts]
        await asyncio.gather(*(database.journal.append(command) for command in commands))


def random_text(rng: random.Random) -> str:
    """Return 3 to 15 English words or 4 to 30 Chinese characters."""
    if rng.random() < 0.5:
        return " ".join(rng.choices(ENGLISH, k=rng.randint(3, 15)))
    return "".join(rng.choices(CHINESE, k=rng.randint(4, 30)))


async def time_queries(database: Database) -> None:
    """Print the median time of the first page for each query."""
    for query in QUERIES:
        page = await search_first_page(database, query)
        times: list[float] = []
        for _ in range(5):
            start_time = time.perf_counter()
            await search_first_page(database, query)
            times.append((time.perf_counter() - start_time) * 1e3)
        continuation = f", continued at {page.next_before}" if page.next_before is not None else ""
        print(f"{query!r}: {statistics.median(times):.1f} ms, {len(page.messages)} results{continuation}")


async def search_first_page(database: Database, query: str) -> SearchResult:
    """Return the first page of results over all rooms."""
    return await database.reader.search(query, room_key=None, joined=(), before=None, limit=50)


def describe_size(path: Path, messages: int) -> str:
    """Return the file size and the index size per message as text."""
    with sqlite3.connect(path) as connection:
        ((index_bytes,),) = connection.execute("SELECT sum(length(block)) FROM search_data").fetchall()
    connection.close()
    return (
        f"file {path.stat().st_size / messages:.0f} bytes per message, index {index_bytes / messages:.0f} bytes of that"
    )


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--messages", type=int, default=1_000_000)
    asyncio.run(main(parser.parse_args().messages))
