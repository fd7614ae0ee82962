using System.Collections.Frozen;
using System.Globalization;
using System.Net;
using System.Security.Cryptography;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization;
using System.Threading.RateLimiting;
using Microsoft.Extensions.Caching.Distributed;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using Microsoft.Extensions.Options;
using ModelContextProtocol;

namespace MinimalMcp.Tools.Shop;

/// <summary>The shop behind the tools: the embedded one, or the agents at Shop:Url when that is set.</summary>
internal sealed class ShopClient(
    IOptions<ShopOptions> options,
    IHttpClientFactory http,
    TimeProvider time,
    IDistributedCache cache,
    PartitionedRateLimiter<string> turns,
    IHttpContextAccessor? accessor = null
) : IHealthCheck
{
    private static readonly JsonSerializerOptions Json = new(JsonSerializerDefaults.Web)
    {
        DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping, // not every reader unescapes
    };
    private static readonly string[] CallerHeaders = ["Authorization", "X-User-Token"];

    private readonly ShopOptions _options = options.Value;
    private readonly Catalogue? _embedded = string.IsNullOrEmpty(options.Value.Url) ? Catalogue.Load() : null;
    private readonly Carts _carts = new(time, cache, turns);

    /// <summary>
    /// Link to a product. The embedded shop has no pages: it is in the resource that lists all products.
    /// </summary>
    public string PageOf(string productCode) =>
        (_embedded is null ? _options.Url!.TrimEnd('/') + "/" : "shop://catalog")
        + $"?product={Uri.EscapeDataString(productCode)}";

    public async ValueTask<SearchResult> SearchAsync(string query, string? category, int limit, CancellationToken ct) =>
        _embedded is not null
            ? _embedded.Search(query, category, limit)
            : new()
            {
                Answer = await AskAsync(
                    "catalog",
                    new
                    {
                        action = "search",
                        query,
                        category,
                        limit,
                    },
                    changes: false,
                    ct
                ),
            };

    public async ValueTask<CartResult> AddAsync(
        string caller,
        string productCode,
        int quantity,
        CancellationToken ct
    ) =>
        _embedded is not null
            ? await _carts.AddAsync(caller, _embedded.InStock(productCode), quantity, ct)
            : new()
            {
                Answer = await AskAsync(
                    "cart",
                    new
                    {
                        action = "add",
                        productCode,
                        quantity,
                    },
                    changes: true,
                    ct
                ),
            };

    public async ValueTask<CartResult> ViewAsync(string caller, CancellationToken ct) =>
        _embedded is not null
            ? await _carts.ViewAsync(caller, ct)
            : new() { Answer = await AskAsync("cart", new { action = "view" }, changes: false, ct) };

    public async ValueTask<OrderResult> CheckoutAsync(
        string caller,
        string? cartSummary,
        bool dryRun,
        CancellationToken ct
    ) =>
        (_embedded, dryRun) switch
        {
            (not null, true) => await _carts.WouldOrderAsync(caller, ct),
            (not null, false) => await _carts.CheckoutAsync(caller, cartSummary, ct),
            // The agent has no dry run: what is in the cart is what it would order.
            (null, true) => new() { Answer = await AskAsync("cart", new { action = "view" }, changes: false, ct) },
            (null, false) => new()
            {
                Answer = await AskAsync("cart", new { action = "checkout", cartSummary }, changes: true, ct),
            },
        };

    public async ValueTask<PaymentMethodResult> AddPaymentAsync(
        string caller,
        PaymentType type,
        CancellationToken ct
    ) =>
        _embedded is not null
            ? await _carts.AddPaymentAsync(caller, type, ct)
            : new() { Answer = await AskAsync("payment", new { action = "add", type }, changes: true, ct) };

    public async ValueTask<DealsResult> DealsAsync(string? category, CancellationToken ct) =>
        _embedded is not null
            ? _embedded.Deals(category)
            : new() { Answer = await AskAsync("deals", new { action = "get", category }, changes: false, ct) };

    /// <summary>The code under which the catalogue has a product.</summary>
    public string CodeOf(string code) => _embedded?.Aliases.GetValueOrDefault(code) ?? code;

    public async ValueTask<string> CatalogAsync(CancellationToken ct) =>
        _embedded is not null
            ? JsonSerializer.Serialize(_embedded, Json)
            : (await SendAsync(HttpMethod.Get, "api/catalog?limit=100", null, changes: false, ct)).GetRawText();

    /// <summary>Whether the shop's server answers, and whether it accepts us.</summary>
    public async Task<HealthCheckResult> CheckHealthAsync(
        HealthCheckContext context,
        CancellationToken cancellationToken = default
    )
    {
        try
        {
            await SendAsync(HttpMethod.Get, "api/catalog?limit=1", null, changes: false, cancellationToken);
            return HealthCheckResult.Healthy(data: new Dictionary<string, object> { ["authorised"] = true });
        }
        catch (HttpRequestException e)
        {
            var reached = e.StatusCode is HttpStatusCode.Unauthorized or HttpStatusCode.Forbidden;
            return new(
                reached ? HealthStatus.Degraded : HealthStatus.Unhealthy,
                e.Message,
                data: reached ? new Dictionary<string, object> { ["authorised"] = false } : null
            );
        }
    }

    private async Task<string> AskAsync(string agent, object question, bool changes, CancellationToken ct)
    {
        var reply = await SendAsync(HttpMethod.Post, $"api/mcp/agents/{agent}", question, changes, ct);
        var answer = AnswerIn(reply) ?? (Member(reply, "messages") is null ? reply.GetRawText() : "");

        // When its agent is down, the server says nothing, or apologises in these words, with status 200.
        return
            answer.Length == 0
            || answer.Contains($"trouble connecting to the {agent} service", StringComparison.OrdinalIgnoreCase)
            ? throw new HttpRequestException(
                $"The shop's {agent} agent gave no answer.{Doubt(changes)}",
                null,
                HttpStatusCode.ServiceUnavailable
            )
            : answer;
    }

    private async Task<JsonElement> SendAsync(
        HttpMethod method,
        string path,
        object? body,
        bool changes,
        CancellationToken ct
    )
    {
        using var request = new HttpRequestMessage(method, $"{_options.Url!.TrimEnd('/')}/{path}");
        request.Content = body is null ? null : JsonContent.Create(body, options: Json);
        AddCredentials(request);
        try
        {
            using var response = await http.CreateClient(nameof(ShopClient)).SendAsync(request, ct);
            var bytes = await response.Content.ReadAsByteArrayAsync(ct);
            return Read(request, response.StatusCode, bytes, changes);
        }
        catch (HttpRequestException e) when (NeverArrived(e))
        {
            throw new HttpRequestException(
                "The shop cannot be reached; nothing was sent. Check Shop:Url.",
                e,
                HttpStatusCode.BadGateway
            );
        }
        catch (HttpRequestException e) when (e.StatusCode is null)
        {
            throw new HttpRequestException(
                $"The shop's reply broke off.{Doubt(changes)}",
                e,
                HttpStatusCode.BadGateway
            );
        }
        catch (OperationCanceledException e) when (!ct.IsCancellationRequested)
        {
            throw new HttpRequestException(
                $"The shop did not reply in time.{Doubt(changes)}",
                e,
                HttpStatusCode.GatewayTimeout
            );
        }
    }

    private static bool NeverArrived(HttpRequestException e) =>
        e.HttpRequestError
            is HttpRequestError.ConnectionError
                or HttpRequestError.NameResolutionError
                or HttpRequestError.SecureConnectionError;

    private static string Doubt(bool changes) =>
        changes ? " The change may have been made all the same: look with view_cart before trying again." : "";

    private void AddCredentials(HttpRequestMessage request)
    {
        if (!string.IsNullOrEmpty(_options.ApiKey))
        {
            request.Headers.TryAddWithoutValidation("X-MCP-API-Key", _options.ApiKey);
        }

        if (_options.ForwardAuthorization && accessor?.HttpContext is { } call)
        {
            foreach (var name in CallerHeaders)
            {
                request.Headers.TryAddWithoutValidation(name, call.Request.Headers[name].AsEnumerable());
            }
        }
    }

    private static JsonElement Read(HttpRequestMessage request, HttpStatusCode status, byte[] body, bool changes)
    {
        var reply = Parse(body);
        var error = ErrorIn(reply);
        var succeeded = (int)status is >= 200 and < 300;
        if (succeeded && reply is { } answer && error is null)
        {
            return answer;
        }

        var what =
            !succeeded ? $"The shop answered {(int)status}"
            : reply is null ? "The shop sent something that is not JSON"
            : "The shop reported a failure";
        var said = Excerpt(reply is null ? Encoding.UTF8.GetString(body) : error ?? "", request);
        var hint = (int)status switch
        {
            401 or 403 => " Check Shop:ApiKey and Shop:ForwardAuthorization.",
            < 300 when reply is null => " Check Shop:Url." + Doubt(changes),
            < 500 => "",
            _ => Doubt(changes),
        };
        throw new HttpRequestException(
            $"{what}{(said.Length > 0 ? ": " : "")}{said}.{hint}",
            null,
            succeeded ? HttpStatusCode.BadGateway : status
        );
    }

    private static JsonElement? Parse(byte[] body)
    {
        try
        {
            return JsonElement.Parse(body);
        }
        catch (JsonException)
        {
            return null;
        }
    }

    private static string? ErrorIn(JsonElement? reply) =>
        Member(reply, "error") is { ValueKind: not (JsonValueKind.Null or JsonValueKind.False) } error
            ? Text(Member(reply, "message")) ?? Text(Member(error, "message")) ?? Text(error) ?? "no reason given"
        : Member(reply, "success") is { ValueKind: JsonValueKind.False }
            ? Text(Member(reply, "message")) ?? "no reason given"
        : null;

    // LangChain messages come serialised (kwargs.content) or plain (content). Some replies have the text beside the
    // messages.
    private static string? AnswerIn(JsonElement reply)
    {
        var last =
            Member(reply, "messages") is { ValueKind: JsonValueKind.Array } messages && messages.GetArrayLength() > 0
                ? messages[messages.GetArrayLength() - 1]
                : default;
        return Text(Member(Member(last, "kwargs"), "content"))
            ?? Text(Member(last, "content"))
            ?? Text(Member(reply, "content"));
    }

    private static JsonElement? Member(JsonElement? parent, string name) =>
        parent is { ValueKind: JsonValueKind.Object } value && value.TryGetProperty(name, out var member)
            ? member
            : null;

    private static string? Text(JsonElement? value)
    {
        var text = value switch
        {
            { ValueKind: JsonValueKind.String } one => one.GetString(),
            { ValueKind: JsonValueKind.Array } parts => string.Concat(
                parts.EnumerateArray().Select(part => Text(Member(part, "text")))
            ),
            _ => null,
        };
        return string.IsNullOrWhiteSpace(text) ? null : text;
    }

    // A server may echo what it was sent, so the secrets of this request are taken out first.
    private static string Excerpt(string text, HttpRequestMessage request)
    {
        var sent = request
            .Headers.SelectMany(header => header.Value)
            .Select(value => value[(value.IndexOf(' ') + 1)..]);
        foreach (var secret in sent.Where(secret => secret.Length > 0))
        {
            text = text.Replace(secret, "[REDACTED]", StringComparison.Ordinal);
        }

        var plain = string.Concat(text.Where(c => !char.IsControl(c)));
        return plain.Length > 200 ? plain[..200] + "…" : plain;
    }
}

