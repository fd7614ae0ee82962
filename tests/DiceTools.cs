/// <summary>Outside a namespace, as a short program has it.</summary>
public static class DiceTools;
