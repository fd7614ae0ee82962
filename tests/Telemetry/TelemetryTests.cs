using System.Text;
using System.Text.Json;
using MinimalMcp.Tests.Outgoing;
using MinimalMcp.Tests.Protocol;
using MinimalMcp.Tests.Tools;
using ModelContextProtocol.Client;
using ModelContextProtocol.Protocol;

namespace MinimalMcp.Tests.Telemetry;

/// <summary>What a collector gets, from the real program.</summary>
[Slow]
public sealed class TelemetryTests
{
    private const string Trace = "0af7651916cd43dd8448eb211c80319c",
        Parent = "b7ad6b7169203331",
        Other = "4bf92f3577b34da6a3ce929d0e0e4736",
        OtherParent = "00f067aa0ba902b7";
    private const string Traceparent = $"00-{Trace}-{Parent}-01",
        OtherTraceparent = $"00-{Other}-{OtherParent}-01";
    private const string Version = "2025-11-25",
        Argument = "words-that-only-an-argument-has";

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData("http", "true")]
    [InlineData("mcp", "false")]
    public async Task A_call_over_mcp_is_a_span_below_the_request_on_both_paths(string surface, string direct)
    {
        await using var server = await TracedServer.StartAsync(("Mcp__DirectPath", direct));
        var hello = await server.PostAsync(
            "/mcp",
            Rpc(
                "initialize",
                new
                {
                    protocolVersion = Version,
                    capabilities = new { },
                    clientInfo = new { name = "test", version = "1" },
                }
            ),
            ("MCP-Protocol-Version", Version)
        );
        Assert.Equal(Version, hello.GetProperty("result").GetProperty("protocolVersion").GetString());

        await server.PostAsync(
            "/mcp",
            Call("find_notes", new { query = Argument }, id: "call-7"),
            ("MCP-Protocol-Version", Version),
            ("traceparent", Traceparent),
            ("tracestate", "vendor=1")
        );

        var call = await server.Receiver.SpanAsync(span => span.Name == "tools/call find_notes");
        var request = await server.Receiver.SpanAsync(span => span.Id == call.Parent);
        Assert.Equal(
            (Trace, Trace, Parent, OtlpSpan.Server, OtlpSpan.Server),
            (call.Trace, request.Trace, request.Parent, call.Kind, request.Kind)
        );
        Assert.Equal("traced", call.Resource["service.name"]);
        Assert.Equal(
            ("tools/call", "execute_tool", "find_notes", "call-7", Version),
            (
                call["mcp.method.name"],
                call["gen_ai.operation.name"],
                call["gen_ai.tool.name"],
                call["jsonrpc.request.id"],
                call["mcp.protocol.version"]
            )
        );
        Assert.Equal(
            ("tcp", "127.0.0.1", surface, "ok", null),
            (
                call["network.transport"],
                call["client.address"],
                call["minimalmcp.surface"],
                call["minimalmcp.outcome"],
                call["error.type"]
            )
        );
        // and not a second time by the SDK
        Assert.Single(server.Receiver.Spans, span => span.Name.Contains("find_notes", StringComparison.Ordinal));
        RequireNoSecrets(server.Receiver);
    }

    [Theory]
    [InlineData("true")]
    [InlineData("false")]
    public async Task The_span_in_meta_is_the_parent_and_the_request_is_linked(string direct)
    {
        await using var server = await TracedServer.StartAsync(("Mcp__DirectPath", direct));

        await server.PostAsync(
            "/mcp",
            Call("get_topics", new { }, meta: OtherTraceparent),
            ("MCP-Protocol-Version", Version),
            ("traceparent", Traceparent)
        );

        var call = await server.Receiver.SpanAsync(span => span.Name == "tools/call get_topics");
        Assert.Equal((Other, OtherParent), (call.Trace, call.Parent));
        var request = await server.Receiver.SpanAsync(span => span.Parent == Parent);
        Assert.Equal((Trace, request.Id), Assert.Single(call.Links));
    }

    [Theory]
    [InlineData("true")]
    [InlineData("false")]
    public async Task A_call_in_a_session_belongs_to_its_own_request_and_not_to_the_one_that_opened_the_session(
        string direct
    )
    {
        await using var server = await TracedServer.StartAsync(("Mcp__DirectPath", direct));
        using var hello = new HttpRequestMessage(HttpMethod.Post, "/mcp")
        {
            Content = TestServer.Json(
                Rpc(
                    "initialize",
                    new
                    {
                        protocolVersion = Version,
                        capabilities = new { },
                        clientInfo = new { name = "test", version = "1" },
                    }
                )
            ),
            Headers = { { "Accept", "application/json, text/event-stream" }, { "traceparent", OtherTraceparent } },
        };
        var session = (await McpAnswer.ReadAsync(await server.Http.SendAsync(hello, Stop))).Session!;

        await server.PostAsync(
            "/mcp",
            Call("get_topics", new { }),
            ("MCP-Protocol-Version", Version),
            ("Mcp-Session-Id", session),
            ("traceparent", Traceparent)
        );

        var call = await server.Receiver.SpanAsync(span => span.Name == "tools/call get_topics");
        Assert.Equal((Trace, session.Split('.')[0]), (call.Trace, call["mcp.session.id"]));
        Assert.Equal(Parent, (await server.Receiver.SpanAsync(span => span.Id == call.Parent)).Parent);
    }

    [Fact]
    public async Task Plain_http_and_function_calling_have_spans_too_with_what_went_wrong()
    {
        await using var server = await TracedServer.StartAsync();

        await server.PostAsync("/tools/find_notes", new { nonsense = Argument }, ("traceparent", Traceparent));
        var rest = await server.Receiver.SpanAsync(span => span.Name == "execute_tool find_notes");
        Assert.Equal(
            (Trace, OtlpSpan.Internal, "rest", "refused: arguments", "arguments", OtlpSpan.Error, ""),
            (
                rest.Trace,
                rest.Kind,
                rest["minimalmcp.surface"],
                rest["minimalmcp.outcome"],
                rest["error.type"],
                rest.Status,
                rest.StatusText
            )
        );
        Assert.Null(rest["mcp.method.name"]);

        await server.PostAsync("/api/mcp/v1/call", Call("get_topics", new { }, id: 5), ("traceparent", Traceparent));
        var function = await server.Receiver.SpanAsync(span => span.Name == "tools/call get_topics");
        Assert.Equal(
            (Trace, "functions", "ok", "5"),
            (
                function.Trace,
                function["minimalmcp.surface"],
                function["minimalmcp.outcome"],
                function["jsonrpc.request.id"]
            )
        );

        await server.PostAsync(
            "/mcp",
            Call("find_notes", new { nonsense = Argument }),
            ("MCP-Protocol-Version", Version)
        );
        var refused = await server.Receiver.SpanAsync(span => span.Name == "tools/call find_notes");
        // the conventions' word for isError
        Assert.Equal(("tool_error", OtlpSpan.Error, ""), (refused["error.type"], refused.Status, refused.StatusText));
        RequireNoSecrets(server.Receiver);
    }

    [Fact]
    public async Task Upstream_requests_and_the_store_are_below_the_call()
    {
        await using var server = await TracedServer.StartAsync();

        await server.PostAsync(
            "/tools/ask",
            new { system = "Alpha" },
            ("traceparent", Traceparent),
            ("baggage", $"user={Argument}")
        );
        var query = await server.Receiver.SpanAsync(span => span.Name == "execute_tool ask");
        Assert.Equal("ok", query["minimalmcp.outcome"]);
        var request = await server.Receiver.SpanAsync(span => span.Parent == query.Id);
        Assert.Equal(
            (OtlpSpan.Client, Trace, "200"),
            (request.Kind, request.Trace, request["http.response.status_code"])
        );
        Assert.Contains("/[REDACTED]/things/1", request["url.full"], StringComparison.Ordinal);
        Assert.EndsWith(
            $"-{request.Id}-01",
            Assert.Single(server.Asked)["traceparent"].ToString(),
            StringComparison.Ordinal
        );
        Assert.DoesNotContain("baggage", server.Asked[0].Keys); // what callers send is not for upstreams
        Assert.DoesNotContain("Correlation-Context", server.Asked[0].Keys);

        await server.PostAsync("/tools/share_notes", new { audience = "Team" }, ("traceparent", Traceparent));
        var change = await server.Receiver.SpanAsync(span => span.Name == "execute_tool share_notes");
        Assert.Equal("ok", change["minimalmcp.outcome"]);
        var intent = await server.Receiver.SpanAsync(span => span.Name == "AppendAudit" && span.Parent == change.Id);
        Assert.Equal(
            (OtlpSpan.Client, "sqlite", "AppendAudit"),
            (intent.Kind, intent["db.system.name"], intent["db.operation.name"])
        );
        await server.Receiver.SpanAsync(span =>
            span.Scope == "MinimalMcp.Storage" && span.Name == "ConsumeBudgets" && span.Parent == change.Id
        );
        RequireNoSecrets(server.Receiver);
    }

    [Fact]
    public async Task The_first_transport_and_standard_input_have_spans()
    {
        await using var server = await TracedServer.StartAsync();
        await using (
            var client = await McpClient.CreateAsync(
                new HttpClientTransport(
                    new()
                    {
                        Endpoint = new Uri(server.Http.BaseAddress!, "/sse"),
                        TransportMode = HttpTransportMode.Sse,
                        AdditionalHeaders = new Dictionary<string, string>
                        {
                            ["Authorization"] = server.Http.DefaultRequestHeaders.Authorization!.ToString(),
                        },
                    }
                ),
                new() { ProtocolVersion = "2024-11-05" },
                cancellationToken: Stop
            )
        )
        {
            await client.CallToolAsync("get_topics", new Dictionary<string, object?>(), cancellationToken: Stop);
        }

        var sse = await server.Receiver.SpanAsync(span => span.Name == "tools/call get_topics");
        Assert.Equal(("sse", "tcp"), (sse["minimalmcp.surface"], sse["network.transport"]));
        var post = await server.Receiver.SpanAsync(span => span.Id == sse.Parent);
        Assert.Contains("POST", post.Name, StringComparison.Ordinal);

        await using var receiver = await OtlpReceiver.StartAsync();
        // With delays that no test waits for: what is there at the end is sent at the end.
        var environment = TracedServer
            .Environment(receiver, ProgramTools.Notes)
            .Where(pair => !pair.Key.EndsWith("DELAY", StringComparison.Ordinal))
            .ToDictionary();
        await using var process = ServerProcess.Start(["--stdio"], environment);
        await process.SendAsync(
            JsonSerializer.Serialize(Call("get_topics", new { }, id: 2, meta: OtherTraceparent)) + "\n"
        );
        await process.ReceiveAsync();
        Assert.Equal(0, (await process.EndAsync()).ExitCode);
        var stdio = await receiver.SpanAsync(span => span.Name == "tools/call get_topics");
        Assert.Equal(
            (Other, OtherParent, "stdio", "pipe", null),
            (
                stdio.Trace,
                stdio.Parent,
                stdio["minimalmcp.surface"],
                stdio["network.transport"],
                stdio["client.address"]
            )
        );
    }

    [Fact]
    public async Task Metrics_have_the_names_of_the_conventions_and_logs_are_without_secrets()
    {
        await using var server = await TracedServer.StartAsync();
        await server.PostAsync(
            "/mcp",
            Call("find_notes", new { nonsense = 1 }),
            ("MCP-Protocol-Version", Version),
            ("traceparent", Traceparent)
        );
        await server.PostAsync(
            "/mcp",
            Call($"{TracedServer.UpstreamToken}", new { }),
            ("MCP-Protocol-Version", Version)
        );
        await server.PostAsync("/mcp", Rpc("tools/list", new { }), ("MCP-Protocol-Version", Version));

        var operations = await server.Receiver.MetricAsync(metric =>
            metric.Name == "mcp.server.operation.duration" && metric.Scope == "MinimalMcp.Tools"
        );
        Assert.Equal("s", operations.Unit);
        Assert.Contains(operations.Series, series =>
            (series["mcp.method.name"], series["gen_ai.tool.name"], series["error.type"], series["network.transport"])
            == ("tools/call", "find_notes", "tool_error", "tcp")
        );
        await server.Receiver.MetricAsync(metric =>
            metric.Name == "mcp.server.operation.duration"
            && metric.Series.Any(series => series["mcp.method.name"] == "tools/list")
        );
        await server.Receiver.MetricAsync(metric => metric.Name == "mcp_tool_duration_seconds");
        await server.Receiver.MetricAsync(metric => metric.Name == "http.server.request.duration");
        await server.Receiver.MetricAsync(metric => metric.Name.StartsWith("dotnet.gc", StringComparison.Ordinal));
        var refused = await server.Receiver.LogAsync(log =>
            log.Body.Contains("Tool call refused find_notes http", StringComparison.Ordinal)
        );
        Assert.Equal(Trace, refused.Trace);
        await server.PostAsync("/tools/ask", new { method = "PUT" });
        var failed = await server.Receiver.LogAsync(log =>
            log.Body.Contains("Upstream request failed", StringComparison.Ordinal)
        );
        Assert.Contains("PUT /[REDACTED]/things/1", failed.Body, StringComparison.Ordinal);
        Assert.Equal("Alpha", failed.Attributes["Upstream"]);
        Assert.DoesNotContain(
            "mcp.server.operation",
            await server.Http.GetStringAsync(new Uri("/metrics", UriKind.Relative), Stop),
            StringComparison.Ordinal
        );
        RequireNoSecrets(server.Receiver);
    }

    [Fact]
    public async Task The_audit_has_an_id_of_its_own_for_each_call_and_the_trace_beside_it()
    {
        await using var server = await TracedServer.StartAsync();
        await server.PostAsync("/tools/get_topics", new { }, ("traceparent", Traceparent));
        await server.PostAsync("/tools/get_topics", new { }, ("traceparent", Traceparent));

        var spans = new List<OtlpSpan>
        {
            await server.Receiver.SpanAsync(span => span.Name == "execute_tool get_topics"),
        };
        spans.Add(
            await server.Receiver.SpanAsync(span => span.Name == "execute_tool get_topics" && span.Id != spans[0].Id)
        );
        JsonElement[] rows;
        do
        {
            rows =
            [
                .. JsonElement
                    .Parse(
                        await server.Http.GetStringAsync(
                            new Uri($"/api/v1/audit?trace={Trace}", UriKind.Relative),
                            Stop
                        )
                    )
                    .GetProperty("rows")
                    .EnumerateArray(),
            ];
        } while (rows.Length < 2); // what only reads is written soon

        Assert.Equal(
            spans.Select(span => span["minimalmcp.call.id"]).Order(),
            rows.Select(row => row.GetProperty("call_id").GetString()).Order()
        );
        Assert.Equal(2, rows.Select(row => row.GetProperty("call_id").GetString()).Distinct().Count());
    }

    [Theory]
    [InlineData(false, null)]
    [InlineData(false, "OTEL_SERVICE_NAME=quiet")]
    [InlineData(false, "OTEL_SDK_DISABLED=true")]
    [InlineData(true, "OTEL_SDK_DISABLED=false")]
    [InlineData(true, "OTEL_TRACES_EXPORTER=otlp")]
    public async Task Nothing_of_it_is_loaded_unless_a_variable_asks_for_it(bool loaded, string? variable)
    {
        await using var receiver = await OtlpReceiver.StartAsync();
        var environment = new Dictionary<string, string>(ProgramTools.Notes);
        if (variable is not null)
        {
            environment[variable.Split('=')[0]] = variable.Split('=')[1];
        }

        if (variable?.StartsWith("OTEL_SDK", StringComparison.Ordinal) is true)
        {
            environment["OTEL_EXPORTER_OTLP_ENDPOINT"] = receiver.Url;
        }

        await using var process = ServerProcess.Start(["--stdio"], environment);
        await process.SendAsync(JsonSerializer.Serialize(Call("get_topics", new { }, id: 2)) + "\n");
        await process.ReceiveAsync();

        // An assembly is loaded by mapping its file.
        var maps = await File.ReadAllTextAsync($"/proc/{process.Id}/maps", Stop);
        Assert.Contains("/MinimalMcp.dll", maps, StringComparison.Ordinal);
        Assert.Equal(loaded, maps.Contains("OpenTelemetry", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("OTEL_SDK_DISABLED=yes", "OTEL_SDK_DISABLED must be true or false; it is 'yes'.")]
    [InlineData(
        "OTEL_EXPORTER_OTLP_PROTOCOL=http/json",
        "OTEL_EXPORTER_OTLP_PROTOCOL must be grpc or http/protobuf; it is 'http/json'."
    )]
    [InlineData("OTEL_LOGS_EXPORTER=console", "OTEL_LOGS_EXPORTER must be otlp or none; it is 'console'.")]
    [InlineData(
        "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT=collector:4317",
        "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT must be a URL such as http://localhost:4317."
    )]
    public async Task A_variable_that_would_be_misunderstood_stops_the_start(string variable, string said)
    {
        var (exitCode, _, errors) = await ServerProcess.RunAsync(
            ["--urls=http://127.0.0.1:0"],
            new Dictionary<string, string> { [variable.Split('=')[0]] = variable.Split('=')[1] }
        );

        Assert.Equal(1, exitCode);
        Assert.Contains(said, errors, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_signal_can_be_left_out()
    {
        await using var server = await TracedServer.StartAsync(
            ("OTEL_LOGS_EXPORTER", "none"),
            ("OTEL_METRICS_EXPORTER", "none")
        );
        await server.PostAsync("/mcp", Call("find_notes", new { nonsense = 1 }), ("MCP-Protocol-Version", Version));
        await server.Receiver.SpanAsync(span => span.Name == "tools/call find_notes");

        await server.Process.TerminateAsync(); // what is left is sent now

        Assert.Empty(server.Receiver.Logs);
        Assert.Empty(server.Receiver.Metrics);
    }

    private static object Rpc(string method, object parameters, object? id = null) =>
        new
        {
            jsonrpc = "2.0",
            id = id ?? 1,
            method,
            @params = parameters,
        };

    private static object Call(string name, object arguments, object? id = null, string? meta = null) =>
        Rpc(
            "tools/call",
            meta is null
                ? new { name, arguments }
                : new
                {
                    name,
                    arguments,
                    _meta = new { traceparent = meta, tracestate = "vendor=2" },
                },
            id
        );

    // In none of the bytes, whatever field they were in.
    private static void RequireNoSecrets(OtlpReceiver receiver)
    {
        Assert.NotEmpty(receiver.Bodies);
        Assert.Empty(receiver.Refused);
        foreach (
            var secret in (string[])
                [
                    TracedServer.Key,
                    TracedServer.UpstreamToken,
                    TracedServer.ExportKey,
                    Argument,
                    AskTools.QuerySecret,
                    AskTools.HeaderSecret,
                ]
        )
        {
            Assert.All(receiver.Bodies, body =>
                Assert.True(body.AsSpan().IndexOf(Encoding.UTF8.GetBytes(secret)) < 0, secret)
            );
        }
    }
}