/// <summary>
/// What the embedded shop knows of each caller: an entry of the host's cache. A change reads it and writes it back, so
/// the changes of one caller take turns: within this process always, and across replicas when the host brings a limiter
/// that they share. With a shared cache and no such limiter the last of two replicas that change one cart in the same
/// moment wins.
/// </summary>
internal sealed class Carts(TimeProvider time, IDistributedCache cache, PartitionedRateLimiter<string> turns)
{
    private const int MaxLines = 100,
        MaxQuantity = 99,
        MaxPaymentMethods = 10;

    private static readonly DistributedCacheEntryOptions Kept = new() { SlidingExpiration = TimeSpan.FromDays(30) };

    public Task<CartResult> AddAsync(string caller, Product product, int quantity, CancellationToken ct) =>
        ChangeAsync(
            caller,
            shopper =>
            {
                var others = shopper.Lines.Where(line => line.ProductCode != product.ProductCode).ToList();
                var already = shopper.Lines.FirstOrDefault(line => line.ProductCode == product.ProductCode)?.Quantity
                    ?? 0;
                if (quantity < 1 || quantity > MaxQuantity - already)
                {
                    throw new McpException(
                        $"A cart holds at most {MaxQuantity} of one product, and this one has {already} already."
                            + $" quantity must be between 1 and {MaxQuantity - already}."
                    );
                }

                if (others.Count == MaxLines)
                {
                    throw new McpException(
                        $"The cart is full: it holds {MaxLines} different products. Order them with checkout first."
                    );
                }

                var price = product.Deal?.Price ?? product.Price;
                var total = already + quantity;
                shopper.Lines = [.. others, new(product.ProductCode, product.Name, total, price, total * price)];
                return new CartResult(CartOf(shopper));
            },
            ct
        );

