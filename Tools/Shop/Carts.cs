using System.Globalization;
using System.Security.Cryptography;
using System.Text.Json;
using System.Threading.RateLimiting;
using Microsoft.Extensions.Caching.Distributed;
using ModelContextProtocol;

namespace MinimalMcp.Tools.Shop;

/// <summary>
/// What the embedded shop knows of each caller: an entry of the host's cache. A change reads it and writes it back, so the changes of one caller
/// happen one after the other: within this process always, and across replicas when the host brings a limiter that they share. With a shared cache
/// and no such limiter the last of two replicas that change one cart in the same moment wins.
/// </summary>
internal sealed class Carts(TimeProvider time, IDistributedCache cache, PartitionedRateLimiter<string>? turns)
{
    private const int MaxLines = 100,
        MaxQuantity = 99,
        MaxPaymentMethods = 10;

    private static readonly DistributedCacheEntryOptions Kept = new() { SlidingExpiration = TimeSpan.FromDays(30) };

    // Callers whose names fall together wait for each other, for the time of a write.
    private readonly SemaphoreSlim[] _gates = [.. Enumerable.Range(0, 64).Select(_ => new SemaphoreSlim(1))];

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
                        $"quantity must be at least 1, and a cart holds at most {MaxQuantity} of one product; this one has {already}."
                    );
                }

                if (others.Count == MaxLines)
                {
                    throw new McpException(
                        $"The cart is full: it holds {MaxLines} different products. Check out first."
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
            // Whoever asks again because the answer was lost learns that it was ordered.
            throw new McpException(
                "The cart is empty. "
                    + (
                        shopper.LastOrder is { } last
                            ? string.Create(
                                CultureInfo.InvariantCulture,
                                $"The last order, {last.OrderId} with {last.Cart.TotalItems} items for {last.Cart.Total} {last.Cart.Currency}, was placed at {last.PlacedAt.UtcDateTime:yyyy-MM-dd HH:mm:ss} UTC. "
                            ) + "For another one, add something with add_to_cart first."
                            : "Add something with add_to_cart first."
                    )
            );
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
                        $"A customer can have {MaxPaymentMethods} payment methods, and these are there already."
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
        var gate = _gates[(uint)key.GetHashCode(StringComparison.Ordinal) % (uint)_gates.Length];
        await gate.WaitAsync(ct);
        try
        {
            using var turn = turns is null ? null : await turns.AcquireAsync(key, 1, ct);
            if (turn is { IsAcquired: false })
            {
                throw new McpException(
                    "Nothing was changed: another change of this cart is under way. Try again in a moment."
                );
            }

            var shopper = await FindAsync(key, ct);
            var result = change(shopper);
            await cache.SetAsync(key, JsonSerializer.SerializeToUtf8Bytes(shopper), Kept, ct);
            return result;
        }
        finally
        {
            gate.Release();
        }
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
