using MinimalMcp.ChatGpt;

// A class of its own: the tests know another program by the name that the compiler would give this one.
internal static class CheckChatGpt
{
    private static async Task<int> Main(string[] args)
    {
        if (Options.Parse(args) is { } options)
        {
            return await Checks.RunAsync(options, Console.Out) ? 0 : 1;
        }

        Console.Error.WriteLine(
            """
            Behaves like ChatGPT towards a server, and says what ChatGPT would trip over.

              scripts/check-chatgpt https://mcp.example.com/mcp [--key KEY] [--user NAME]
                                     [--client-id ID --client-secret SECRET [--action-redirect URL]]
                                    [--documents-port PORT]

            --key is what its sign-in page takes: the operator's key, or the user's password.
            """
        );
        return 2;
    }
}
