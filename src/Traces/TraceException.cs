namespace FastXen.Traces;

/// <summary>A trace cannot be recorded or read; the message is a sentence for the user.</summary>
public sealed class TraceException : Exception
{
    /// <summary>Says why.</summary>
    public TraceException(string message) : base(message) { }

    /// <summary>Says why, and what was behind it.</summary>
    public TraceException(string message, Exception inner) : base(message, inner) { }
}
