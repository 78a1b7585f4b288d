using System.Numerics;

namespace FastXen.Xen.Physdev;

/// <summary>
/// The machine's interrupt lines, which the hypervisor owns: an IOSAPIC whose redirection entries privileged domains set by physdev_op, vectors, and the domains that have
/// bound them. The number of a physical interrupt (pirq) is its vector. Any thread.
/// </summary>
/// <remarks>A level-triggered interrupt that was sent is not sent again before all domains that it was sent to have ended it.</remarks>
public sealed class MachineInterrupts
{
    /// <summary>Address by which the IOSAPIC is named; nothing can be reached there.</summary>
    public const ulong Address = 0xfec0_0000;

    /// <summary>Lines (GSIs), from 0.</summary>
    public const int Lines = 24;

    /// <summary>The first vector that is allocated to devices.</summary>
    public const int FirstVector = 0x30;

    /// <summary>The last vector that is allocated to devices.</summary>
    public const int LastVector = 0xe7;

    // Domains of one vector.
    private const int MostGuests = 7;
    private const uint VersionRegister = 1, FirstEntry = 0x10, EntryVersion = 0x20;
    private const uint VectorMask = 0xff, Level = 1 << 15, Masked = 1 << 16;

    private readonly Lock _gate = new();
    private readonly uint[] _entries = [.. Enumerable.Repeat(Masked, Lines)];
    private readonly bool[] _asserted = new bool[Lines];
    private readonly ulong[] _allocated = new ulong[4];
    private readonly Vector[] _vectors = new Vector[256];

    private struct Vector
    {
        public List<XenDomain>? Guests;
        public List<XenDomain>? Waiting;
        public bool IsShared;
    }

    /// <summary>Sets a line of a device's. An edge-triggered one is sent when it becomes asserted.</summary>
    public void SetLine(int line, bool asserted)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual((uint)line, (uint)Lines, nameof(line));
        lock (_gate)
        {
            bool rises = asserted && !_asserted[line];
            _asserted[line] = asserted;
            if (rises)
                Send(line);
        }
    }

    /// <summary>Reads a register; false where there is no such IOSAPIC.</summary>
    internal bool TryRead(ulong address, uint register, out uint value)
    {
        value = 0;
        if (address != Address)
            return false;
        uint line = register - FirstEntry >> 1;
        lock (_gate)
        {
            value = register == VersionRegister ? EntryVersion | (Lines - 1) << 16
                : register >= FirstEntry && line < Lines && (register & 1) == 0 ? _entries[line] : 0;
        }

        return true;
    }

    /// <summary>
    /// Writes a register. Of an entry the vector, which must have been allocated, the mask and the trigger count; where it is sent is the hypervisor's business. 0 or
    /// -EINVAL.
    /// </summary>
    internal int Write(ulong address, uint register, uint value)
    {
        if (address != Address)
            return -Errno.EINVAL;
        if (register < FirstEntry || (register & 1) != 0)
            return 0;
        uint line = register - FirstEntry >> 1, vector = value & VectorMask;
        lock (_gate)
        {
            if (line >= Lines || vector is >= FirstVector and <= LastVector && !IsAllocated(vector))
                return -Errno.EINVAL;
            _entries[line] = value;
            if ((value & (Level | Masked)) == Level && _asserted[line])
                Send((int)line);
            return 0;
        }
    }

    /// <summary>Allocates a vector, or -ENOSPC.</summary>
    internal int Allocate()
    {
        lock (_gate)
        {
            for (uint vector = FirstVector; vector <= LastVector; vector++)
            {
                if (IsAllocated(vector))
                    continue;
                _allocated[vector >> 6] |= 1UL << (int)vector;
                return (int)vector;
            }

            return -Errno.ENOSPC;
        }
    }

    /// <summary>Frees a vector that no domain has bound. 0, or -EINVAL for one that is not a device's.</summary>
    internal int Free(uint vector)
    {
        if (vector is < FirstVector or > LastVector)
            return -Errno.EINVAL;
        lock (_gate)
        {
            if (_vectors[vector].Guests is not [_, ..])
                _allocated[vector >> 6] &= ~(1UL << (int)vector);
            return 0;
        }
    }

    /// <summary>True where whoever gets the interrupt has to end it.</summary>
    internal bool NeedsEnd(int vector)
    {
        lock (_gate)
            return LinesOf(vector, level: true) != 0;
    }

    /// <summary>A domain binds a vector: 0, or -EBUSY where another one has it for itself, or too many have it.</summary>
    internal int Bind(XenDomain domain, int vector, bool willShare)
    {
        lock (_gate)
        {
            ref Vector v = ref _vectors[vector];
            v.Guests ??= [];
            if (v.Guests.Count != 0 && !(willShare && v.IsShared) || v.Guests.Count == MostGuests)
                return -Errno.EBUSY;
            v.IsShared = willShare;
            v.Guests.Add(domain);
            return 0;
        }
    }

    /// <summary>A domain has a vector no longer; what it had not ended is ended.</summary>
    internal void Unbind(XenDomain domain, int vector)
    {
        lock (_gate)
        {
            _vectors[vector].Guests?.Remove(domain);
            EndFor(domain, vector);
        }
    }

    /// <summary>A domain ends an interrupt; a level-triggered one that is still asserted is sent again.</summary>
    internal void End(XenDomain domain, int vector)
    {
        lock (_gate)
            EndFor(domain, vector);
    }

    private void EndFor(XenDomain domain, int vector)
    {
        List<XenDomain>? waiting = _vectors[vector].Waiting;
        waiting?.Remove(domain);
        if (waiting is [_, ..])
            return;
        for (uint lines = LinesOf(vector, level: true); lines != 0; lines &= lines - 1)
        {
            int line = BitOperations.TrailingZeroCount(lines);
            if (_asserted[line])
                Send(line);
        }
    }

    private void Send(int line)
    {
        uint entry = _entries[line];
        ref Vector v = ref _vectors[entry & VectorMask];
        bool isLevel = (entry & Level) != 0;
        if ((entry & Masked) != 0 || v.Guests is not { } guests || isLevel && v.Waiting is [_, ..])
            return;
        v.Waiting ??= [];
        foreach (XenDomain guest in guests)
        {
            if (guest.EventChannels.SendPirq((int)(entry & VectorMask)) && isLevel)
                v.Waiting.Add(guest);
        }
    }

    // The lines that are sent as a vector, as a set.
    private uint LinesOf(int vector, bool level)
    {
        uint lines = 0;
        for (int line = 0; line < Lines; line++)
        {
            if ((_entries[line] & VectorMask) == (uint)vector && (_entries[line] & Level) != 0 == level)
                lines |= 1u << line;
        }

        return lines;
    }

    private bool IsAllocated(uint vector) => (_allocated[vector >> 6] >> (int)vector & 1) != 0;
}
