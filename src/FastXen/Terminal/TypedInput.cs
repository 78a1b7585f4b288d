namespace FastXen.Terminal;

/// <summary>What is typed on standard input: keys, and commands behind the escape key.</summary>
internal static class TypedInput
{
    /// <summary>Takes keys that are no commands.</summary>
    public delegate void Keys(ReadOnlySpan<byte> keys);

    /// <summary>Reads to the end of the input: of a pipe, behind which the guest runs on without one.</summary>
    public static void Read(EscapeKey escape, Keys pass, Action<EscapeCommand> obey)
    {
        Span<byte> typed = stackalloc byte[1024];
        Span<byte> passed = stackalloc byte[1024];
        while (Libc.ReadSome(Libc.StandardInput, typed) is > 0 and int length)
        {
            ReadOnlySpan<byte> rest = typed[..length];
            while (rest.Length > 0)
            {
                EscapeCommand command = escape.Filter(rest, passed, out int consumed, out int count);
                rest = rest[consumed..];
                pass(passed[..count]);
                obey(command);
            }
        }
    }
}
