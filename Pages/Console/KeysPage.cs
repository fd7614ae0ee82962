using System.Globalization;
using Microsoft.Extensions.Options;
using MinimalMcp.Auth;

namespace MinimalMcp.Pages.Console;

/// <summary>API keys: those of the configuration, and those that are created and revoked here.</summary>
internal static class KeysPage
{
    private static readonly string[] Columns =
    [
        "Name",
        "Scopes",
        "State",
        "Created",
        "Last used",
        "Expires",
        "Actions",
    ];

    public static async Task GetAsync(HttpContext http)
    {
        var services = http.RequestServices;
        var stored = services.GetRequiredService<StoredKeys>();
        var options = services.GetRequiredService<IOptions<AuthOptions>>().Value;
        var now = services.GetRequiredService<TimeProvider>().GetUtcNow();
        Key[] keys =
        [
            .. options.TakesKeys ? Configured(options) : [],
            .. (await stored.ListAsync(http.RequestAborted)).Select(key => new Key(key.Name, key.Scopes)
            {
                Id = key.Id,
                Created = Time(key.Created),
                LastUsed = Time(key.LastUsed),
                Expires = Time(key.Expires),
            }),
        ];
        await ConsolePage.WriteAsync(
            http,
            new(
                Html.Of(
                    $"""
                    <section id="keys" data-live="10000">
                      {ConsoleTable.Of(
                        "API keys",
                        Columns,
                        keys,
                        key => Row(key, now),
                        Html.Of($"<strong>No API keys</strong> <p>Create one for each program that calls.</p>"),
                        key => key.Id is { } id ? $"key-{id.ToString(CultureInfo.InvariantCulture)}" : "key-" + key.Name
                    )}
                    </section>
                    <section aria-labelledby="create-title">
                      <h2 id="create-title">Create an API key</h2>
                      {(stored.Problem is { } problem ? Html.Of($"""<p class="note">{problem}</p>""") : Form())}
                    </section>
                    """
                )
            )
            {
                Lead = Html.Of(
                    $"""
                    Keys of programs that call this server. A key is shown once, when it is created; only its hash is
                    stored. A revoked key ends at once here, and within seconds on other replicas.
                    """
                ),
                Files = ["keys.js"],
            }
        );
    }

    private static IEnumerable<Key> Configured(AuthOptions options) =>
        options
            .ApiKeys.Select(key => new Key(key.Key, key.Value.Scopes))
            .Concat(options.ApiKey is { Length: > 0 } ? [new Key("default", Scopes.All)] : []);

    private static Html[] Row(Key key, DateTimeOffset now) =>
        [
            Html.Of(
                $"""
                <strong>{key.Name}</strong>
                {Html.When(key.Id is null, () => Html.Of($"""<span class="more">from the configuration</span>"""))}
                """
            ),
            Html.Of($"{Html.Each(Scopes.Split(key.Scopes), scope => Html.Of($"<code>{scope}</code> "))}"),
            key.Expires <= now ? ConsoleTable.State("bad", "Expired") : ConsoleTable.State("good", "Active"),
            ConsoleTable.Time(key.Created),
            key.Id is null ? Html.Of($"""<span class="quiet">–</span>""")
            : key.LastUsed is null ? Html.Of($"""<span class="quiet">never</span>""")
            : ConsoleTable.Time(key.LastUsed),
            key.Id is not null && key.Expires is null
                ? Html.Of($"""<span class="quiet">never</span>""")
                : ConsoleTable.Time(key.Expires),
            Html.When(key.Id is not null, () => Html.Of(
                    $"""
                    <button type="button" class="harmful" data-path="api/v1/keys/{key.Id}" data-method="DELETE"
                      data-title="Revoke {key.Name}?" data-done="The key {key.Name} was revoked."
                      data-confirm="Programs that use it are refused at once. Its sessions, streams and grants end."
                      aria-label="Revoke {key.Name}">Revoke</button>
                    """
                )),
        ];

    private static Html Form() =>
        Html.Of(
            $"""
            <form class="fields card" id="create">
              <div class="row">
                <div class="field"><label for="name">Name</label>
                  <input id="name" name="name" required maxlength="64" pattern="[A-Za-z0-9][A-Za-z0-9._@\-]*"
                    autocapitalize="none" spellcheck="false" autocomplete="off" aria-describedby="name-hint">
                  <p class="hint" id="name-hint">Logs, limits and the audit log call the caller by it.</p></div>
                <div class="field"><label for="expires">Expires</label>
                  <select id="expires" name="expires"><option value="7">in 7 days</option>
                    <option value="30">in 30 days</option><option value="90" selected>in 90 days</option>
                    <option value="365">in a year</option><option value="">never</option></select></div>
              </div>
              <fieldset class="options"><legend>Scopes</legend>
                {Html.Each(Scopes.Split(Scopes.All), scope => Html.Of(
                $"""
                <label><input type="checkbox" name="permissions" value="{scope}"{Html.When(
                    scope == Scopes.Read,
                    () => Html.Of($" checked")
                )}> <span><code>{scope}</code> {Scopes.Meanings[scope]}</span></label>
                """
            ))}
                <p class="hint">A higher scope includes the lower ones.</p>
              </fieldset>
              <p class="wrong" role="alert"></p>
              <div class="buttons"><button>Create the key</button></div>
            </form>
            <noscript><p class="note">This page needs JavaScript.</p></noscript>
            <dialog id="created" aria-labelledby="created-title">
              <form method="dialog">
                <h2 id="created-title">Copy the key now</h2>
                <p>It is shown only this time. Keep it where secrets are kept.</p>
                <div class="address"><code id="key"></code>
                  <button type="button" hidden data-copy="" data-what="the key" aria-label="Copy: API key">Copy</button>
                </div>
                <div class="buttons"><button>Done</button></div>
              </form>
            </dialog>
            """
        );

    private static DateTimeOffset? Time(long? milliseconds) =>
        milliseconds is { } time ? DateTimeOffset.FromUnixTimeMilliseconds(time) : null;

    private sealed record Key(string Name, string Scopes)
    {
        public long? Id { get; init; }

        public DateTimeOffset? Created { get; init; }

        public DateTimeOffset? LastUsed { get; init; }

        public DateTimeOffset? Expires { get; init; }
    }
}
