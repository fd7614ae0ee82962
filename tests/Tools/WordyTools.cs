using System.ComponentModel;
using Microsoft.Extensions.DependencyInjection;
using MinimalMcp.Tools;
using ModelContextProtocol.Server;

namespace MinimalMcp.Tests.Tools;

/// <summary>Tools whose words are longer than what a GPT Action takes.</summary>
public static class WordyTools
{
    private const string Sentence = "This sentence has exactly fifty letters and marks. ";
    private const string Five = Sentence + Sentence + Sentence + Sentence + Sentence;
    private const string Twenty = Five + Five + Five + Five;

    public static void AddTo(IServiceCollection services) => services.AddSingleton(new ToolType(typeof(WordyTools)));

    [McpServerTool(Title = Five + Five), Description(Twenty)]
    public static Wordy Wordy([Description(Twenty)] string text, Wordy? nested = null) => nested ?? new(text);
}

/// <summary>Contains itself, so its schema refers to itself.</summary>
public sealed record Wordy([property: Description(Wordy.Long)] string Text, Wordy? Inner = null)
{
    // One word, which cannot be cut at the end of a sentence.
    private const string Hundred =
        "a_word_of_fifty_letters_that_goes_on_and_on_and_on_a_word_of_fifty_letters_that_goes_on_and_on_and_on_";
    private const string Long = Hundred + Hundred + Hundred + Hundred + Hundred + Hundred + Hundred + Hundred;
}
