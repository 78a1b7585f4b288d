using FastXen.Events;
using FastXen.Platform.LocalSapic;

namespace FastXen.Platform.Pci;

/// <summary>
/// The vectors of an MSI-X capability: the table (16 bytes each: address, data, control) and the pending bits. A message whose
/// address is in the processor interrupt block goes to the processors; others go nowhere.
/// </summary>
public sealed class MsixTable
{
    /// <summary>Bytes of a table entry.</summary>
    public const int EntrySize = 16;

    private const uint MaskBit = 1;

    private struct Entry
    {
        public ulong Address;
        public uint Data;
        public uint Control;
    }

    private readonly Lock gate = new();
    private readonly IInterruptSink sink;
    private readonly Entry[] entries;
    private readonly bool[] pending;
    private bool enabled;
    private bool masked;

    /// <summary>Makes a table with up to 64 vectors.</summary>
    public MsixTable(int count, IInterruptSink sink)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(count);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(count, 64);
        this.sink = sink;
        entries = new Entry[count];
        pending = new bool[count];
        Reset();
    }

    /// <summary>Number of vectors.</summary>
    public int Count => entries.Length;

    /// <summary>MSI-X is enabled; INTx is not used then.</summary>
    public bool IsEnabled
    {
        get
        {
            lock (gate)
                return enabled;
        }
    }

    /// <summary>Masks all vectors and disables the capability.</summary>
    public void Reset()
    {
        lock (gate)
        {
            Array.Fill(entries, new Entry { Control = MaskBit });
            Array.Clear(pending);
            enabled = masked = false;
        }
    }

    /// <summary>Takes over the enable and function mask bits of the message control register.</summary>
    public void SetControl(uint messageControl)
    {
        lock (gate)
        {
            enabled = (messageControl >> 15 & 1) != 0;
            masked = (messageControl >> 14 & 1) != 0;
            Deliver();
        }
    }

    /// <summary>Sends the message of a vector, or marks it pending while it is masked.</summary>
    public void Signal(int vector)
    {
        lock (gate)
        {
            if ((uint)vector >= (uint)entries.Length)
                return;
            pending[vector] = true;
            Deliver();
        }
    }

    /// <summary>Reads the table.</summary>
    public ulong ReadTable(ulong offset, int size)
    {
        lock (gate)
        {
            ulong value = Word(offset) >> (int)(8 * (offset & 3));
            return size == 8 ? value | (ulong)Word(offset + 4) << 32 : value & (1UL << (8 * size)) - 1;
        }
    }

    /// <summary>Writes the table; only accesses of 4 or 8 bytes are defined.</summary>
    public void WriteTable(ulong offset, int size, ulong value)
    {
        if (size < 4 || (offset & 3) != 0)
            return;
        lock (gate)
        {
            SetWord(offset, (uint)value);
            if (size == 8)
                SetWord(offset + 4, (uint)(value >> 32));
            Deliver();
        }
    }

    /// <summary>Reads the pending bits.</summary>
    public ulong ReadPending(ulong offset, int size)
    {
        lock (gate)
        {
            ulong bits = 0;
            for (int i = 0; i < pending.Length; i++)
                bits |= pending[i] ? 1UL << i : 0;
            return offset >= 8 ? 0 : bits >> (int)(8 * offset) & ulong.MaxValue >> (64 - 8 * size);
        }
    }

    private uint Word(ulong offset)
    {
        ulong index = offset / EntrySize;
        if (index >= (ulong)entries.Length)
            return 0;
        ref Entry entry = ref entries[index];
        return (offset % EntrySize / 4) switch
        {
            0 => (uint)entry.Address,
            1 => (uint)(entry.Address >> 32),
            2 => entry.Data,
            _ => entry.Control,
        };
    }

    private void SetWord(ulong offset, uint value)
    {
        ulong index = offset / EntrySize;
        if (index >= (ulong)entries.Length)
            return;
        ref Entry entry = ref entries[index];
        switch (offset % EntrySize / 4)
        {
            case 0:
                entry.Address = (entry.Address & ~(ulong)uint.MaxValue) | (value & ~3u);
                break;
            case 1:
                entry.Address = (uint)entry.Address | (ulong)value << 32;
                break;
            case 2:
                entry.Data = value;
                break;
            default:
                entry.Control = value & MaskBit;
                break;
        }
    }

    private void Deliver()
    {
        if (!enabled || masked)
            return;
        for (int vector = 0; vector < entries.Length; vector++)
        {
            ref Entry entry = ref entries[vector];
            if (!pending[vector] || (entry.Control & MaskBit) != 0)
                continue;
            pending[vector] = false;
            if (InterruptMessage.TryDecode(MachineMap.LocalSapic, entry.Address, entry.Data, out InterruptMessage message))
                message.PostTo(sink);
        }
    }
}
