"""nginx as reverse proxy, with the server blocks of docs/operating.md."""

import asyncio
import re
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path

from tests.support.free_port import reserved_port
from tests.support.requirements import require_nginx
from tests.support.wait import TIMEOUT

GUIDE = Path(__file__).parents[2] / "docs" / "operating.md"

_MAIN_CONFIGURATION = """
daemon off; master_process off; pid {directory}/nginx.pid; error_log {directory}/error.log;
events {{}}
http {{
    access_log off;
    client_body_temp_path {directory}/body; proxy_temp_path {directory}/proxy; fastcgi_temp_path {directory}/fastcgi;
    uwsgi_temp_path {directory}/uwsgi; scgi_temp_path {directory}/scgi;
    {blocks}
}}
"""


def read_documented_block(server_name: str) -> str:
    """Return the documented configuration of a host."""
    blocks = re.findall(r"```nginx\n(.*?)```", GUIDE.read_text(encoding="utf-8"), re.DOTALL)
    [block] = [block for block in blocks if f"server_name {server_name};" in block]
    return block


@asynccontextmanager
async def run_nginx(directory: Path, block: str, server_port: int = 0, tls: str = "") -> AsyncGenerator[int]:
    """Run nginx with a documented block on a free port, and provide the port.

    Args:
        directory: Directory for the files of nginx.
        block: Documented configuration, whose listening port is replaced.
        server_port: Port of the chat server at the documented address; 0 for a block with other addresses.
        tls: Directives for a certificate; empty for plain HTTP.
    """
    program = require_nginx()
    with reserved_port() as port:
        listen = f"listen 127.0.0.1:{port} ssl; {tls}" if tls else f"listen 127.0.0.1:{port};"
        blocks = re.sub(r"listen (443 ssl|80);", listen, block).replace("127.0.0.1:3000", f"127.0.0.1:{server_port}")
        configuration = directory / "nginx.conf"
        configuration.write_text(_MAIN_CONFIGURATION.format(directory=directory, blocks=blocks))
        process = await asyncio.create_subprocess_exec(program, "-p", str(directory), "-c", str(configuration))
        try:
            async with asyncio.timeout(TIMEOUT):
                while not await _accepts_connections(port):
                    assert process.returncode is None, (directory / "error.log").read_text()
            yield port
        finally:
            if process.returncode is None:
                process.terminate()
            await process.wait()


async def _accepts_connections(port: int) -> bool:
    try:
        _, writer = await asyncio.open_connection("127.0.0.1", port)
    except OSError:
        await asyncio.sleep(0.02)
        return False
    writer.close()
    return True
