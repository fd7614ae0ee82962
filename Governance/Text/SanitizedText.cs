using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Text;

namespace MinimalMcp.Governance;

/// <summary>
/// Escapes invisible characters: control characters, bidirectional overrides, zero-width and tag characters. In a log
/// they move the cursor; in a response they can carry instructions that only the model reads (Unicode TR 36, TS 39).
/// Ordinary text of any language is unchanged, with the joiners of emoji and of scripts that need them.
/// </summary>
internal static class SanitizedText
{
    private const int ZeroWidthNonJoiner = 0x200C;
    private const int ZeroWidthJoiner = 0x200D;
    private const int BlackFlag = 0x1F3F4;
    private const int CancelTag = 0xE007F;

    /// <summary>The text with each such character escaped; null stays null.</summary>
    [return: NotNullIfNotNull(nameof(text))]
    public static string? Show(string? text) => text is null ? null : Show(text, out _);

    /// <summary>The text with each such character escaped as <c>\u{202E}</c>, and their number.</summary>
    public static string Show(string text, out int shown)
    {
        shown = 0;
        if (Ascii.IsValid(text) && !text.AsSpan().ContainsAnyInRange('\0', '\u001F') && !text.Contains('\u007F'))
        {
            return text;
        }

        StringBuilder? visible = null;
        var copied = 0;
        int before = 0,
            flagged = 0; // the previous character, and the end of a flag's tags
        for (var at = 0; at < text.Length; )
        {
            var whole = Rune.TryGetRuneAt(text, at, out var rune);
            var length = whole ? rune.Utf16SequenceLength : 1;
            if (rune.Value == BlackFlag)
            {
                flagged = EndOfFlag(text, at + length);
            }

            if (!whole || (at >= flagged && IsHidden(text, at, rune.Value, before, at + length)))
            {
                visible ??= new(text.Length + 64);
                visible.Append(text, copied, at - copied);
                visible.Append(CultureInfo.InvariantCulture, $"\\u{{{(whole ? rune.Value : text[at]):X}}}");
                copied = at + length;
                shown++;
            }

            before = rune.Value;
            at += length;
        }

        return visible is null ? text : visible.Append(text, copied, text.Length - copied).ToString();
    }

    /// <summary>Whether UTF-8 text or JSON can contain such a character.</summary>
    public static bool MayHide(ReadOnlySpan<byte> json) =>
        !Ascii.IsValid(json) || json.IndexOf("\\u"u8) >= 0 || json.Contains((byte)0x7F);

    private static bool IsHidden(string text, int at, int character, int before, int next) =>
        character switch
        {
            '\t' or '\n' or '\r' => false,
            0x00AD => false, // the soft hyphen is ordinary text
            ZeroWidthNonJoiner or ZeroWidthJoiner => !(Joins(before) && Joins(At(text, next))),
            0x200E or 0x200F or 0x061C => !IsRightToLeft(before) && !IsRightToLeft(At(text, next)),
            0xFE0E or 0xFE0F => IsSelector(before) || at == 0,
            // Other variation selectors choose the glyph of an ideograph or a symbol; chains of them can hide bytes.
            (>= 0xFE00 and <= 0xFE0D) or (>= 0xE0100 and <= 0xE01EF) => Category(before)
                is not (UnicodeCategory.OtherLetter or UnicodeCategory.MathSymbol or UnicodeCategory.OtherSymbol),
            (>= 0x0600 and <= 0x0605) or 0x06DD or 0x070F or 0x08E2 or 0x110BD or 0x110CD => false, // visible signs
            0x115F or 0x1160 or 0x3164 or 0xFFA0 => true, // letters without a glyph
            0x2028 or 0x2029 => true,
            _ => Category(character) is UnicodeCategory.Control or UnicodeCategory.Format,
        };

    // Tag characters may end a flag (UTS 51 ED-14a), where they are few: England is U+1F3F4 "gbeng".
    private static int EndOfFlag(string text, int at)
    {
        for (var tags = 0; tags <= 6; tags++, at += 2)
        {
            switch (At(text, at))
            {
                case CancelTag:
                    return tags >= 3 ? at + 2 : 0;
                case (>= 0xE0030 and <= 0xE0039) or (>= 0xE0061 and <= 0xE007A):
                    break;
                default:
                    return 0;
            }
        }

        return 0;
    }

    // Letters and marks of scripts other than Latin, Greek and Cyrillic, symbols, and joiners between emoji.
    private static bool Joins(int character) =>
        character >= 0x0530
        && !IsJoiner(character)
        && (
            character is 0xFE0F or (>= 0x1F3FB and <= 0x1F3FF)
            || Category(character)
                is UnicodeCategory.OtherLetter
                    or UnicodeCategory.NonSpacingMark
                    or UnicodeCategory.SpacingCombiningMark
                    or UnicodeCategory.OtherSymbol
                    or UnicodeCategory.ModifierSymbol
                    or UnicodeCategory.MathSymbol
        );

    private static bool IsJoiner(int character) => character is ZeroWidthJoiner or ZeroWidthNonJoiner;

    private static bool IsSelector(int character) =>
        character is (>= 0xFE00 and <= 0xFE0F) or (>= 0xE0100 and <= 0xE01EF);

    private static bool IsRightToLeft(int character) =>
        character
            is (>= 0x0590 and <= 0x08FF)
                or (>= 0xFB1D and <= 0xFDFF)
                or (>= 0xFE70 and <= 0xFEFC)
                or (>= 0x10800 and <= 0x10FFF);

    private static UnicodeCategory Category(int character) => CharUnicodeInfo.GetUnicodeCategory(character);

    private static int At(string text, int at) =>
        at < text.Length && Rune.TryGetRuneAt(text, at, out var rune) ? rune.Value : 0;
}
