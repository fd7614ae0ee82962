using CwaySample;

// Cway's GraphQL API with a seeded workspace. Settings are arguments: --Url, --Projects, --EventsPerProject, --Seed,
// --Latency 00:00:00.020, --FractionsInPlanner true; the token is CWAY_API_TOKEN's, as for the server that asks.
var settings = new ConfigurationBuilder().AddCommandLine(args).Build();
var options = settings.Get<CwayServerOptions>(binder => binder.ErrorOnUnknownConfiguration = true)
    ?? new CwayServerOptions();
await using var cway = await CwayServer.StartAsync(
    options with
    {
        Token = Environment.GetEnvironmentVariable("CWAY_API_TOKEN") ?? options.Token,
    }
);
Console.WriteLine($"Cway sample listens on {cway.Url}");
await cway.WaitForShutdownAsync();

internal sealed partial class Program;
