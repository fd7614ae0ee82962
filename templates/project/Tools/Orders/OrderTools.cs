using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using ModelContextProtocol;
using ModelContextProtocol.Server;

namespace AcmeOps.Tools.Orders;

/// <summary>What a model can do with orders. It reads nothing but the names and descriptions.</summary>
[McpServerToolType]
public sealed class OrderTools
{
    // Sample data: replace it with your system. Services of Program.cs come in through the constructor.
    private static readonly Order[] Orders =
    [
        new("A-1", "Ada", "shipped", 19.90m),
        new("A-2", "Ada", "packed", 5.50m),
        new("B-1", "Bob", "shipped", 42.00m),
    ];

    // ReadOnly: the call changes nothing, so clients make it without asking the user.
    [McpServerTool(Name = "find_orders", ReadOnly = true, OpenWorld = false, UseStructuredContent = true)]
    [Description(
        "Finds the orders of a customer. Returns number, status and total. Use get_order when you have a number."
    )]
    public FoundOrders FindOrders(
        [Description("Name of the customer, for example Ada."), StringLength(100, MinimumLength = 1)] string customer
    ) => new([.. Orders.Where(order => order.Customer.Equals(customer, StringComparison.OrdinalIgnoreCase))]);

    [McpServerTool(Name = "get_order", ReadOnly = true, OpenWorld = false, UseStructuredContent = true)]
    [Description("Returns one order by its number. Use find_orders when you have only the customer's name.")]
    public Order GetOrder([Description("Number of the order, for example A-1.")] string number) =>
        // The message of an McpException is for the model: say what is wrong, and what to do.
        Orders.FirstOrDefault(order => order.Number == number)
        ?? throw new McpException($"There is no order '{number}'. Use find_orders to find its number.");
}

public sealed record FoundOrders(IReadOnlyList<Order> Orders);

public sealed record Order(string Number, string Customer, string Status, decimal Total);
