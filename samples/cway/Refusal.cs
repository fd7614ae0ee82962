using GraphQL;

namespace CwaySample;

/// <summary>What a root field answers instead of data: null, and an entry among the errors.</summary>
public sealed class Refusal : ExecutionError
{
    public Refusal(string message, string classification = "DataFetchingException")
        : base(message) => Classification = classification;

    public string Classification { get; }
}
