using System.Net;
using System.Net.Http.Json;
using System.Text.Json;

namespace MinimalMcp.Tests.Storage;

/// <summary>
/// Callers that go on until they are told, or until the server is gone. Each call changes something, and is named by
/// what ChatGPT would call its conversation.
/// </summary>
internal sealed class NotedCalls
{
    public const int Callers = 8;

    private readonly HttpClient _http;
    private readonly string _url;
    private Task _calling = Task.CompletedTask;
    private volatile bool _enough;

    private NotedCalls(HttpClient http, string url) => (_http, _url) = (http, url);

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    /// <summary>The names of calls that were answered well.</summary>
    public HashSet<string> Done { get; } = [];

    /// <summary>What came instead of an answer, by the name of the call.</summary>
    public Dictionary<string, string> Lost { get; } = [];

    /// <param name="goesOn">Whether a caller goes on after a call that failed.</param>
    public static NotedCalls Start(HttpClient http, string url, string name, bool goesOn)
    {
        var calls = new NotedCalls(http, url);
        calls._calling = Task.WhenAll(
            Enumerable
                .Range(0, Callers)
                .Select(caller =>
                    Task.Run(
                        async () =>
                        {
                            for (var n = 0; !calls._enough; n++)
                            {
                                if (!await calls.CallAsync($"{name}-{caller}-{n}") && !goesOn)
                                {
                                    return;
                                }
                            }
                        },
                        Stop
                    )
                )
        );
        return calls;
    }

    /// <summary>Returns when so many more calls were answered.</summary>
    public async Task MoreAsync(int count)
    {
        for (var wanted = Done.Count + count; Done.Count < wanted; )
        {
            Assert.False(_calling.IsCompleted, $"The load ended after {Done.Count} calls: {_calling.Exception}");
            await Task.Delay(1, Stop); // the callers need the processor
        }
    }

    /// <summary>It is enough; returns when the calls under way are over.</summary>
    public Task EndAsync()
    {
        _enough = true;
        return _calling;
    }

    /// <summary>
    /// What the server recorded of all calls: each row's phase, correlation id, and the name of the call.
    /// </summary>
    public static async Task<List<(string Phase, string Call, string Name)>> RecordedAsync(HttpClient http, string url)
    {
        var lines = (await http.GetStringAsync(new Uri(url + "/api/v1/audit?format=jsonl&tool=pick_note"), Stop)).Split(
            '\n',
            StringSplitOptions.RemoveEmptyEntries
        );
        return
        [
            .. lines
                .Select(line => JsonElement.Parse(line))
                .Select(row =>
                    (
                        row.GetProperty("phase").GetString()!,
                        row.GetProperty("call_id").GetString()!,
                        row.GetProperty("openai_session").GetString()!
                    )
                ),
        ];
    }

    // A call that began is waited for: its outcome counts.
    private async Task<bool> CallAsync(string name)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, _url + "/tools/pick_note")
        {
            Content = JsonContent.Create(new { code = "milk" }),
        };
        request.Headers.Add("openai-conversation-id", name);
        string? lost;
        try
        {
            using var response = await _http.SendAsync(request, Stop);
            lost =
                response.StatusCode == HttpStatusCode.OK
                    ? null
                    : $"{(int)response.StatusCode} {await response.Content.ReadAsStringAsync(Stop)}";
        }
        catch (HttpRequestException gone)
        {
            lost = gone.Message;
        }

        lock (Done)
        {
            if (lost is null)
            {
                return Done.Add(name);
            }

            Lost.Add(name, lost);
            return false;
        }
    }
}
