using FastXen.Events;
using FastXen.Mmu;
using FastXen.Platform.LocalSapic;

namespace FastXen.Platform.Iosapic;

/// <summary>
/// An I/O SAPIC: turns interrupt lines into messages to processors. Registers are reached through a select register (offset 0) and
/// a window (offset 0x10); EOI is at 0x40, and 0x20 asserts an input by a store. Lines carry assertion, not voltage: a device says
/// <c>true</c> when it wants service whatever the polarity of the entry.
/// </summary>
public sealed class IosapicController : IMmioRegion, ILineSink
{
    private const ulong SelectOffset = 0x00;
    private const ulong WindowOffset = 0x10;
    private const ulong AssertionOffset = 0x20;
    private const ulong EoiOffset = 0x40;

    private const uint IdRegister = 0;
    private const uint VersionRegister = 1;
    private const uint FirstEntryRegister = 0x10;

    /// <summary>Version of the programming model: I/O SAPIC.</summary>
    private const uint Version = 0x21;

    private readonly Lock gate = new();
    private readonly IInterruptSink sink;
    private readonly RedirectionEntry[] entries;
    private readonly bool[] asserted;
    private uint select;
    private uint id;

    /// <summary>Makes an IOSAPIC with <paramref name="inputs"/> inputs (at most 120), all masked.</summary>
    public IosapicController(int inputs, IInterruptSink sink)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(inputs);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(inputs, 120);
        this.sink = sink;
        entries = new RedirectionEntry[inputs];
        asserted = new bool[inputs];
        Reset();
    }

    /// <summary>Number of inputs.</summary>
    public int Inputs => entries.Length;

    /// <summary>The wire to an input.</summary>
    public InterruptLine Line(int input)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(input);
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(input, Inputs);
        return new InterruptLine(this, input);
    }

    /// <summary>Returns to the state after power-on; lines stay as the devices drive them.</summary>
    public void Reset()
    {
        lock (gate)
        {
            Array.Fill(entries, RedirectionEntry.Reset);
            select = 0;
            id = 0;
        }
    }

    /// <inheritdoc/>
    public void SetLine(int line, bool level)
    {
        lock (gate)
        {
            bool rises = level && !asserted[line];
            asserted[line] = level;
            if (entries[line].IsLevel)
                Evaluate(line);
            else if (rises)
                PostEdge(line);
        }
    }

    /// <inheritdoc/>
    public string NameAt(ulong offset) => "iosapic";

    /// <inheritdoc/>
    public ulong Read(ulong offset, int size)
    {
        lock (gate)
        {
            return offset switch
            {
                SelectOffset => select,
                WindowOffset => ReadRegister(),
                _ => 0,
            };
        }
    }

    /// <inheritdoc/>
    public void Write(ulong offset, int size, ulong value)
    {
        lock (gate)
        {
            switch (offset)
            {
                case SelectOffset:
                    select = (byte)value;
                    break;
                case WindowOffset:
                    WriteRegister((uint)value);
                    break;
                case AssertionOffset:
                    int input = (byte)value;
                    if (input < Inputs && !entries[input].IsLevel)
                        PostEdge(input);
                    break;
                case EoiOffset:
                    EndOfInterrupt((byte)value);
                    break;
            }
        }
    }

    private uint ReadRegister()
    {
        if (TryEntry(out int input, out bool high))
            return (uint)(entries[input].Value >> (high ? 32 : 0));
        return select switch
        {
            IdRegister => id,
            VersionRegister => Version | (uint)(Inputs - 1) << 16,
            _ => 0,
        };
    }

    private void WriteRegister(uint value)
    {
        if (TryEntry(out int input, out bool high))
        {
            entries[input] = entries[input].WithHalf(high, value);
            if (entries[input].IsLevel)
                Evaluate(input);
        }
        else if (select == IdRegister)
        {
            id = value & 0xFFFF_0000;
        }
    }

    private bool TryEntry(out int input, out bool high)
    {
        input = (int)(select - FirstEntryRegister) / 2;
        high = (select & 1) != 0;
        return select >= FirstEntryRegister && input < Inputs;
    }

    private void EndOfInterrupt(byte vector)
    {
        for (int input = 0; input < entries.Length; input++)
        {
            RedirectionEntry entry = entries[input];
            if (entry.Vector != vector || !entry.RemoteIrr)
                continue;
            entries[input] = entry.WithRemoteIrr(false);
            Evaluate(input);
        }
    }

    // A level-triggered input sends one message, then waits for its EOI; it sends again when it is still asserted then.
    private void Evaluate(int input)
    {
        RedirectionEntry entry = entries[input];
        if (!asserted[input] || entry.IsMasked || entry.RemoteIrr)
            return;
        entries[input] = entry.WithRemoteIrr(true);
        Send(entry);
    }

    // An edge that comes while the input is masked is lost.
    private void PostEdge(int input)
    {
        if (!entries[input].IsMasked)
            Send(entries[input]);
    }

    private void Send(RedirectionEntry entry) =>
        new InterruptMessage(entry.DestinationId, entry.DestinationEid, entry.DeliveryMode, entry.Vector).PostTo(sink);
}
