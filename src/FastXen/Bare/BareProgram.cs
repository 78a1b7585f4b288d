using System.Text.Json;
using FastXen.Core.State;

namespace FastXen.Bare;

/// <summary>A bare program: what to put into memory and registers, where to begin and when to stop.</summary>
internal sealed class BareProgram
{
    /// <summary>Bundles that run at most where the program does not say.</summary>
    private const ulong DefaultMaximum = 1_000_000;

    /// <summary>Whatever the program is called; undefined where it has no name.</summary>
    public JsonElement Id { get; private init; }

    /// <summary>Registers at the beginning.</summary>
    public required ProcessorImage Initial { get; init; }

    /// <summary>What lies in memory at the beginning.</summary>
    public required IReadOnlyList<(ulong Address, byte[] Bytes)> Memory { get; init; }

    /// <summary>Addresses at which it stops: one or none.</summary>
    public required ulong[] Stops { get; init; }

    /// <summary>Bundles that run at most.</summary>
    public required ulong Maximum { get; init; }

    /// <summary>Reads a program from a line; <paramref name="reset"/> is the state from which it starts.</summary>
    public static BareProgram Read(JsonField line, ProcessorImage reset)
    {
        foreach ((string name, JsonField field) in line.Members())
        {
            if (name is not ("id" or "entry" or "bundles" or "mem" or "init" or "stop" or "max"))
                throw field.Error("there is no such field");
        }
        ProcessorImage initial = reset.Clone();
        if (line.Find("init") is { } init)
            ReadInitial(init, initial);
        initial.Ip = BundleAddress(line.Get("entry"));
        return new BareProgram
        {
            Id = line.Find("id") is { } id ? id.Value.Clone() : default,
            Initial = initial,
            Memory = [.. ReadBlocks(line.Find("bundles"), bundles: true), .. ReadBlocks(line.Find("mem"), bundles: false)],
            Stops = line.Find("stop") is { } stop ? [BundleAddress(stop)] : [],
            Maximum = line.Find("max")?.Number() ?? DefaultMaximum,
        };
    }

    private static void ReadInitial(JsonField init, ProcessorImage image)
    {
        ProcessorImageReader.Apply(init, image, static (_, _) => false);
        // No stacked register is dirty at the beginning, so that either of the two names the other.
        JsonField? bsp = init.Find("ar")?.Find("bsp");
        JsonField? bspStore = init.Find("ar")?.Find("bspstore");
        if (bspStore is null)
            image.Ar[Ar.BspStore] = image.Ar[Ar.Bsp];
        else if (bsp is null)
            image.Ar[Ar.Bsp] = image.Ar[Ar.BspStore];
        else if (image.Ar[Ar.Bsp] != image.Ar[Ar.BspStore])
            throw bsp.Value.Error("differs from bspstore: no register is dirty at the beginning");
    }

    private static IEnumerable<(ulong Address, byte[] Bytes)> ReadBlocks(JsonField? blocks, bool bundles)
    {
        if (blocks is not { } list)
            yield break;
        foreach (JsonField block in list.Elements())
        {
            (JsonField addressField, JsonField bytesField) = block.Pair();
            ulong address = bundles ? BundleAddress(addressField) : addressField.Number();
            byte[] bytes = bytesField.Bytes();
            if (bundles && bytes.Length != 16)
                throw bytesField.Error($"is {bytes.Length} bytes; a bundle has 16");
            if (address > BareMachine.MemorySize || (ulong)bytes.Length > BareMachine.MemorySize - address)
                throw addressField.Error($"0x{address:x} and its {bytes.Length} bytes are not inside of the 64 MiB of memory");
            yield return (address, bytes);
        }
    }

    private static ulong BundleAddress(JsonField field)
    {
        ulong address = field.Number();
        return address % 16 == 0 ? address : throw field.Error($"0x{address:x} is not a multiple of 16");
    }
}
