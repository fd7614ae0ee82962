using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization;
using MinimalMcp.Auth;
using MinimalMcp.Hub.SignIn;
using MinimalMcp.Storage;

namespace MinimalMcp.Hub;

/// <summary>
/// Definitions as rows of the store. Arguments, variables, addresses and credentials are encrypted: some servers take
/// a database address with a password as an argument.
/// </summary>
internal sealed class ServerRecords(ServerKeys keys)
{
    private readonly Lazy<SealingKey> _key = new(
        () => keys.Sealing("minimal hub: servers"),
        LazyThreadSafetyMode.PublicationOnly
    );

    public StoredServer Write(ServerDefinition server, long version)
    {
        var plain = new PlainPart(
            server.Description,
            server.GithubUrl,
            server.Command,
            server.Transport,
            server.Auth,
            server.AutoRestart,
            server.MaxRestarts,
            server.HealthCheckInterval,
            server.Risk,
            server.OwnNames,
            server.IsConfigured,
            server.Generation,
            server.IsDisabled
        );
        var secret = new SecretPart(
            [.. server.Args],
            new(server.Env),
            server.Host,
            server.Port,
            server.Url,
            new(server.AuthConfig)
        );
        return new()
        {
            Id = server.Id,
            Name = server.Name,
            Definition = JsonSerializer.Serialize(plain, RecordJson.Default.PlainPart),
            Sealed = _key.Value.Seal(
                JsonSerializer.SerializeToUtf8Bytes(secret, RecordJson.Default.SecretPart),
                Place(server.Name)
            ),
            Wanted = server.Wanted ? 1 : 0,
            Created = server.CreatedAt,
            Updated = server.UpdatedAt,
            Version = version,
        };
    }

    public ServerDefinition Read(StoredServer row)
    {
        var plain = JsonSerializer.Deserialize(row.Definition, RecordJson.Default.PlainPart)!;
        var secret = _key.Value.Open(row.Sealed, Place(row.Name)) is { } opened
            ? JsonSerializer.Deserialize(Encoding.UTF8.GetString(opened), RecordJson.Default.SecretPart)
            : null;
        return new()
        {
            Id = row.Id,
            Name = row.Name,
            Description = plain.Description,
            GithubUrl = plain.GithubUrl,
            Command = plain.Command,
            Transport = plain.Transport,
            Auth = plain.Auth,
            AutoRestart = plain.AutoRestart,
            MaxRestarts = plain.MaxRestarts,
            HealthCheckInterval = plain.HealthCheckInterval,
            Risk = plain.Risk,
            OwnNames = plain.OwnNames,
            IsConfigured = plain.IsConfigured,
            Generation = plain.Generation,
            IsDisabled = plain.IsDisabled,
            Args = secret?.Args ?? [],
            Env = secret?.Env ?? [],
            Host = secret?.Host ?? "localhost",
            Port = secret?.Port,
            Url = secret?.Url,
            AuthConfig = secret?.AuthConfig ?? [],
            Wanted = row.Wanted == 1 && secret is not null,
            Unreadable = secret is null,
            CreatedAt = row.Created,
            UpdatedAt = row.Updated,
        };
    }

    /// <summary>
    /// Lists, encrypted too: the URIs of a database server's resources have the address that it got as an argument.
    /// </summary>
    public string WriteLists(long id, byte[] json) => _key.Value.Seal(json, Lists(id));

    /// <summary>Null when they were written with another secret.</summary>
    public byte[]? ReadLists(long id, string stored) => _key.Value.Open(stored, Lists(id));

    private static string Lists(long id) => $"hub_lists {id}";

    // Who may write to the store must not have the secrets of one server sent to the address of another.
    private static string Place(string server) => "hub_servers " + server;
}

internal sealed record PlainPart(
    string? Description,
    string? GithubUrl,
    string? Command,
    TransportType Transport,
    AuthType Auth,
    bool AutoRestart,
    int MaxRestarts,
    int HealthCheckInterval,
    string? Risk,
    bool OwnNames,
    bool IsConfigured,
    long Generation = 0,
    bool IsDisabled = false
);

internal sealed record SecretPart(
    List<string> Args,
    Dictionary<string, string> Env,
    string Host,
    int? Port,
    string? Url,
    Dictionary<string, string> AuthConfig
);

[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower,
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
    UseStringEnumConverter = true
)]
[JsonSerializable(typeof(PlainPart))]
[JsonSerializable(typeof(SecretPart))]
[JsonSerializable(typeof(ServerDefinition))]
[JsonSerializable(typeof(ServerTokens))]
[JsonSerializable(typeof(UpstreamSignIn.BegunSignIn))]
[JsonSerializable(typeof(JsonObject))]
[JsonSerializable(typeof(JsonArray))]
[JsonSerializable(typeof(string))]
internal sealed partial class RecordJson : JsonSerializerContext;