    public async Task<CartResult> ViewAsync(string caller, CancellationToken ct) =>
        new(CartOf(await FindAsync(Key(caller), ct)));

    public Task<OrderResult> CheckoutAsync(string caller, string? note, CancellationToken ct) =>
        ChangeAsync(
            caller,
            shopper =>
            {
                RequireLines(shopper);
                var payment = shopper.Payments is [var first, ..]
                    ? first.Label
                    : "On delivery, because there is no payment method";
                var order = new Order(NewId("order"), time.GetUtcNow(), payment, CartOf(shopper), note);
                (shopper.Lines, shopper.LastOrder) = ([], order);
                return new OrderResult(order);
            },
            ct
        );

    public async Task<OrderResult> WouldOrderAsync(string caller, CancellationToken ct)
    {
        var shopper = await FindAsync(Key(caller), ct);
        RequireLines(shopper);
        return new OrderResult(WouldOrder: CartOf(shopper));
    }

    private static void RequireLines(Shopper shopper)
    {
        if (shopper.Lines.Count == 0)
        {
            // A caller that asks again because the answer was lost learns that it was ordered.
            var ordered = shopper.LastOrder is { } last
                ? string.Create(
                    CultureInfo.InvariantCulture,
                    $"The last order, {last.OrderId} with {last.Cart.TotalItems} items for {last.Cart.Total} "
                        + $"{last.Cart.Currency}, was placed at {last.PlacedAt.UtcDateTime:yyyy-MM-dd HH:mm:ss} UTC. "
                ) + "For another one, add a product with add_to_cart first."
                : "Add a product with add_to_cart first.";
            throw new McpException($"The cart is empty. {ordered}");
        }
    }

