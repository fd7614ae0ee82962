namespace MinimalMcp.Load;

internal sealed class Options
{
    /// <summary>The built server that is started and measured.</summary>
    public string Server { get; init; } = "bin/Release/net10.0/MinimalMcp.dll";
    /// <summary>Measures the calls of a server that already runs, instead of starting one.</summary>
    public Uri? Url { get; init; }
    /// <summary>The process behind <see cref="Url"/>, for its CPU and memory.</summary>
    public int? Pid { get; init; }
    public string Tool { get; init; } = "search_products";
    public string Arguments { get; init; } = """{"query":"milk","limit":5}""";
    public int Connections { get; init; } = 32;
    public int Rounds { get; init; } = 3;
    public double Seconds { get; init; } = 6;
    public double WarmUp { get; init; } = 10;
    public int Spawns { get; init; } = 11;
    public int Streams { get; init; } = 10_000;
    public string? Markdown { get; init; }
    public bool Assert { get; init; }
    /// <summary>Measures what governance costs, instead of the server against bare Kestrel.</summary>
    public bool Governed { get; init; }
    /// <summary>Measures what the check of a token costs.</summary>
    public bool Tokens { get; init; }
    public string WriteTool { get; init; } = "add_payment_method";
    public string WriteArguments { get; init; } = """{"type":"paypal"}""";

    public static Options Parse(string[] args)
    {
        var settings = new ConfigurationBuilder().AddCommandLine([.. args.Select(a => a is "--assert" or "--governed" or "--tokens" ? a + "=true" : a)]).Build();
        return settings.Get<Options>(binder => binder.ErrorOnUnknownConfiguration = true) ?? new Options();
    }
}
