using System.Net;
using System.Security.Cryptography;

namespace MinimalMcp.ChatGpt;

/// <summary>ChatGPT's preferred way: its client is an address, and the document there says the rest.</summary>
internal static class DocumentChecks
{
    public static async Task RunAsync(Checklist checks, Target target, Options options)
    {
        checks.Group("A client that is a document");
        if (options.DocumentsPort == 0)
        {
            checks.LeaveOut(
                "client documents",
                "--documents-port is for a server on this machine that may read them from loopback"
            );
            return;
        }

        await using var documents = await ClientDocuments.StartAsync(options.DocumentsPort);
        using var person = new Person(options);
        var signing = new Client(target, documents.Stable, Client.StableRedirect) { Key = documents.Key };
        Tokens? tokens = null;
        await checks.CheckAsync("the page names the document's address, its name and the redirect's host", async () =>
        {
            var page = (await person.OpenAsync(signing.Authorize().Url)).Requires(HttpStatusCode.OK).Body;
            Must.Be(
                page.Contains(documents.Stable, StringComparison.Ordinal)
                    && page.Contains("chatgpt.com", StringComparison.Ordinal),
                "one is missing"
            );
        });
        await checks.CheckAsync("the stable client connects and signs with its key", async () =>
            tokens = await signing.ConnectAsync(person)
        );
        await checks.CheckAsync("... its token opens the server", async () =>
            (await target.InitializeAsync(tokens!.Access)).Requires(HttpStatusCode.OK)
        );
        await checks.CheckAsync("... and is refreshed", async () =>
            Tokens.From(await signing.RefreshAsync(tokens!.Refresh!))
        );
        await checks.CheckAsync("a client for one connection connects with no key at all", async () =>
            await new Client(target, documents.PerCallback, Client.CallbackRedirect).ConnectAsync(person)
        );
        await checks.CheckAsync("a document that calls itself something else is refused on the page", async () =>
            await NobodyAsync(
                person,
                new Client(target, documents.Origin + "/oauth/lies/client.json", Client.StableRedirect)
            )
        );
        await checks.CheckAsync("a document that is not there is refused on the page", async () =>
            await NobodyAsync(
                person,
                new Client(target, documents.Origin + "/oauth/nobody/client.json", Client.StableRedirect)
            )
        );
        await checks.CheckAsync("a redirect that the document does not have is refused on the page", async () =>
            await NobodyAsync(person, new Client(target, documents.Stable, Client.CallbackRedirect))
        );

        foreach (
            var (name, change) in ((string, Action<ClientKey>)[])
                [
                    ("an assertion for another audience", key => key.Changes["aud"] = "https://other.example/token"),
                    ("an assertion of another client", key => key.Changes["sub"] = "somebody"),
                    ("an assertion that has ended", key =>
                        key.Changes["exp"] = DateTimeOffset.UtcNow.AddMinutes(-10).ToUnixTimeSeconds()
                    ),
                    ("an assertion signed with another key", key => key.Foreign = RSA.Create(2048)),
                ]
        )
        {
            await checks.CheckAsync($"{name} is invalid_client", async () =>
            {
                change(documents.Key);
                try
                {
                    Must.Equal(
                        "invalid_client",
                        ConnectionChecks.Error(await signing.RefreshAsync(tokens!.Refresh!)),
                        "error"
                    );
                }
                finally
                {
                    documents.Key.Changes.Clear();
                    documents.Key.Foreign?.Dispose();
                    documents.Key.Foreign = null;
                }
            });
        }

        await checks.CheckAsync("an assertion used twice is invalid_client", async () =>
        {
            documents.Key.Changes["jti"] = Guid.NewGuid().ToString();
            var fresh = await signing.ConnectAsync(person);
            Must.Equal("invalid_client", ConnectionChecks.Error(await signing.RefreshAsync(fresh.Refresh!)), "error");
            documents.Key.Changes.Clear();
        });
    }

    private static async Task NobodyAsync(Person person, Client client)
    {
        var page = await person.OpenAsync(client.Authorize().Url);
        Must.Be((int)page.Status >= 400 && page.Headers.Location is null, $"the answer is {(int)page.Status}");
    }
}
