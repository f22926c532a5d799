"""Consistency of Dockerfile, compose.yaml and deploy/nginx.conf with the settings and with each other.

The image is not built: the tests check the files, and run the health check of the image.
"""

import asyncio
import json
import re
import shlex
import sys
from ipaddress import ip_address, ip_network
from pathlib import Path
from typing import Any

import yaml

from server.settings import ServerSettings
from server.settings_sources import find_ignored_variables, resolve_settings
from tests.support.in_process_server import running_server

ROOT = Path(__file__).parents[2]
DOCKERFILE = re.sub(r"\\\n\s*", "", (ROOT / "Dockerfile").read_text(encoding="utf-8"))
COMPOSE = yaml.safe_load((ROOT / "compose.yaml").read_text(encoding="utf-8"))
NODES: dict[str, dict[str, Any]] = {
    name: service for name, service in COMPOSE["services"].items() if name.startswith("node")
}
VARIABLE = re.compile(r"\$\{(\w+):([-?])([^}]*)\}")
"""Variable of compose.yaml, with a default or with the message for a missing value."""


def read_image_environment() -> dict[str, str]:
    """Return the variables of the final image."""
    final_stage = DOCKERFILE.rpartition("\nFROM ")[2]
    return dict(word.split("=", 1) for line in re.findall(r"(?m)^ENV (.*)$", final_stage) for word in shlex.split(line))


def read_settings(node: dict[str, Any], **variables: str) -> ServerSettings:
    """Return the settings of a service, with the environment of its image."""

    def substitute(match: re.Match[str]) -> str:
        name, operator, text = match.groups()
        assert operator == "-" or name in variables, text
        return variables.get(name, text)

    environment = read_image_environment() | {
        name: VARIABLE.sub(substitute, value) for name, value in node["environment"].items()
    }
    assert find_ignored_variables(environment) == []
    settings, _ = resolve_settings({}, environment, None)
    return settings


def test_the_image_runs_one_server_with_its_data_in_the_volume() -> None:
    environment = read_image_environment()
    assert find_ignored_variables(environment) == []
    settings, _ = resolve_settings({}, environment, None)
    assert (settings.host, settings.port, settings.resolve_bus()) == ("0.0.0.0", 3000, "local")
    for path in (settings.resolve_database(), settings.resolve_uploads()):
        assert path.startswith("/var/lib/chat-server/")
    assert re.search(r"(?m)^EXPOSE (\d+)$", DOCKERFILE)[1] == "3000"  # pyright: ignore[reportOptionalSubscript]


def test_the_build_context_consists_of_the_copied_files() -> None:
    copied = {source for line in re.findall(r"(?m)^COPY (?!--from)(.*)$", DOCKERFILE) for source in line.split()[:-1]}
    ignored = (ROOT / ".dockerignore").read_text(encoding="utf-8").split()
    assert copied == {line[1:] for line in ignored if line.startswith("!")}
    assert all((ROOT / source).exists() for source in copied)


def test_the_services_are_three_nodes_of_one_database_behind_the_documented_proxy() -> None:
    proxy = (ROOT / "deploy" / "nginx.conf").read_text(encoding="utf-8")
    upstreams = re.findall(r"server (\w+):(\d+) ", proxy)
    [network] = (ip_network(item["subnet"]) for item in COMPOSE["networks"]["default"]["ipam"]["config"])
    addresses: set[str] = set()
    databases: set[str] = set()
    for name, node in NODES.items():
        settings = read_settings(node, POSTGRES_PASSWORD="secret")
        assert upstreams.count((name, str(settings.port))) == 2
        assert settings.resolve_bus() == "postgres"
        assert settings.parse_trusted_networks() == (network,)
        databases.add(settings.resolve_database())
        addresses.add(node["networks"]["default"]["ipv4_address"])
        redis = read_settings(node, POSTGRES_PASSWORD="secret", CHAT_BUS="redis://redis:6379/0")
        assert redis.resolve_bus() == "redis://redis:6379/0"
    assert len(NODES) == len(addresses) == len(upstreams) / 2 == 3
    assert databases == {"postgresql://chat:secret@postgres/chat"}
    assert all(ip_address(address) in network for address in addresses)
    assert {node["hostname"] for node in NODES.values()} == {"chat"}  # a common directory of files


def test_the_scaling_guide_quotes_the_configuration_of_the_proxy() -> None:
    guide = (ROOT / "docs" / "scaling.md").read_text(encoding="utf-8")
    [block] = re.findall(r"```nginx\n(.*?)```", guide, re.DOTALL)
    configuration = (ROOT / "deploy" / "nginx.conf").read_text(encoding="utf-8")
    assert set(block.splitlines()) <= set(configuration.splitlines())


def test_the_servers_run_without_privileges_on_a_read_only_file_system() -> None:
    [user] = re.findall(r"(?m)^USER (\d+)$", DOCKERFILE)
    assert f"--uid {user} " in DOCKERFILE
    runtime_directory = read_image_environment()["XDG_RUNTIME_DIR"]
    for node in NODES.values():
        assert node["read_only"]
        assert node["cap_drop"] == ["ALL"]
        assert f"{runtime_directory}:uid={user},mode=0700" in node["tmpfs"]
        assert node["volumes"] == ["files:/var/lib/chat-server"]


async def test_the_health_check_of_the_image_detects_a_stopped_server(tmp_path: Path) -> None:
    [arguments] = re.findall(r"(?m)^HEALTHCHECK .*CMD (\[.*\])$", DOCKERFILE)
    command = [sys.executable if word == "python" else word for word in json.loads(arguments)]

    async def check(port: int) -> int:
        environment = {**read_image_environment(), "CHAT_PORT": str(port)}
        process = await asyncio.create_subprocess_exec(*command, env=environment, stderr=asyncio.subprocess.DEVNULL)
        return await process.wait()

    async with running_server(tmp_path) as server:
        assert await check(server.port) == 0
    assert await check(server.port) != 0
