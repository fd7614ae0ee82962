using System.Text;
using Microsoft.AspNetCore.Http.Features;

namespace MinimalMcp.Auth.Server;

/// <summary>
/// The parameters of a form body. Each may occur once, and an empty one counts as absent (RFC 6749 section 3.2).
/// </summary>
internal sealed class FormParameters
{
    private const int MaxBytes = 32 * 1024,
        MaxParameters = 30;

    private readonly Dictionary<string, string> _values;

    private FormParameters(Dictionary<string, string> values) => _values = values;

    public string? this[string name] => _values.GetValueOrDefault(name);

    public bool Has(string name) => _values.ContainsKey(name);

    public string Required(string name) => this[name] ?? throw Invalid($"{name} is missing.");

    public static async Task<FormParameters> ReadAsync(HttpContext http)
    {
        var type = http.Request.GetTypedHeaders().ContentType;
        if (
            type is null
            || !type.MediaType.Equals("application/x-www-form-urlencoded", StringComparison.OrdinalIgnoreCase)
            || (type.Encoding is { } encoding && encoding is not UTF8Encoding)
        )
        {
            throw Invalid("Send the parameters as application/x-www-form-urlencoded in UTF-8.");
        }

        // URLs are logged.
        if (http.Request.QueryString.HasValue)
        {
            throw Invalid("Send the parameters in the body, not in the URL.");
        }

        try
        {
            var limits = new FormOptions
            {
                KeyLengthLimit = 100,
                ValueLengthLimit = MaxBytes,
                ValueCountLimit = 100,
            };
            var form = await http.Request.ReadFormAsync(limits, http.RequestAborted);
            if (form.Count > MaxParameters)
            {
                throw Invalid($"The form has more than {MaxParameters} parameters.");
            }

            var values = new Dictionary<string, string>(StringComparer.Ordinal);
            foreach (var (name, value) in form)
            {
                if (value.Count != 1)
                {
                    throw Invalid("A parameter was sent twice.");
                }

                if (value[0] is { Length: > 0 } text)
                {
                    values[name] =
                        text.Contains('\0', StringComparison.Ordinal)
                        || text.Contains('\uFFFD', StringComparison.Ordinal)
                            ? throw Invalid("A parameter is not valid text.")
                            : text;
                }
            }

            return new(values);
        }
        catch (InvalidDataException)
        {
            throw new OAuthException(
                "invalid_request",
                $"The form is too large: it may have {MaxBytes} bytes.",
                StatusCodes.Status413PayloadTooLarge
            );
        }
    }

    private static OAuthException Invalid(string description) => new("invalid_request", description);
}
