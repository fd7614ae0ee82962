using GraphQL.Types;
using GraphQL.Validation;
using GraphQLParser.AST;

namespace CwaySample;

/// <summary>
/// Variables are used only where their type is allowed (GraphQL, "All Variable Usages Are Allowed"). The library's own
/// rule takes any non-null type for any other non-null type, and any list for any other list.
/// </summary>
internal sealed class VariableTypes : ValidationRuleBase
{
    private static readonly INodeVisitor s_visitor = new MatchingNodeVisitor<GraphQLOperationDefinition>(Check, null);

    public override ValueTask<INodeVisitor?> GetPreNodeVisitorAsync(ValidationContext context) => new(s_visitor);

    private static void Check(GraphQLOperationDefinition operation, ValidationContext context)
    {
        var declared = (operation.Variables?.Items ?? []).ToLookup(variable => variable.Variable.Name.StringValue);
        foreach (var usage in context.GetRecursiveVariables(operation) ?? [])
        {
            var variable = declared[usage.Node.Name.StringValue].FirstOrDefault(); // another rule wants one
            var hasDefault = variable?.DefaultValue is not null || usage.HasDefault;
            if (variable is not null && !IsAllowed(variable.Type, usage.Type, hasDefault))
            {
                context.ReportError(
                    new(
                        context.Document.Source,
                        "5.8.5",
                        $"Variable '${variable.Variable.Name.StringValue}' is used where {usage.Type} is expected.",
                        usage.Node
                    )
                    {
                        Code = "VARIABLES_IN_ALLOWED_POSITION",
                    }
                );
            }
        }
    }

    private static bool IsAllowed(GraphQLType variable, IGraphType wanted, bool hasDefault) =>
        (variable, wanted) switch
        {
            (GraphQLNonNullType inner, NonNullGraphType outer) => IsAllowed(inner.Type, outer.ResolvedType!, false),
            (GraphQLNonNullType inner, _) => IsAllowed(inner.Type, wanted, false),
            (_, NonNullGraphType outer) => hasDefault && IsAllowed(variable, outer.ResolvedType!, false),
            (GraphQLListType inner, ListGraphType outer) => IsAllowed(inner.Type, outer.ResolvedType!, false),
            (GraphQLNamedType named, _) => wanted is not ListGraphType && named.Name.StringValue == wanted.Name,
            _ => false,
        };
}
