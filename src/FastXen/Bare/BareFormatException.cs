namespace FastXen.Bare;

/// <summary>A file of vectors or programs that cannot be read, with the place of the error.</summary>
public sealed class BareFormatException : Exception
{
    /// <summary>Names file, line, field (empty where the whole line is meant) and what is wrong with it.</summary>
    public BareFormatException(string file, int line, string field, string problem)
        : base(field.Length == 0 ? $"{file}:{line}: {problem}" : $"{file}:{line}: {field}: {problem}")
    {
    }

    /// <summary>Names a file that cannot be read at all.</summary>
    public BareFormatException(string file, string problem)
        : base($"{file}: {problem}")
    {
    }
}
