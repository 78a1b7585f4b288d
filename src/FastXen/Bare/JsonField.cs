using System.Globalization;
using System.Text.Json;

namespace FastXen.Bare;

/// <summary>A JSON value that knows where it stands, so that whatever is wrong with it can be named.</summary>
/// <param name="File">File name for messages.</param>
/// <param name="Line">Line number from 1.</param>
/// <param name="Path">Path of the field in the line's object, as "in.gr.7".</param>
/// <param name="Value">The value.</param>
internal readonly record struct JsonField(string File, int Line, string Path, JsonElement Value)
{
    /// <summary>The error to throw for this field.</summary>
    public BareFormatException Error(string problem) => new(File, Line, Path, problem);

    /// <summary>The member of this object, or null.</summary>
    public JsonField? Find(string name)
    {
        Expect(JsonValueKind.Object, "an object");
        return Value.TryGetProperty(name, out JsonElement member) ? Child(name, member) : null;
    }

    /// <summary>The member of this object; an error where it is missing.</summary>
    public JsonField Get(string name) => Find(name) ?? throw Child(name, default).Error("is missing");

    /// <summary>All members of this object.</summary>
    public IEnumerable<(string Name, JsonField Field)> Members()
    {
        Expect(JsonValueKind.Object, "an object");
        foreach (JsonProperty property in Value.EnumerateObject())
            yield return (property.Name, Child(property.Name, property.Value));
    }

    /// <summary>All elements of this array.</summary>
    public IEnumerable<JsonField> Elements()
    {
        Expect(JsonValueKind.Array, "an array");
        int index = 0;
        foreach (JsonElement element in Value.EnumerateArray())
            yield return Child((index++).ToString(CultureInfo.InvariantCulture), element);
    }

    /// <summary>The two elements of a pair.</summary>
    public (JsonField First, JsonField Second) Pair()
    {
        Expect(JsonValueKind.Array, "a pair");
        if (Value.GetArrayLength() != 2)
            throw Error("is not a pair");
        return (Child("0", Value[0]), Child("1", Value[1]));
    }

    /// <summary>The text of a string.</summary>
    public string Text()
    {
        Expect(JsonValueKind.String, "a string");
        return Value.GetString()!;
    }

    /// <summary>A number: a string "0x..." in hexadecimal, or a JSON number.</summary>
    public ulong Number()
    {
        if (Value.ValueKind == JsonValueKind.Number && Value.TryGetUInt64(out ulong number))
            return number;
        if (Value.ValueKind == JsonValueKind.String && Value.GetString() is { } text
            && text.StartsWith("0x", StringComparison.OrdinalIgnoreCase)
            && ulong.TryParse(text.AsSpan(2), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out number))
            return number;
        throw Error("is not a number: write \"0x\" and up to 16 hexadecimal digits");
    }

    /// <summary>A number with an upper limit.</summary>
    public ulong Number(ulong maximum)
    {
        ulong number = Number();
        return number <= maximum ? number : throw Error($"is 0x{number:x}; the largest is 0x{maximum:x}");
    }

    /// <summary>Bytes, two hexadecimal digits each, as they lie in memory.</summary>
    public byte[] Bytes()
    {
        try
        {
            return Convert.FromHexString(Text());
        }
        catch (FormatException)
        {
            throw Error("is not a string of bytes, two hexadecimal digits each");
        }
    }

    /// <summary>A register number that stands as the name of a member.</summary>
    public int RegisterNumber(string name, int first, int last) =>
        int.TryParse(name, NumberStyles.None, CultureInfo.InvariantCulture, out int number) && number >= first && number <= last
            ? number
            : throw Error($"register numbers are {first} to {last}");

    private void Expect(JsonValueKind kind, string what)
    {
        if (Value.ValueKind != kind)
            throw Error($"is not {what}");
    }

    private JsonField Child(string name, JsonElement value) => this with { Path = Path.Length == 0 ? name : Path + "." + name, Value = value };
}
