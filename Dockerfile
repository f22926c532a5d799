# Image of chat-server: docker build --tag tui-chat .
#
# - One server with SQLite: docker run --publish 127.0.0.1:3000:3000 --volume chat:/var/lib/chat-server tui-chat
# - Several servers: compose.yaml and docs/scaling.md

FROM python:3.11-slim AS build
COPY --from=ghcr.io/astral-sh/uv:0.9 /uv /usr/local/bin/uv
ENV UV_LINK_MODE=copy UV_PROJECT_ENVIRONMENT=/opt/chat UV_PYTHON_DOWNLOADS=never
WORKDIR /source
COPY pyproject.toml uv.lock README.md LICENSE ./
RUN uv sync --frozen --no-dev --extra scale --no-install-project
COPY tui_chat tui_chat
COPY server server
RUN uv sync --frozen --no-dev --extra scale --no-editable

FROM python:3.11-slim
RUN useradd --system --uid 10001 chat \
    && install --directory --owner chat --mode 0700 /var/lib/chat-server /run/chat-server
COPY --from=build /opt/chat /opt/chat
# The root file system may be read-only: data is in the volume, the control socket in /run/chat-server, and with an
# object store, temporary files of uploads are in /tmp.
ENV PATH=/opt/chat/bin:$PATH \
    PYTHONDONTWRITEBYTECODE=1 \
    XDG_RUNTIME_DIR=/run/chat-server \
    CHAT_HOST=0.0.0.0 \
    CHAT_PORT=3000 \
    CHAT_DATABASE=/var/lib/chat-server/chat.db \
    CHAT_UPLOADS=/var/lib/chat-server/files
USER 10001
EXPOSE 3000
HEALTHCHECK --interval=10s --timeout=5s --start-period=30s \
    CMD ["python", "-c", "import os, urllib.request as r; r.urlopen(f\"http://127.0.0.1:{os.environ['CHAT_PORT']}/health\", timeout=4)"]
ENTRYPOINT ["chat-server"]
