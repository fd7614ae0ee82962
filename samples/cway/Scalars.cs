using System.Globalization;
using GraphQL.Types;

namespace CwaySample;

/// <summary>A date and time of UTC without saying so.</summary>
internal sealed class LocalDateTimeGraphType : ScalarGraphType
{
    public LocalDateTimeGraphType() => Name = "LocalDateTime";

    public override object? ParseValue(object? value) =>
        value switch
        {
            null => null,
            string text => DateTime.ParseExact(text, "s", CultureInfo.InvariantCulture),
            _ => ThrowValueConversionError(value),
        };

    public override object? Serialize(object? value) =>
        value switch
        {
            null => null,
            DateTime time => time.ToString("yyyy-MM-dd'T'HH:mm:ss.FFF", CultureInfo.InvariantCulture),
            _ => ThrowSerializationError(value),
        };
}
