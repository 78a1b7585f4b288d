using FastXen.Core;
using FastXen.Platform.Block;
using FastXen.Platform.Firmware.Efi;
using FastXen.Platform.Net;
using FastXen.Platform.Uart;

namespace FastXen.Platform;

/// <summary>A disk of the machine. <paramref name="Serial"/>: up to 20 characters that the guest reads as the disk's identity.</summary>
public sealed record DiskDevice(IBlockBackend Backend, string Serial);

/// <summary>A network card of the machine.</summary>
public sealed record NetworkDevice(INetBackend Backend, MacAddress Address);

/// <summary>What a virtual Itanium machine is made of.</summary>
public sealed record PlatformConfiguration
{
    /// <summary>RAM in bytes, a multiple of <see cref="MachineMap.RamUnit"/>.</summary>
    public required ulong Memory { get; init; }

    /// <summary>Processors, 1 to <see cref="MachineMap.MaxProcessors"/>.</summary>
    public int Processors { get; init; } = 1;

    /// <summary>Number of the domain, by which traces name it.</summary>
    public int Domain { get; init; }

    /// <summary>The far end of the UART.</summary>
    public required ICharacterBackend Console { get; init; }

    /// <summary>AR.ITC counts retired slots, time starts at a fixed date, and devices work inline: two runs with the same input are the same.</summary>
    public bool Deterministic { get; init; }

    /// <summary>What executes the guest's code.</summary>
    public EngineKind Engine { get; init; }

    /// <summary>How the translator works.</summary>
    public TranslatorOptions Translator { get; init; } = new();

    /// <summary>Disks, in slot order.</summary>
    public IReadOnlyList<DiskDevice> Disks { get; init; } = [];

    /// <summary>Network cards, in slot order.</summary>
    public IReadOnlyList<NetworkDevice> Networks { get; init; } = [];

    /// <summary>Non-volatile EFI variables.</summary>
    public VariableStore Variables { get; init; } = new(path: null);

    /// <summary>Wall-clock time of the guest, where it is not <see cref="Deterministic"/>.</summary>
    public TimeProvider Time { get; init; } = TimeProvider.System;

    /// <summary>Told, in a sentence, when the guest stops for a reason that it did not ask for.</summary>
    public Action<string> Report { get; init; } = static _ => { };
}
