namespace FastXen.Terminal;

/// <summary>What the user asked fastxen itself for.</summary>
internal enum EscapeCommand
{
    None,
    Leave,
    Status,
    Next,
    Help,
}

/// <summary>Takes the escape key and the key after it out of what the user types.</summary>
internal sealed class EscapeKey(byte? key)
{
    private bool _pending;

    /// <summary>
    /// Passes on input from the front of <paramref name="typed"/> up to and including an escape command: the bytes for the guest are written to
    /// <paramref name="passed"/> (as long as <paramref name="typed"/>), the rest of the input is what <paramref name="consumed"/> leaves.
    /// </summary>
    public EscapeCommand Filter(ReadOnlySpan<byte> typed, Span<byte> passed, out int consumed, out int count)
    {
        count = 0;
        for (consumed = 0; consumed < typed.Length;)
        {
            byte b = typed[consumed++];
            if (!_pending)
            {
                if (b == key) _pending = true;
                else passed[count++] = b;
                continue;
            }
            _pending = false;
            if (b == key)
            {
                passed[count++] = b;
                continue;
            }
            return b switch
            {
                (byte)'q' or (byte)'Q' => EscapeCommand.Leave,
                (byte)'n' or (byte)'N' => EscapeCommand.Next,
                (byte)'s' or (byte)'S' => EscapeCommand.Status,
                _ => EscapeCommand.Help,
            };
        }
        return EscapeCommand.None;
    }

    /// <summary>The key as the user knows it.</summary>
    public string Name => key is { } code ? $"Ctrl-{(char)(code + '@')}" : "none";
}
