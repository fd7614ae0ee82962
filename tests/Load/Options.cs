namespace MinimalMcp.Load;

/// <summary>The arguments: <c>--seconds 10</c>, <c>--key KEY</c>, and flags such as <c>--peers</c>.</summary>
internal sealed record Options
{
    public const string SampleTool = "search_products";

    /// <summary>A server that already runs, wherever, instead of one that is started here.</summary>
    public Uri? Url { get; init; }
    public string? Key { get; init; } = Environment.GetEnvironmentVariable("MCP_API_KEY");

    /// <summary>A container image to start and measure.</summary>
    public string? Image { get; init; }

    /// <summary>The engine's network for the container, where the default one is not wanted.</summary>
    public string? Network { get; init; }

    /// <summary>The process behind <see cref="Url"/>, for its CPU and memory.</summary>
    public int? Pid { get; init; }

    /// <summary>The built server that is started and measured.</summary>
    public string Server { get; init; } = "bin/Release/net10.0/MinimalMcp.dll";

    /// <summary>A tool that only reads. A project without the sample shop gets one for the time of the test.</summary>
    public string Tool { get; init; } = SampleTool;
    public string Arguments { get; init; } = """{"query":"milk","limit":5}""";

    /// <summary>A tool that changes something.</summary>
    public string WriteTool { get; init; } = "add_to_cart";
    public string WriteArguments { get; init; } = """{"productCode":"milk-001","quantity":1}""";

    /// <summary>Lets scenarios change something on a server that was not started here.</summary>
    public bool Writes { get; init; }

    /// <summary>How long the scenarios run; rounds of the comparisons take a tenth of it.</summary>
    public double Seconds { get; init; } = 30;
    public double? WarmUp { get; init; }

    /// <summary>Multiplies every rate and number of copies of the scenarios.</summary>
    public double Scale { get; init; } = 1;

    /// <summary>What to run of <see cref="AllParts"/>, separated by commas; all of it when nothing is said.</summary>
    public string? Parts { get; init; }

    /// <summary>The scenarios to run, by name, separated by commas.</summary>
    public string? Only { get; init; }
    public int Connections { get; init; } = 32;
    public int? Rounds { get; init; }

    /// <summary>How long the slow upstream takes.</summary>
    public double SlowMilliseconds { get; init; } = 200;
    public bool Peers { get; init; }

    public string[] Threshold { get; init; } = [];

    /// <summary>Leaves out the thresholds that come with the scenarios and the ratios.</summary>
    public bool NoDefaults { get; init; }

    /// <summary>The report.json of an earlier run.</summary>
    public string? Compare { get; init; }

    /// <summary>With <see cref="Compare"/>: how many percent worse, beyond the noise, fails the run.</summary>
    public double? Regression { get; init; }
    public string Out { get; init; } = "artifacts/load";

    public bool Bench { get; init; }
    public bool Governed { get; init; }

    /// <summary>Measures what the check of a token costs.</summary>
    public bool Tokens { get; init; }
    public bool Growth { get; init; }

    /// <summary>Measures what the hub adds to a call.</summary>
    public bool Hub { get; init; }

    /// <summary>Where the growth page goes.</summary>
    public string Docs { get; init; } = "artifacts/load/growth";

    /// <summary>Minutes of load, after which the slope of the memory is told.</summary>
    public double? Soak { get; init; }
    public int Spawns { get; init; } = 11;
    public int Streams { get; init; } = 10_000;

    /// <summary>At most so many behind nginx.</summary>
    public int Replicas { get; init; } = 4;
    public string? Markdown { get; init; }
    public bool Assert { get; init; }

    private string[] AllParts =>
        Growth ? ["connections", "tools", "streams", "replicas"] : ["scenarios", "ratios", "tools"];

    public bool Has(string part) => (Parts?.Split(',') ?? AllParts).Contains(part, StringComparer.Ordinal);

    public static Options Parse(string[] args)
    {
        var flags = typeof(Options)
            .GetProperties()
            .Where(property => property.PropertyType == typeof(bool))
            .Select(property => property.Name);
        var thresholds = 0;
        var settings = new List<string>();
        for (var i = 0; i < args.Length; i++)
        {
            var name = args[i].StartsWith("--", StringComparison.Ordinal)
                ? args[i][2..].Split('=')[0].Replace("-", "", StringComparison.Ordinal)
                : null;
            if (name is null)
            {
                throw new InvalidOperationException($"'{args[i]}' is no option; --help shows them.");
            }

            var value =
                args[i].Contains('=') ? args[i][(args[i].IndexOf('=') + 1)..]
                : flags.Contains(name, StringComparer.OrdinalIgnoreCase) ? "true"
                : ++i < args.Length ? args[i]
                : throw new InvalidOperationException($"--{name} wants a value; --help shows which.");
            settings.Add($"--{name}{(name == "threshold" ? $":{thresholds++}" : "")}={value}");
        }

        var options = new ConfigurationBuilder()
            .AddCommandLine([.. settings])
            .Build()
            .Get<Options>(binder => binder.ErrorOnUnknownConfiguration = true)
            ?? new Options();
        var all = options.AllParts;
        return options.Parts?.Split(',').Except(all).FirstOrDefault() is { } unknown
                ? throw new InvalidOperationException(
                    $"--parts {unknown}: the parts {(options.Growth ? "of --growth " : "")}are "
                        + $"{string.Join(", ", all[..^1])} and {all[^1]}."
                )
            : options.Replicas is < 1 or > 4
                ? throw new InvalidOperationException($"--replicas {options.Replicas}: give a number from 1 to 4.")
            : options;
    }
}
