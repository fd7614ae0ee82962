#pragma warning disable CA1050 // that is what it is for

/// <summary>Outside a namespace, as a short program has it.</summary>
public static class DiceTools;
