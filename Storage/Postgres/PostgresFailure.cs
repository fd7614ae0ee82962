using System.Net.Sockets;
using System.Security.Authentication;
using System.Security.Cryptography;
using Npgsql;

namespace MinimalMcp.Storage;

/// <summary>Why PostgreSQL cannot be used at the start, and how to fix it.</summary>
internal static class PostgresFailure
{
    private const string Cannot = "The database of Storage:ConnectionString cannot be used";

    /// <summary>A sentence; null for what is no failure of the database.</summary>
    public static string? Explain(Exception failure) =>
        failure switch
        {
            _ when IsOfTls(failure) =>
                $"{Cannot}: TLS failed ({Innermost(failure).Message.TrimEnd('.')}). Check 'SSL Mode' in the "
                    + "connection string, and that 'Root Certificate' names a file with the certificate of the "
                    + "server's CA; with "
                    + "SSL Mode=VerifyFull the certificate must be for the host that is named.",
            PostgresException { SqlState: PostgresErrorCodes.InvalidAuthorizationSpecification } refused
                when refused.MessageText.Contains("no encryption", StringComparison.Ordinal) =>
                $"{Cannot}: the server wants TLS ({refused.MessageText}). Add SSL Mode=VerifyFull and 'Root "
                    + "Certificate' "
                    + "to the connection string.",
            NpgsqlException or SocketException or TimeoutException =>
                $"{Cannot} ({failure.Message.TrimEnd('.')}). Check host, name, user and password.",
            _ => null,
        };

    /// <summary>Another attempt may succeed. What the settings have wrong stays wrong.</summary>
    public static bool MayPass(Exception failure) =>
        !IsOfTls(failure)
        && failure switch
        {
            PostgresException answered => answered.IsTransient,
            NpgsqlException or SocketException or TimeoutException => true,
            _ => false,
        };

    private static bool IsOfTls(Exception failure) =>
        failure is not PostgresException
        && (
            failure.Message.Contains("SSL", StringComparison.Ordinal)
            || Chain(failure)
                .Any(part =>
                    part
                        is AuthenticationException
                            or CryptographicException
                            or FileNotFoundException
                            or DirectoryNotFoundException
                            or UnauthorizedAccessException
                )
        );

    private static Exception Innermost(Exception failure) => Chain(failure).Last();

    private static IEnumerable<Exception> Chain(Exception? failure)
    {
        for (; failure is not null; failure = failure.InnerException)
        {
            yield return failure;
        }
    }
}
