namespace MinimalMcp.Tests.Outgoing;

/// <summary>What becomes of a call when the system behind it does not speak as it should.</summary>
public sealed class BrokenAnswerTests
{
    public static TheoryData<string, string, int, bool> Cases
    {
        get
        {
            var cases = new TheoryData<string, string, int, bool>();
            foreach (
                var (fault, sentence, requests) in (ReadOnlySpan<(string, string, int)>)
                    [
                        ("hang", "Alpha did not answer completely within 0.5 seconds", 1),
                        ("hang after headers", "Alpha did not answer completely within 0.5 seconds", 1),
                        ("drip", "Alpha did not answer completely within 0.5 seconds", 1),
                        ("garbage", "Alpha answered something that is not HTTP. Check Alpha:Url", 1),
                        ("garbled header", "Alpha answered something that is not HTTP", 1),
                        ("cut body", "The answer of Alpha broke off", 1),
                        ("cut chunk", "The answer of Alpha broke off", 1),
                        ("garbled chunk", "The answer of Alpha broke off", 1),
                        ("garbled gzip", "The answer of Alpha broke off", 1),
                        ("close", "Alpha closed the connection without an answer", 2),
                        ("endless headers", "The answer of Alpha has too many headers", 1),
                        ("endless body", "The answer of Alpha is larger than 4194304 bytes", 1),
                        ("announced body", "The answer of Alpha is larger than 4194304 bytes", 1),
                        ("bomb", "The answer of Alpha is larger than 4194304 bytes", 1),
                    ]
            )
            {
                cases.Add(fault, sentence, requests, false);
                cases.Add(fault, sentence, requests, true);
            }

            return cases;
        }
    }

    [Theory]
    [MemberData(nameof(Cases))]
    public async Task A_fault_is_502_or_when_it_is_slow_504_in_a_sentence_leaves_no_socket_open_and_touches_nobody_else(
        string fault,
        string sentence,
        int requests,
        bool headersFirst
    )
    {
        await using var alpha = RawServer.Start(Faults.Of[fault]);
        await using var beta = RawServer.Start(RawServer.Ok("{}"));
        // Where the fault is not slowness the deadline must not be what ends the call.
        await using var server = OutgoingServer.Start(
            alpha,
            beta,
            ("Outgoing:Deadline", sentence.Contains("0.5", StringComparison.Ordinal) ? "00:00:00.5" : "00:00:30")
        );

        Assert.Contains(sentence, await server.FailAsync(headersFirst: headersFirst));

        Assert.Equal(requests, alpha.Requests.Count);
        await Wait.Until(() => alpha.Open == 0);
        Assert.True(alpha.Sent < 16 << 20, $"{alpha.Sent} bytes were taken"); // buffers of the system included
        Assert.Equal(200, (await server.AskAsync(system: "Beta")).Status);
        Assert.Contains(server.Log, line =>
            line.StartsWith("Upstream request failed Alpha GET /things/1 ", StringComparison.Ordinal)
        );
    }

    [Theory]
    [InlineData("POST", 1)]
    [InlineData("DELETE", 1)]
    [InlineData("PUT", 1)]
    [InlineData("PATCH", 1)]
    [InlineData("GET", 2)]
    [InlineData("HEAD", 2)]
    public async Task A_request_that_is_closed_without_an_answer_arrives_once_unless_it_only_reads(
        string method,
        int times
    )
    {
        await using var alpha = RawServer.Start(Faults.Of["close"]);
        await using var server = OutgoingServer.Start(alpha);

        var sentence = await server.FailAsync(method);

        Assert.Equal(times, alpha.Requests.Count);
        Assert.Equal(times == 1, sentence.Contains("look before trying again", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("http://169.254.169.254/latest/meta-data")]
    [InlineData("{other}/elsewhere")]
    [InlineData("//127.0.0.1:1/")]
    public async Task A_redirect_is_not_followed_and_its_address_is_not_told(string location)
    {
        await using var other = RawServer.Start(RawServer.Ok("{}"));
        location = location.Replace("{other}", other.Url, StringComparison.Ordinal);
        await using var alpha = RawServer.Start(
            RawServer.Status(307, $"Location: {location}?{AskTools.AnswerSecret}\r\n")
        );
        await using var server = OutgoingServer.Start(alpha);

        Assert.Contains("Alpha answered 307. Redirects are not followed: check Alpha:Url", await server.FailAsync());
        Assert.Single(alpha.Requests);
        Assert.Equal(0, other.Connections);
    }

    [Theory]
    [InlineData("application/json", "{\"a\":" + AskTools.AnswerSecret)]
    [InlineData("text/html", "<html>" + AskTools.AnswerSecret)]
    public async Task What_is_not_JSON_fails_without_being_shown(string type, string body)
    {
        await using var alpha = RawServer.Start(
            $"HTTP/1.1 200 OK\r\nContent-Type: {type}\r\nContent-Length: {body.Length}\r\n\r\n{body}"
        );
        await using var server = OutgoingServer.Start(alpha);

        var (status, text) = await server.AskAsync();

        Assert.Equal(500, status); // a family that expects this says so; this one does not
        server.KeptSecrets(text);
        Assert.Single(alpha.Requests);
    }

    [Fact]
    public async Task An_error_status_is_the_familys_to_explain_and_is_logged_without_its_body()
    {
        await using var alpha = RawServer.Start(
            $"HTTP/1.1 404 {AskTools.AnswerSecret}\r\nContent-Length: 21\r\nX-Secret: "
                + $"{AskTools.AnswerSecret}\r\n\r\n\"{AskTools.AnswerSecret}\""
        );
        await using var server = OutgoingServer.Start(alpha);

        Assert.Contains("404", await server.FailAsync());
        Assert.DoesNotContain(server.Log, line => line.StartsWith("Alpha:", StringComparison.Ordinal));
    }
}
