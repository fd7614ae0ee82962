using System.Collections.Concurrent;
using System.Text.Json;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using MinimalMcp.Engine;

namespace MinimalMcp.Tests.EndToEnd;

/// <summary>
/// Portainer's stacks, with one container each instead of a Compose file that is understood. Stopping removes the container, and starting makes
/// a new one, which is what `compose down` and `up` do.
/// </summary>
internal sealed class StackStandIn(EngineClient engine, string label, string run)
{
    private readonly ConcurrentDictionary<int, Stack> _stacks = new();
    private int _last = 11; // ids are never used again, so they do not begin with 1

    public void MapTo(WebApplication app)
    {
        app.MapGet("/api/stacks", (string? filters) => PortainerStandIn.Json(new JsonArray([.. _stacks.Values
            .Where(stack => filters is null || Number(JsonElement.Parse(filters), "EndpointID") is null or 0 or PortainerStandIn.Environment).Select(stack => stack.ToJson())])));
        app.MapGet("/api/stacks/{id}", (string id) => Find(id, out var stack) is { } refusal ? refusal : PortainerStandIn.Json(stack.ToJson()));
        app.MapGet("/api/stacks/{id}/file", (string id) => Find(id, out var stack) is { } refusal ? refusal : PortainerStandIn.Json(new JsonObject { ["StackFileContent"] = stack.File }));
        app.MapPost("/api/stacks/create/standalone/string", (Delegate)CreateAsync);
        app.MapPost("/api/stacks/{id}/start", (string id, string? endpointId) => ChangeAsync(id, endpointId, active: true));
        app.MapPost("/api/stacks/{id}/stop", (string id, string? endpointId) => ChangeAsync(id, endpointId, active: false));
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
            return PortainerStandIn.Error(409, $"A stack with the normalized name '{name}' already exists", "Conflict");
        }

        var file = wanted.GetProperty("stackFileContent").GetString()!;
        var stack = new Stack(Interlocked.Increment(ref _last), name, file, file.Split('\n').First(line => line.Contains("image:", StringComparison.Ordinal)).Split("image:")[1].Trim(), wanted.GetProperty("env").GetRawText());
        await UpAsync(stack);
        _stacks[stack.Id] = stack;
        return PortainerStandIn.Json(stack.ToJson());
    }

    private async Task<IResult> ChangeAsync(string id, string? endpointId, bool active)
    {
        if (Find(id, out var stack) is { } refusal)
        {
            return refusal;
        }

        if (endpointId != $"{PortainerStandIn.Environment}")
        {
            return PortainerStandIn.Error(400, "Invalid query parameter: endpointId", "Missing query parameter");
        }

        if (stack.Active == active)
        {
            return active ? PortainerStandIn.Error(400, "Stack is already active", "Stack is already active") : PortainerStandIn.Error(400, "Stack is already inactive", "Stack is already inactive");
        }

        await (active ? UpAsync(stack) : DownAsync(stack));
        return PortainerStandIn.Json(stack.ToJson());
    }

    private async Task UpAsync(Stack stack)
    {
        stack.Container = await engine.CreateAsync($"{stack.Name}-web-1", new
        {
            stack.Image,
            Cmd = (string[])["sh", "-c", "trap 'exit 0' TERM; while :; do sleep 1; done"],
            Labels = new Dictionary<string, string> { [label] = run, ["com.docker.compose.project"] = stack.Name, ["com.docker.compose.service"] = "web" },
            HostConfig = new { NetworkMode = "none" },
        }, CancellationToken.None);
        await engine.StartAsync(stack.Container, CancellationToken.None);
        stack.Active = true;
    }

    private async Task DownAsync(Stack stack)
    {
        if (stack.Active)
        {
            await engine.RemoveAsync(stack.Container!, force: true, volumes: false, CancellationToken.None);
            stack.Active = false;
        }
    }

    private IResult? Find(string id, out Stack stack)
    {
        stack = null!;
        return !int.TryParse(id, out var number) ? PortainerStandIn.Error(400, "Invalid stack identifier route variable", "Invalid route variable")
            : !_stacks.TryGetValue(number, out stack!) ? PortainerStandIn.Error(404, "Unable to find a stack with the specified identifier inside the database", "Object not found inside the database")
            : null;
    }

    private static int? Number(JsonElement json, string name) => json.TryGetProperty(name, out var number) ? number.GetInt32() : null;

    private sealed class Stack(int id, string name, string file, string image, string env)
    {
        public int Id => id;

        public string Name => name;

        public string File => file;

        public string Image => image;

        public bool Active { get; set; }

        public string? Container { get; set; }

        public JsonObject ToJson() => new()
        {
            [nameof(Id)] = Id,
            [nameof(Name)] = Name,
            ["Type"] = 2,
            ["EndpointId"] = PortainerStandIn.Environment,
            ["SwarmId"] = "",
            ["EntryPoint"] = "docker-compose.yml",
            ["Env"] = JsonNode.Parse(env),
            ["ResourceControl"] = null,
            ["Status"] = Active ? 1 : 2,
            ["ProjectPath"] = $"/data/compose/{id}",
            ["CreationDate"] = 1795000000,
            ["CreatedBy"] = "admin",
            ["GitConfig"] = null,
        };
    }
}
