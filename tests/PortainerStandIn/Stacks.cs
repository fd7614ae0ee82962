using System.Collections.Concurrent;
using System.Net.Http.Json;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace MinimalMcp.PortainerStandIn;

/// <summary>
/// Portainer's stacks, with one container each instead of a Compose file that is understood. Stopping removes the
/// container, and starting makes a new one, which is what `compose down` and `up` do.
/// </summary>
internal sealed class Stacks(HttpMessageInvoker docker, string label, string run)
{
    private const string Forever = "trap 'exit 0' TERM; while :; do sleep 1; done";

    private readonly ConcurrentDictionary<int, Stack> _stacks = new();
    private int _last = 11; // ids are never used again, so they do not begin with 1

    public void MapTo(WebApplication app)
    {
        app.MapGet("/api/stacks", () =>
            Answers.Json(new JsonArray([.. _stacks.Values.Select(stack => stack.ToJson())]))
        );
        app.MapGet("/api/stacks/{id}", (string id) => Find(id, out var stack) ?? Answers.Json(stack.ToJson()));
        app.MapGet("/api/stacks/{id}/file", (string id) =>
            Find(id, out var stack) ?? Answers.Json(new JsonObject { ["StackFileContent"] = stack.File })
        );
        app.MapPost("/api/stacks/create/standalone/string", (Delegate)CreateAsync);
        app.MapPost("/api/stacks/{id}/start", (string id, string? endpointId) =>
            ChangeAsync(id, endpointId, active: true)
        );
        app.MapPost("/api/stacks/{id}/stop", (string id, string? endpointId) =>
            ChangeAsync(id, endpointId, active: false)
        );
        app.MapDelete("/api/stacks/{id}", async (string id) =>
        {
            if (Find(id, out var stack) is { } refusal)
            {
                return refusal;
            }

            await DownAsync(stack);
            _stacks.TryRemove(stack.Id, out _);
            return Results.NoContent();
        });
    }

    private async Task<IResult> CreateAsync(HttpContext http)
    {
        var wanted = await http.Request.ReadFromJsonAsync<JsonElement>(http.RequestAborted);
        var name = wanted.GetProperty("name").GetString()!;
        if (_stacks.Values.Any(stack => stack.Name == name))
        {
            return Answers.Error(409, $"A stack with the normalized name '{name}' already exists", "Conflict");
        }

        var file = wanted.GetProperty("stackFileContent").GetString()!;
        var image = file.Split('\n')
            .First(line => line.Contains("image:", StringComparison.Ordinal))
            .Split("image:")[1]
            .Trim();
        var variables = wanted.GetProperty("env").GetRawText();
        var stack = new Stack(Interlocked.Increment(ref _last), name, file, image, variables);
        await UpAsync(stack);
        _stacks[stack.Id] = stack;
        return Answers.Json(stack.ToJson());
    }

    private async Task<IResult> ChangeAsync(string id, string? endpointId, bool active)
    {
        if (Find(id, out var stack) is { } refusal)
        {
            return refusal;
        }

        if (endpointId != $"{Answers.Environment}")
        {
            return Answers.Error(400, "Invalid query parameter: endpointId", "Missing query parameter");
        }

        if (stack.Active == active)
        {
            var already = active ? "Stack is already active" : "Stack is already inactive";
            return Answers.Error(400, already, already);
        }

        await (active ? UpAsync(stack) : DownAsync(stack));
        return Answers.Json(stack.ToJson());
    }

    private async Task UpAsync(Stack stack)
    {
        var made = await AskAsync(
            HttpMethod.Post,
            $"containers/create?name={stack.Name}-web-1",
            new
            {
                stack.Image,
                Cmd = (string[])["sh", "-c", Forever],
                Labels = new Dictionary<string, string>
                {
                    [label] = run,
                    ["com.docker.compose.project"] = stack.Name,
                    ["com.docker.compose.service"] = "web",
                },
                HostConfig = new { NetworkMode = "none" },
            }
        );
        stack.Container = JsonElement.Parse(made).GetProperty("Id").GetString()!;
        await AskAsync(HttpMethod.Post, $"containers/{stack.Container}/start", null);
        stack.Active = true;
    }

    private async Task DownAsync(Stack stack)
    {
        if (stack.Active)
        {
            await AskAsync(HttpMethod.Delete, $"containers/{stack.Container}?force=1", null);
            stack.Active = false;
        }
    }

    private async Task<string> AskAsync(HttpMethod method, string path, object? body)
    {
        using var request = new HttpRequestMessage(method, new Uri("http://docker/" + path));
        request.Content = body is null
            ? null
            : new StringContent(JsonSerializer.Serialize(body), null, "application/json");
        using var answer = await docker.SendAsync(request, CancellationToken.None);
        var text = await answer.Content.ReadAsStringAsync();
        return answer.IsSuccessStatusCode
            ? text
            : throw new InvalidOperationException($"{method} {path}: {(int)answer.StatusCode} {text}");
    }

    private IResult? Find(string id, out Stack stack)
    {
        stack = null!;
        return !int.TryParse(id, out var number)
                ? Answers.Error(400, "Invalid stack identifier route variable", "Invalid route variable")
            : _stacks.TryGetValue(number, out stack!) ? null
            : Answers.Error(
                404,
                "Unable to find a stack with the specified identifier inside the database",
                "Object not found inside the database"
            );
    }

    private sealed class Stack(int id, string name, string file, string image, string env)
    {
        public int Id => id;

        public string Name => name;

        public string File => file;

        public string Image => image;

        public bool Active { get; set; }

        public string? Container { get; set; }

        public JsonObject ToJson() =>
            new()
            {
                [nameof(Id)] = Id,
                [nameof(Name)] = Name,
                ["Type"] = 2,
                ["EndpointId"] = Answers.Environment,
                ["SwarmId"] = "",
                ["EntryPoint"] = "docker-compose.yml",
                ["Env"] = JsonNode.Parse(env),
                ["ResourceControl"] = new JsonObject
                {
                    [nameof(Id)] = Id,
                    ["ResourceId"] = $"{Answers.Environment}_{name}",
                    ["Type"] = 6,
                    ["AdministratorsOnly"] = true,
                },
                ["Status"] = Active ? 1 : 2,
                ["ProjectPath"] = $"/data/compose/{id}",
                ["CreationDate"] = 1795000000,
                ["CreatedBy"] = "admin",
                ["UpdateDate"] = 0,
                ["UpdatedBy"] = "",
                ["AdditionalFiles"] = null,
                ["AutoUpdate"] = null,
                ["Option"] = null,
                ["GitConfig"] = null,
                ["FromAppTemplate"] = false,
                ["Namespace"] = "",
            };
    }
}
