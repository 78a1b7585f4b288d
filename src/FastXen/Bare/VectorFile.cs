using System.Globalization;
using FastXen.Core.Float;
using FastXen.Core.State;

namespace FastXen.Bare;

/// <summary>Files of instruction vectors: gzip'd JSON objects, one a line (the kit's vectors/README.md describes them).</summary>
internal static class VectorFile
{
    /// <summary>Address of the data block.</summary>
    public const ulong DataAddress = 0x300_0000;

    /// <summary>Size of the data block.</summary>
    public const int DataSize = 256;

    private const ulong BackingStore = 0x310_8000;
    private const ulong UserLevelLazy = 3 << 2;

    private static readonly ProcessorImage Reset = BareMachine.ResetState();

    // 96 registers, all local, none rotating.
    private const ulong FullFrame = 96 << 7 | 96;

    /// <summary>Calls <paramref name="run"/> with each case of a file, in order.</summary>
    public static void Read(string file, Action<VectorCase> run) => JsonLines.Read(file, line => run(ReadCase(line)));

    /// <summary>The part of a file's name that stands before its extensions.</summary>
    public static string Family(string file)
    {
        string name = Path.GetFileName(file);
        int dot = name.IndexOf('.', StringComparison.Ordinal);
        return dot > 0 ? name[..dot] : name;
    }

    private static VectorCase ReadCase(JsonField line)
    {
        ulong ip = ReadAddress(line.Get("ip"), BareMachine.MemorySize - 16);
        JsonField codeField = line.Get("code");
        byte[] code = codeField.Bytes();
        if (code.Length == 0 || code.Length % 16 != 0 || (ulong)code.Length > BareMachine.MemorySize - ip)
            throw codeField.Error("is not whole bundles inside of the memory");

        ProcessorImage before = Defaults(ip);
        byte[] dataBefore = new byte[DataSize];
        for (int n = 0; n < DataSize; n++)
            dataBefore[n] = (byte)(37 * n + 17);
        ProcessorImageReader.Apply(line.Get("in"), before, (name, field) => name == "mem" && ReadData(field, dataBefore));

        ProcessorImage after = before.Clone();
        after.Ip = ip + (ulong)code.Length;
        byte[] dataAfter = [.. dataBefore];
        JsonField result = line.Get("out");
        ProcessorImageReader.Apply(result, after, (name, field) => name == "mem" && ReadData(field, dataAfter));

        return new VectorCase
        {
            Id = line.Get("id").Text(),
            Code = code,
            Stops = line.Find("stops") is { } stops
                ? [.. stops.Elements().Select(stop => ReadAddress(stop, ulong.MaxValue))]
                : [ip + (ulong)code.Length],
            Before = before,
            DataBefore = dataBefore,
            After = after,
            DataAfter = dataAfter,
            ListedGeneral = Listed(result),
            ListsBspStore = result.Find("ar")?.Find("bspstore") is not null,
        };
    }

    private static ProcessorImage Defaults(ulong ip)
    {
        ProcessorImage image = Reset.Clone();
        image.Ip = ip;
        image.Psr = UserPsr;
        image.Cfm = FullFrame;
        for (uint r = 1; r < 128; r++)
            image.Gr[r] = r * 0x0101_0101_0101_0101UL;
        for (uint f = 2; f < 128; f++)
            image.Fr[f] = new FloatRegister(0xffff + f, 0x8000_0000_0000_0000 | f * 0x01_0101_0101UL);
        image.Br[7] = ip;
        image.Ar[Ar.Rsc] = UserLevelLazy;
        image.Ar[Ar.Bsp] = image.Ar[Ar.BspStore] = BackingStore;
        return image;
    }

    /// <summary>A user process: privilege level 3, everything translated, both halves of the floating-point file enabled.</summary>
    private const ulong UserPsr = Psr.Cpl | Psr.It | Psr.Dt | Psr.Rt | Psr.Ic | Psr.Bn;

    private static bool ReadData(JsonField field, byte[] data)
    {
        foreach ((string name, JsonField value) in field.Members())
        {
            byte[] bytes = value.Bytes();
            if (!int.TryParse(name, NumberStyles.None, CultureInfo.InvariantCulture, out int offset) || offset + (long)bytes.Length > data.Length)
                throw value.Error($"is not inside of the {DataSize} bytes of the data block");
            bytes.CopyTo(data, offset);
        }
        return true;
    }

    private static HashSet<int> Listed(JsonField result)
    {
        HashSet<int> listed = [];
        if (result.Find("gr") is { } general)
            listed.UnionWith(general.Members().Select(member => member.Field.RegisterNumber(member.Name, 0, 127)));
        foreach (string nats in (ReadOnlySpan<string>)["nat", "nonat"])
        {
            if (result.Find(nats) is { } numbers)
                listed.UnionWith(numbers.Elements().Select(number => (int)number.Number(127)));
        }
        return listed;
    }

    private static ulong ReadAddress(JsonField field, ulong last)
    {
        ulong address = field.Number(last);
        return address % 16 == 0 ? address : throw field.Error($"0x{address:x} is not the address of a bundle");
    }
}
