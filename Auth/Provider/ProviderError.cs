using System.Text.RegularExpressions;
using MinimalMcp.Auth.Server;

namespace MinimalMcp.Auth.Provider;

/// <summary>
/// What a provider's error means, for the person and for the operator. Its own words are not shown: through the browser
/// anybody may have written them.
/// </summary>
internal static partial class ProviderError
{
    /// <param name="detail">For the log only.</param>
    public static SignInException Of(string provider, string? error, string? description, string? detail = null)
    {
        var code =
            description is null ? null
            : EntraCode().Match(description) is { Success: true } found ? found.Value
            : null;
        var name = code ?? (error is not null && ErrorCode().IsMatch(error) ? error : "an error without a name");
        var message = $"{provider} did not sign you in ({name}). {Cure(code, error)}";
        return new(message) { Reason = detail is null ? message : $"{message} ({detail})" };
    }

    private static string Cure(string? code, string? error) =>
        (code, error) switch
        {
            ("AADSTS50105", _) =>
                "Your account is not assigned to the application: ask whoever looks after it in Entra (Enterprise "
                    + "applications, Users and groups).",
            ("AADSTS65001" or "AADSTS65004" or "AADSTS90094", _) or (_, "consent_required") =>
                "The application was not agreed to: agree when you are asked, or ask an administrator to grant "
                    + "consent for it.",
            ("AADSTS650053" or "AADSTS70011", _) or (_, "invalid_scope") =>
                "The provider does not know a scope that was asked for: this server asks for openid, profile and "
                    + "email, which the application must be allowed.",
            // Keycloak says unauthorized_client of a wrong secret.
            ("AADSTS7000215" or "AADSTS7000222", _) or (_, "invalid_client" or "unauthorized_client") =>
                "This server's operator has to put a valid secret of the application into OAUTH2_CLIENT_SECRET.",
            ("AADSTS9010010", _) or (_, "invalid_target") => "The provider refused the resource that was asked for.",
            (_, "access_denied") =>
                "You said no, or the provider does not let you in. Try again, or ask who looks after it.",
            (_, "invalid_grant") => "The sign-in took too long or was used twice. Start again.",
            (_, "login_required" or "interaction_required") => "Start again, and sign in at the provider.",
            (_, "temporarily_unavailable" or "server_error") => "Try again in a minute.",
            _ => "Start again; if it goes on, tell this server's operator what stands in brackets.",
        };

    [GeneratedRegex("^[a-z_]{1,40}$", RegexOptions.NonBacktracking)]
    private static partial Regex ErrorCode();

    [GeneratedRegex("AADSTS[0-9]{4,9}", RegexOptions.NonBacktracking)]
    private static partial Regex EntraCode();
}
