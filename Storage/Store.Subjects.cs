using System.Data.Common;
using System.Security.Cryptography;
using System.Text;
using Dapper;

namespace MinimalMcp.Storage;

/// <summary>Renames callers after a change of the naming scheme.</summary>
internal interface ISubjectMigration
{
    /// <summary>The current name of a caller; the same name when it did not change.</summary>
    string Now(string subject);

    /// <summary>
    /// The name of the person of the identity provider who had this one; the same one when there is none.
    /// </summary>
    string AtProvider(string subject);

    /// <summary>What binds an approval to its call under another subject; null when it cannot be known.</summary>
    string? Bind(StoredApproval approval, string subject);
}

/// <summary>The owner of a row.</summary>
internal sealed partial class Store
{
    internal const string Subjects = "subjects";

    /// <summary>
    /// Renames the callers of carts, budgets, approvals and grants. Runs once per store, and not for stores of this
    /// version. The audit log is not changed: its hash chain contains the old names.
    /// </summary>
    private Task<int> RenameSubjectsAsync(ISubjectMigration names, CancellationToken cancellationToken) =>
        _database.WriteAsync(
            async connection =>
            {
                await HoldAsync(connection);
                const string Mark =
                    "insert into meta (name, value) values (@Subjects, '3') on conflict (name) do nothing";
                if (await connection.ExecuteAsync(Mark, new { Subjects }) == 0)
                {
                    return 0; // another replica did it
                }

                const string All =
                    "select subject from audit union select subject from approvals "
                    + "union select subject from oauth_grants";
                var subjects = (await connection.QueryAsync<string>(All)).ToHashSet();
                foreach (var budget in (await connection.QueryAsync<string>("select name from budgets")).AsList())
                {
                    // level/HIGH/subject. A name that stood for two callers goes on for both, so that nobody has more
                    // than before.
                    if (budget.Split('/', 3) is [var kind, var of, var subject])
                    {
                        subjects.Add(subject);
                        var keep = names.Now(subject) == subject;
                        await MoveBudgetAsync(connection, budget, $"{kind}/{of}/{names.AtProvider(subject)}", keep);
                    }
                }

                foreach (
                    var approval in (await connection.QueryAsync<StoredApproval>("select * from approvals")).AsList()
                )
                {
                    var subject = names.Now(approval.Subject);
                    if (subject != approval.Subject)
                    {
                        var binding = names.Bind(approval, subject);
                        await connection.ExecuteAsync(
                            binding is null
                                ? "delete from approvals where id = @Id"
                                : "update approvals set subject = @subject, binding = @binding where id = @Id",
                            new
                            {
                                approval.Id,
                                subject,
                                binding,
                            }
                        );
                    }
                }

                // Who has no credential here signed in at the identity provider, whoever else had the name.
                var theirs = await connection.QueryAsync<(string Id, string Subject)>(
                    "select grant_id, subject from oauth_grants where credential is null"
                );
                foreach (var (id, subject) in theirs.AsList())
                {
                    await connection.ExecuteAsync(
                        "update oauth_grants set subject = @name where grant_id = @id",
                        new { id, name = names.AtProvider(subject) }
                    );
                }

                foreach (var subject in subjects.Where(subject => names.Now(subject) != subject))
                {
                    await connection.ExecuteAsync(
                        """
                        update cache set name = @now
                        where name = @before and not exists (select 1 from cache other where other.name = @now)
                        """,
                        new { before = CartOf(subject), now = CartOf(names.Now(subject)) }
                    );
                }

                return 1;
            },
            cancellationToken
        );

    private static async Task MoveBudgetAsync(DbConnection connection, string before, string now, bool keep)
    {
        if (now == before)
        {
            return;
        }

        await connection.ExecuteAsync(
            """
            insert into budgets (name, touched) select @now, touched from budgets where name = @before
            on conflict (name) do nothing
            """,
            new { before, now }
        );
        await connection.ExecuteAsync(
            """
            insert into budget_uses (name, at, uses) select @now, at, uses from budget_uses where name = @before
            on conflict (name, at) do nothing
            """,
            new { before, now }
        );
        if (!keep)
        {
            await connection.ExecuteAsync("delete from budget_uses where name = @before", new { before });
            await connection.ExecuteAsync("delete from budgets where name = @before", new { before });
        }
    }

    // The name under which the cart of a caller was kept before.
    private static string CartOf(string subject) =>
        Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes("shop/" + subject)));
}
