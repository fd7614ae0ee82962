using System.Globalization;
using GraphQL;
using GraphQL.Execution;
using GraphQL.Resolvers;
using GraphQL.Types;
using GraphQL.Utilities;
using GraphQL.Validation;
using GraphQLParser;

namespace CwaySample;

/// <summary>The schema of schema.graphql, answered by <see cref="Queries"/> and <see cref="Mutations"/>.</summary>
internal static class CwaySchema
{
    // The default of graphql-java, whose words Cway's errors have: a batch of many aliases meets it.
    private const int MaxTokens = 15_000;

    public static Fault TooLong { get; } =
        new(
            200,
            """
            {"errors":[{"message":"Invalid syntax : more than 15000 'grammar' tokens have been presented",
              "extensions":{"classification":"InvalidSyntax"}}]}
            """
        );

    public static bool IsTooLong(string query)
    {
        var (tokens, position) = (0, 0);
        while (tokens <= MaxTokens)
        {
            Token token;
            try
            {
                token = Lexer.Lex(query, position);
            }
            catch (GraphQLParser.Exceptions.GraphQLSyntaxErrorException)
            {
                return false; // the parser says what is wrong
            }

            if (token.Kind == TokenKind.EOF)
            {
                return false;
            }

            (tokens, position) = (tokens + 1, token.End);
        }

        return true;
    }

    public static ISchema Build(IServiceProvider services)
    {
        using var reader = new StreamReader(
            typeof(CwaySchema).Assembly.GetManifestResourceStream("schema.graphql")
                ?? throw new InvalidOperationException("schema.graphql is not embedded.")
        );
        var schema = Schema.For(reader.ReadToEnd(), builder =>
        {
            builder.ServiceProvider = services;
            builder.Types.Include<Queries>("Query");
            builder.Types.Include<Mutations>("Mutation");
            IncludeEnum<ProjectState>(builder);
            IncludeEnum<ArtworkState>(builder);
            IncludeEnum<StatusBall>(builder);
            IncludeEnum<ApprovalMode>(builder);
            IncludeEnum<TeamAssignmentType>(builder);
            IncludeEnum<AssignUserAction>(builder);
            IncludeEnum<ProjectSummaryAudience>(builder);
            IncludeEnum<FolderStorageUnit>(builder);
            IncludeEnum<FolderItemSortField>(builder);
            IncludeEnum<SortingDirection>(builder);
            IncludeEnum<FileDescriptorType>(builder);
            IncludeEnum<CreateShareMediaType>(builder);
            IncludeEnum<CreateProjectMediaType>(builder);
            builder.Types.For("User").IsTypeOf<User>();
            builder.Types.For("UserTeam").IsTypeOf<UserTeam>();
            builder.Types.For("FileFolderItem").IsTypeOf<FileFolderItem>();
            builder.Types.For("ArtworkFolderItem").IsTypeOf<ArtworkFolderItem>();
        });
        schema.RegisterType(new GuidGraphType { Name = "UUID" });
        schema.RegisterType(new LongGraphType());
        schema.RegisterType(new DecimalGraphType { Name = "BigDecimal" });
        schema.RegisterType(new DateOnlyGraphType { Name = "Date" });
        schema.RegisterType(new DateOnlyGraphType { Name = "LocalDate" });
        schema.RegisterType(new DateTimeOffsetGraphType { Name = "DateTime" });
        schema.RegisterType(new LocalDateTimeGraphType());
        return schema;
    }

    /// <summary>Root fields refuse what a test denies; mutations happen one at a time.</summary>
    public static void Guard(ISchema schema, Faults faults, Workspace workspace)
    {
        schema.Initialize();
        foreach (var (fields, isMutation) in new[] { (schema.Query.Fields, false), (schema.Mutation!.Fields, true) })
        {
            foreach (var field in fields)
            {
                var inner = field.Resolver!;
                field.Resolver = new FuncFieldResolver<object>(context =>
                {
                    var arguments = context.Arguments?.Values.Select(argument => argument.Value) ?? [];
                    if (faults.Denies(field.Name, arguments))
                    {
                        throw new Refusal("Access denied", "FORBIDDEN");
                    }

                    return Resolve(inner, context, isMutation ? workspace.Changes : null);
                });
            }
        }
    }

    private static object? Resolve(IFieldResolver resolver, IResolveFieldContext context, Lock? changes)
    {
        if (changes is null)
        {
            return Now();
        }

        lock (changes)
        {
            return Now();
        }

        // Nothing here waits, so the answer is there at once.
        object? Now() => resolver.ResolveAsync(context).AsTask().GetAwaiter().GetResult();
    }

    private static void IncludeEnum<T>(SchemaBuilder builder) => builder.Types.Include<T>(typeof(T).Name);
}

/// <summary>Errors as Cway words them: classified, without what is inside.</summary>
internal sealed class CwayErrors : ErrorInfoProvider
{
    public override ErrorInfo GetInfo(ExecutionError error)
    {
        var (message, classification) = error switch
        {
            Refusal { Classification: "DataFetchingException" } refused => (
                $"Exception while fetching data (/{Path(error)}) : {refused.Message}",
                refused.Classification
            ),
            Refusal refused => (refused.Message, refused.Classification),
            SyntaxError => ("Invalid syntax : " + error.Message, "InvalidSyntax"),
            ValidationError or DocumentError => (
                $"Validation error ({error.Code}) : {error.Message}",
                "ValidationError"
            ),
            _ => ($"Exception while fetching data (/{Path(error)}) : {error.Message}", "DataFetchingException"),
        };
        return new()
        {
            Message = message,
            Extensions = new Dictionary<string, object?> { ["classification"] = classification },
        };
    }

    private static string Path(ExecutionError error) =>
        string.Join('/', (error.Path ?? []).Select(part => Convert.ToString(part, CultureInfo.InvariantCulture)));
}
