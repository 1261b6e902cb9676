namespace Dunlin.Mercure.UrlPatterns;

/// <summary>An instruction of <see cref="NfaProgram"/> in one word: its code in the highest byte, its operand in the others.</summary>
internal static class NfaInstruction
{
    /// <summary>Consumes the character of the operand.</summary>
    public const uint Character = 0;

    /// <summary>Consumes any character.</summary>
    public const uint Any = 1;

    /// <summary>Consumes a character of the set at the operand.</summary>
    public const uint Set = 2;

    /// <summary>Continues at the operand.</summary>
    public const uint Jump = 3;

    /// <summary>Continues at the operand and at the next instruction.</summary>
    public const uint Split = 4;

    /// <summary>Continues at the begin of the text only.</summary>
    public const uint Start = 5;

    /// <summary>Continues at the end of the text only.</summary>
    public const uint End = 6;

    /// <summary>Ends the program: the text so far matches.</summary>
    public const uint Match = 7;

    public static uint Create(uint code, int operand = 0) => code << 24 | (uint)operand;

    public static uint Code(uint word) => word >> 24;

    public static int Operand(uint word) => (int)(word & 0xffffff);
}