    public Task<PaymentMethodResult> AddPaymentAsync(string caller, PaymentType type, CancellationToken ct) =>
        ChangeAsync(
            caller,
            shopper =>
            {
                var label = type switch
                {
                    PaymentType.CreditCard => "Sandbox credit card •••• 4242",
                    PaymentType.DebitCard => "Sandbox debit card •••• 5556",
                    PaymentType.BankAccount => "Sandbox bank account •••• 6789",
                    _ => "Sandbox PayPal c••••@example.com",
                };
                if (shopper.Payments.Count == MaxPaymentMethods)
                {
                    throw new McpException(
                        $"A customer can have {MaxPaymentMethods} payment methods, and this one has them already."
                    );
                }

                shopper.Payments =
                [
                    .. shopper.Payments,
                    new(NewId("pm"), type, label, IsDefault: shopper.Payments.Count == 0),
                ];
                return new PaymentMethodResult(shopper.Payments[^1]);
            },
            ct
        );

    private async Task<T> ChangeAsync<T>(string caller, Func<Shopper, T> change, CancellationToken ct)
    {
        var key = Key(caller);
        using var turn = await turns.AcquireAsync(key, 1, ct);
        if (!turn.IsAcquired)
        {
            throw new McpException(
                "Other changes of this cart are in progress, and nothing was changed. Try again in a few seconds."
            );
        }

        var shopper = await FindAsync(key, ct);
        var result = change(shopper);
        await cache.SetAsync(key, JsonSerializer.SerializeToUtf8Bytes(shopper), Kept, ct);
        return result;
    }

    private async Task<Shopper> FindAsync(string key, CancellationToken ct) =>
        await cache.GetAsync(key, ct) is { } kept ? JsonSerializer.Deserialize<Shopper>(kept)! : new();

    private static Cart CartOf(Shopper shopper) =>
        new(shopper.Lines, shopper.Lines.Sum(line => line.Quantity), shopper.Lines.Sum(line => line.LineTotal));

    private static string Key(string caller) => "shop/" + caller;

    private static string NewId(string kind) => $"{kind}_{RandomNumberGenerator.GetHexString(24, lowercase: true)}";

    private sealed class Shopper
    {
        public IReadOnlyList<CartLine> Lines { get; set; } = [];

        public IReadOnlyList<PaymentMethod> Payments { get; set; } = [];

        public Order? LastOrder { get; set; }
    }
}
