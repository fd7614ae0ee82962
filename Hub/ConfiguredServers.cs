using Microsoft.Extensions.Primitives;
using MinimalMcp.Configuration;
using MinimalMcp.Storage;

namespace MinimalMcp.Hub;

/// <summary>
/// Keeps the registered servers of the configuration as the configuration has them: at the start, and when the file or
/// the settings change. The routes can start and stop them, nothing else.
/// </summary>
internal sealed partial class ConfiguredServers(
    ServerRegistry registry,
    ConfiguredServerReader reader,
    ServerNames names,
    IConfiguration configuration,
    TimeProvider time,
    ILogger<ConfiguredServers> log
) : BackgroundService
{
    private static readonly TimeSpan Poll = TimeSpan.FromSeconds(2);

    private readonly SemaphoreSlim _changing = new(1);
    private byte[]? _lastFile;
    private bool _isDone;
    private volatile bool _isChanged;

    public override async Task StartAsync(CancellationToken cancellationToken)
    {
        await SynchronizeAsync(cancellationToken, isStart: true);
        await base.StartAsync(cancellationToken);
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var reloaded = ChangeToken.OnChange(configuration.GetReloadToken, () => _isChanged = true);
        using var timer = new PeriodicTimer(Poll, time);
        while (await timer.WaitForNextTickAsync(stoppingToken))
        {
            await SynchronizeAsync(stoppingToken);
        }
    }

    /// <summary>
    /// Looks for changes. What is wrong later than at the start is reported, and what was there before stays.
    /// </summary>
    public async Task SynchronizeAsync(CancellationToken cancellationToken, bool isStart = false)
    {
        await _changing.WaitAsync(cancellationToken);
        try
        {
            var options = new HubOptions();
            configuration.GetSection("Hub").Bind(options);
            var file = reader.ReadFile(options);
            if (_isDone && !_isChanged && (file ?? []).AsSpan().SequenceEqual(_lastFile))
            {
                return;
            }

            // Before it is read, so that what is malformed is reported once.
            (_isChanged, _lastFile, _isDone) = (false, file ?? [], true);
            await ApplyAsync(reader.Read(options, file), cancellationToken);
        }
        catch (StorageException)
        {
            _isDone = false; // the registry reports it; tried again
        }
        catch (StartupException) when (isStart)
        {
            throw; // as other settings that are wrong
        }
        catch (Exception wrong) when (wrong is StartupException or ServerRefusedException or InvalidOperationException)
        {
            LogMalformed(wrong.Message);
        }
        finally
        {
            _changing.Release();
        }
    }

    private async Task ApplyAsync(IReadOnlyList<ServerDefinition> wanted, CancellationToken cancellationToken)
    {
        foreach (var server in wanted)
        {
            if (names.Problem(server.Name) is { } problem)
            {
                throw new StartupException($"A server of the configuration cannot be registered. {problem}");
            }
        }

        var known = await registry.ListAsync(cancellationToken);
        foreach (var gone in known.Where(server => server.IsConfigured && !wanted.Any(now => now.Name == server.Name)))
        {
            LogRemoved(gone.Name);
            await registry.DeleteAsync(gone.Id, cancellationToken);
        }

        foreach (var server in wanted)
        {
            if (known.FirstOrDefault(other => other.Name == server.Name) is { } before)
            {
                await ChangeAsync(before.Id, server, cancellationToken);
            }
            else
            {
                await AddAsync(server, cancellationToken);
            }
        }
    }

    private async Task AddAsync(ServerDefinition server, CancellationToken cancellationToken)
    {
        try
        {
            await registry.CreateAsync(server, cancellationToken);
            LogAdded(server.Name);
        }
        catch (ServerRefusedException taken) when (taken.Status == StatusCodes.Status400BadRequest)
        {
            // another replica was first
            var known = await registry.ListAsync(cancellationToken);
            await ChangeAsync(known.First(other => other.Name == server.Name).Id, server, cancellationToken);
        }
        catch (ServerRefusedException full) when (server.Wanted)
        {
            LogNotStarted(server.Name, full.Message);
            await registry.CreateAsync(server with { Wanted = false }, cancellationToken);
        }
    }

    // Whether it runs is what somebody last wanted, unless the configuration disables it.
    private Task<ServerDefinition> ChangeAsync(long id, ServerDefinition server, CancellationToken cancellationToken) =>
        registry.UpdateAsync(
            id,
            before =>
            {
                var after = server with
                {
                    Id = before.Id,
                    CreatedAt = before.CreatedAt,
                    UpdatedAt = before.UpdatedAt,
                    Wanted = server.Wanted && (before.Wanted || before.Unreadable || before.IsDisabled),
                };
                return after.IsSameAs(before) ? before : after;
            },
            cancellationToken
        );

    [LoggerMessage(LogLevel.Information, "Server registered by the configuration {Server}")]
    private partial void LogAdded(string server);

    [LoggerMessage(LogLevel.Information, "Server is no longer in the configuration, and was deleted {Server}")]
    private partial void LogRemoved(string server);

    [LoggerMessage(LogLevel.Warning, "Server of the configuration was registered, and not started {Server} {Reason}")]
    private partial void LogNotStarted(string server, string reason);

    [LoggerMessage(LogLevel.Error, "Servers of the configuration were left as they are {Reason}")]
    private partial void LogMalformed(string reason);
}
