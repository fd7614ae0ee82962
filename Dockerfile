# The server as an image: docker build -t minimal-mcp .   How it is run stands in docs/container.md.
# Only what the classic builder knows, too: no --mount, --link, --chmod or heredoc, and no "syntax" line, for which BuildKit asks a registry.
ARG NODE_IMAGE=node:22-slim
ARG SDK_IMAGE=mcr.microsoft.com/dotnet/sdk:10.0
# Nothing here needs a shell at run time: aspnet:10.0-noble-chiseled fits as well, for tools that do without time zones' names.
ARG RUNTIME_IMAGE=mcr.microsoft.com/dotnet/aspnet:10.0

# What NuGet does not have. The API explorer's script, which npm publishes: its version stands in one file, with the checksum that the build
# holds it against. And SQLite, which the distribution patches and the runtime's image lacks.
FROM ${NODE_IMAGE} AS fetched
WORKDIR /fetched
RUN ls /usr/lib/*/libsqlite3.so.0 || (apt-get update && apt-get install --yes --no-install-recommends libsqlite3-0)
RUN cp -L /usr/lib/*/libsqlite3.so.0 .
COPY Pages/Scalar.targets .
RUN version=$(sed -n 's:.*<ScalarVersion>\(.*\)</ScalarVersion>.*:\1:p' Scalar.targets) \
 && npm pack --silent "@scalar/api-reference@$version" \
 && tar -xzmf scalar-api-reference-*.tgz --strip-components=3 package/dist/browser/standalone.js

FROM ${SDK_IMAGE} AS build
WORKDIR /source
# Packages change less often than code: this layer is kept while these files are the same.
COPY MinimalMcp.csproj Directory.Build.props global.json ./
COPY Pages/Scalar.targets Pages/
RUN dotnet restore MinimalMcp.csproj
COPY --from=fetched /fetched/standalone.js /fetched/
COPY . .
RUN dotnet publish MinimalMcp.csproj -c Release --no-restore -o /app \
      -p:UseAppHost=false -p:IsTransformWebConfigDisabled=true -p:ScalarBundle=/fetched/standalone.js \
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
COPY --from=fetched /fetched/libsqlite3.so.0 .
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
