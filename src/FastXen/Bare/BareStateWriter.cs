using System.Buffers;
using System.Globalization;
using System.Text;
using System.Text.Json;

namespace FastXen.Bare;

/// <summary>Writes the state in which a bare program ended as one JSON object.</summary>
internal static class BareStateWriter
{
    /// <summary>The line for a program.</summary>
    public static string Write(JsonElement id, ProcessorImage image, bool reached, ulong steps)
    {
        var buffer = new ArrayBufferWriter<byte>(16 * 1024);
        using (var json = new Utf8JsonWriter(buffer))
        {
            json.WriteStartObject();
            if (id.ValueKind != JsonValueKind.Undefined)
            {
                json.WritePropertyName("id");
                id.WriteTo(json);
            }
            json.WriteBoolean("reached", reached);
            json.WriteNumber("steps", steps);
            json.WriteString("ip", Hex(image.Ip));
            json.WriteString("psr", Hex(image.Psr));
            json.WriteString("cfm", Hex(image.Cfm));
            json.WriteString("pr", Hex(image.Pr));
            WriteNumbered(json, "gr", image.Gr);
            WriteNats(json, image.Nat);
            WriteFloating(json, image);
            WriteNumbered(json, "br", image.Br);
            WriteNamed(json, "ar", RegisterNames.Application, image.Ar);
            WriteNamed(json, "cr", RegisterNames.Control, image.Cr);
            WriteNumbered(json, "rr", image.Rr);
            json.WriteEndObject();
        }
        return Encoding.UTF8.GetString(buffer.WrittenSpan);
    }

    private static void WriteNumbered(Utf8JsonWriter json, string name, ulong[] registers)
    {
        json.WriteStartObject(name);
        for (int n = 0; n < registers.Length; n++)
            json.WriteString(Name(n), Hex(registers[n]));
        json.WriteEndObject();
    }

    private static void WriteNamed(Utf8JsonWriter json, string name, (string Name, int Number)[] names, ulong[] registers)
    {
        json.WriteStartObject(name);
        foreach ((string register, int number) in names)
            json.WriteString(register, Hex(registers[number]));
        json.WriteEndObject();
    }

    private static void WriteNats(Utf8JsonWriter json, bool[] nats)
    {
        json.WriteStartArray("nat");
        for (int r = 0; r < nats.Length; r++)
        {
            if (nats[r])
                json.WriteNumberValue(r);
        }
        json.WriteEndArray();
    }

    private static void WriteFloating(Utf8JsonWriter json, ProcessorImage image)
    {
        json.WriteStartObject("fr");
        for (int f = 0; f < image.Fr.Length; f++)
        {
            json.WriteStartArray(Name(f));
            json.WriteStringValue(Hex(image.Fr[f].SignExponent));
            json.WriteStringValue(Hex(image.Fr[f].Significand));
            json.WriteEndArray();
        }
        json.WriteEndObject();
    }

    private static string Name(int number) => number.ToString(CultureInfo.InvariantCulture);

    private static string Hex(ulong value) => "0x" + value.ToString("x", CultureInfo.InvariantCulture);
}
