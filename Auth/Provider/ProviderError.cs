using System.Text.RegularExpressions;
using MinimalMcp.Auth.Server;

namespace MinimalMcp.Auth.Provider;

/// <summary>
/// Explains a provider's error to the user and the operator. Its description is not shown: anybody could have written
/// it into the URL.
/// </summary>
internal static partial class ProviderError
{
    /// <param name="detail">Only for the log.</param>
    public static SignInException Of(string provider, string? error, string? description, string? detail = null)
    {
        var code =
            description is null ? null
            : EntraCode().Match(description) is { Success: true } found ? found.Value
            : null;
        var name = code ?? (error is not null && ErrorCode().IsMatch(error) ? error : "an error without a name");
        var message = $"{provider} could not sign you in ({name}). {Cure(code, error)}";
        return new(message) { Reason = detail is null ? message : $"{message} ({detail})" };
    }

    private static string Cure(string? code, string? error) =>
        (code, error) switch
        {
            ("AADSTS50105", _) =>
                "Your account is not assigned to the application. Ask its administrator to assign it in Entra "
                    + "(Enterprise applications, Users and groups).",
            ("AADSTS65001" or "AADSTS65004" or "AADSTS90094", _) or (_, "consent_required") =>
                "Consent for the application is missing. Accept it when you are asked, or ask an administrator to "
                    + "grant it.",
            ("AADSTS650053" or "AADSTS70011", _) or (_, "invalid_scope") =>
                "The provider does not know a requested scope. This server requests openid, profile and email; the "
                    + "application must be allowed to use them.",
            // Keycloak returns unauthorized_client for a wrong secret.
            ("AADSTS7000215" or "AADSTS7000222", _) or (_, "invalid_client" or "unauthorized_client") =>
                "The operator of this server must set OAUTH2_CLIENT_SECRET to a valid secret of the application.",
            ("AADSTS9010010", _) or (_, "invalid_target") => "The provider refused the requested resource.",
            (_, "access_denied") =>
                "You declined, or the provider does not admit you. Try again, or ask the application's "
                    + "administrator.",
            (_, "invalid_grant") => "The sign-in took too long or was already used. Start again.",
            (_, "login_required" or "interaction_required") => "Start again, and sign in at the provider.",
            (_, "temporarily_unavailable" or "server_error") => "Try again in a minute.",
            _ => "Start again. If the error persists, report the code in brackets to the operator of this server.",
        };

    [GeneratedRegex("^[a-z_]{1,40}$", RegexOptions.NonBacktracking)]
    private static partial Regex ErrorCode();

    [GeneratedRegex("AADSTS[0-9]{4,9}", RegexOptions.NonBacktracking)]
    private static partial Regex EntraCode();
}
