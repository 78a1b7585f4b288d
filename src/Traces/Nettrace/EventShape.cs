namespace FastXen.Traces.Nettrace;

/// <summary>Types of event fields: the numbers are those of <see cref="TypeCode"/>.</summary>
public enum FieldType
{
#pragma warning disable CS1591 // the names say it
    Object = 1,
    Boolean = 3,
    Char = 4,
    SByte = 5,
    Byte = 6,
    Int16 = 7,
    UInt16 = 8,
    Int32 = 9,
    UInt32 = 10,
    Int64 = 11,
    UInt64 = 12,
    Single = 13,
    Double = 14,
    Decimal = 15,
    DateTime = 16,
    Guid = 17,
    String = 18,
#pragma warning restore CS1591
}

/// <summary>What a trace says of a kind of event.</summary>
/// <param name="Provider">The source's name.</param>
/// <param name="Id">Number in the source.</param>
/// <param name="Name">Name in the source.</param>
/// <param name="Fields">The payload's fields, in their order; empty where the trace does not describe them.</param>
public sealed record EventShape(string Provider, int Id, string Name, IReadOnlyList<(string Name, FieldType Type)> Fields)
{
    /// <summary>Position of a field, or -1.</summary>
    public int IndexOf(string field)
    {
        for (int i = 0; i < Fields.Count; i++)
        {
            if (Fields[i].Name == field)
                return i;
        }

        return -1;
    }

    /// <summary>Bytes of a field of a fixed size; 0 for a string.</summary>
    internal static int SizeOf(FieldType type) => type switch
    {
        FieldType.SByte or FieldType.Byte => 1,
        FieldType.Char or FieldType.Int16 or FieldType.UInt16 => 2,
        FieldType.Boolean or FieldType.Int32 or FieldType.UInt32 or FieldType.Single => 4,
        FieldType.Int64 or FieldType.UInt64 or FieldType.Double or FieldType.DateTime => 8,
        FieldType.Decimal or FieldType.Guid => 16,
        FieldType.String => 0,
        _ => throw new TraceException($"the trace has an event with a field of a type ({(int)type}) that FastXen does not read"),
    };
}
