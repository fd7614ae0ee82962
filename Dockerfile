# The server as an image: docker build -t minimal-mcp .   How it is run stands in docs/operate/container.md.
# Only what the classic builder knows, too: no --mount, --link, --chmod or heredoc, and no "syntax" line, for which BuildKit asks a registry.
ARG SDK_IMAGE=mcr.microsoft.com/dotnet/sdk:10.0
# Nothing here needs a shell at run time: aspnet:10.0-noble-chiseled fits as well, for tools that do without time zones' names.
ARG RUNTIME_IMAGE=mcr.microsoft.com/dotnet/aspnet:10.0

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

FROM ${RUNTIME_IMAGE}
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
