"""chat-server that chooses a fixed node id first, as a copy of a running virtual machine would.

Accepts the flags of `chat-server`.
"""

import secrets
from unittest.mock import patch

from server import cli
from server.cluster import node_registry

NODE_ID = "0123456789abcdef"

_node_ids = iter([NODE_ID])

if __name__ == "__main__":
    with patch.object(node_registry, "generate_node_id", lambda: next(_node_ids, secrets.token_hex(8))):
        cli.main()
