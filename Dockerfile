# The server as an image: docker build -t minimal-mcp .   How it is run stands in docs/operate/container.md.
# With what MCP servers of npm and PyPI need:  docker build --target hub -t minimal-mcp-hub .
# Only what the classic builder knows, too: no --mount, --link, --chmod or heredoc, and no "syntax" line, for which BuildKit asks a registry.
ARG SDK_IMAGE=mcr.microsoft.com/dotnet/sdk:10.0
# Nothing here needs a shell at run time: aspnet:10.0-noble-chiseled fits as well, for tools that do without time zones' names.
ARG RUNTIME_IMAGE=mcr.microsoft.com/dotnet/aspnet:10.0
# Of the target hub: with a shell, and with apt-get for what it lacks. And where its Node.js is copied from.
ARG HUB_IMAGE=mcr.microsoft.com/dotnet/aspnet:10.0-noble
ARG NODE_IMAGE=node:24-bookworm-slim

FROM ${SDK_IMAGE} AS build
# Compiles ahead of time what runs before the first answer (docs/reference/performance.md). "false" where .NET has no such compiler.
ARG READY_TO_RUN=true
WORKDIR /source
# Packages change less often than code: this layer is kept while these files are the same.
COPY MinimalMcp.csproj Directory.Build.props global.json ./
# For this image's own platform only: SQLite's library would come along for all 22 otherwise.
RUN dotnet restore MinimalMcp.csproj --use-current-runtime -p:PublishReadyToRun=${READY_TO_RUN}
COPY . .
RUN dotnet publish MinimalMcp.csproj -c Release --no-restore --use-current-runtime --self-contained false -o /app \
      -p:RunAnalyzers=false -p:UseAppHost=false -p:IsTransformWebConfigDisabled=true -p:PublishReadyToRun=${READY_TO_RUN} \
 && mkdir /data

FROM ${RUNTIME_IMAGE} AS server
ARG VERSION=0.1.0
ARG REVISION=
ARG SOURCE=
LABEL org.opencontainers.image.title="MinimalMcp" \
      org.opencontainers.image.description="Write a C# method, and ChatGPT can call it: over MCP, as a GPT Action, and through function calling." \
      org.opencontainers.image.licenses="MIT" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}" \
      org.opencontainers.image.source="${SOURCE}"
WORKDIR /app
COPY --from=build /app .
# The store: the only place that is written to.
COPY --from=build --chown=1654:1654 /data /data
VOLUME /data
# All addresses of the container; which of them the world sees is said when the port is published. The port is the default, so that a
# platform's PORT still counts.
ENV MCP_SERVER_HOST=0.0.0.0 Storage__Path=/data/minimalmcp.db
EXPOSE 3001
USER $APP_UID
HEALTHCHECK --interval=15s --timeout=10s --start-period=30s --retries=3 CMD ["dotnet", "/app/MinimalMcp.dll", "health"]
ENTRYPOINT ["dotnet", "/app/MinimalMcp.dll"]

FROM ${NODE_IMAGE} AS node

FROM ${HUB_IMAGE} AS hub
# Empty leaves uv and uvx out.
ARG UV_VERSION=0.13.8
ARG VERSION=0.1.0
LABEL org.opencontainers.image.title="MinimalMcp with other MCP servers" \
      org.opencontainers.image.licenses="MIT" \
      org.opencontainers.image.version="${VERSION}"
COPY --from=node /usr/local/bin/node /usr/local/bin/node
COPY --from=node /usr/local/lib/node_modules /usr/local/lib/node_modules
# The last lines fail the build where something is missing. The user of MCP servers is another one than the server's.
RUN set -e; \
    if ! command -v python3 || [ -n "${UV_VERSION}" ]; then \
      apt-get update; \
      DEBIAN_FRONTEND=noninteractive apt-get install --yes --no-install-recommends libatomic1 python3 python3-pip util-linux; \
      rm -rf /var/lib/apt/lists/*; \
    fi; \
    if [ -n "${UV_VERSION}" ]; then \
      python3 -m pip install --no-cache-dir --break-system-packages --root-user-action=ignore "uv==${UV_VERSION}"; \
      uvx --version; \
    fi; \
    ln -s ../lib/node_modules/npm/bin/npm-cli.js /usr/local/bin/npm; \
    ln -s ../lib/node_modules/npm/bin/npx-cli.js /usr/local/bin/npx; \
    echo 'servers:x:1655:1655::/home/servers:/bin/sh' >> /etc/passwd; \
    echo 'servers:x:1655:' >> /etc/group; \
    mkdir /home/servers; \
    chown 1655:1655 /home/servers; \
    mkdir -m 700 /data; \
    chown 1654:1654 /data; \
    npx --version; \
    python3 --version; \
    prlimit --version; \
    setpriv --version
WORKDIR /app
COPY --from=build /app .
# What servers download and write. Nothing else is written to.
VOLUME /data /home/servers
ENV MCP_SERVER_HOST=0.0.0.0 Storage__Path=/data/minimalmcp.db Hub__User=servers Hub__WorkingFolder=/home/servers
EXPOSE 3001
HEALTHCHECK --interval=15s --timeout=10s --start-period=30s --retries=3 \
  CMD test "$(id -u)" != 0 || as="setpriv --reuid=1654 --regid=1654 --clear-groups"; exec $as dotnet /app/MinimalMcp.dll health
# Root only for as long as it takes to become user 1654 with three capabilities: to start and to end processes of the
# other user. Started as 1654, it has none of them, and Hub__User must be empty.
USER 0
ENTRYPOINT ["/bin/sh", "-c", "\
  [ $(id -u) = 0 ] || exec dotnet /app/MinimalMcp.dll \"$@\"; \
  export HOME=/home/app; \
  caps=-all,+setuid,+setgid,+kill; \
  as=\"setpriv --reuid=1654 --regid=1654 --clear-groups --inh-caps=$caps --ambient-caps=$caps\"; \
  $as true 2>/dev/null || { \
    echo 'This image needs three capabilities: --cap-add SETUID --cap-add SETGID --cap-add KILL.' >&2; \
    echo 'Or run it with --user 1654 -e Hub__User= : MCP servers can then read what the server can read.' >&2; \
    exit 1; }; \
  exec $as dotnet /app/MinimalMcp.dll \"$@\"", "minimal-mcp"]

# The default: the server alone. The classic builder makes the stages before it, too; --target server does not.
FROM server
