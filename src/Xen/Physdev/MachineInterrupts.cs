using System.Numerics;
using FastXen.Events;
using FastXen.Platform;

namespace FastXen.Xen.Physdev;

/// <summary>
/// The machine's interrupt lines, which the hypervisor owns: an IOSAPIC whose redirection entries privileged domains set by physdev_op, vectors, and the domains that have
/// bound them. The number of a physical interrupt (pirq) is its vector. Any thread.
/// </summary>
/// <remarks>A level-triggered interrupt that was sent is not sent again before all domains that it was sent to have ended it.</remarks>
public sealed class MachineInterrupts : ILineSink
{
    /// <summary>Address by which the IOSAPIC is named; nothing can be reached there.</summary>
    public const ulong Address = MachineMap.Iosapic;

    /// <summary>Lines (GSIs), from 0: 16 as on every machine, and one for each slot of the PCI bus, so that devices of two domains never share one.</summary>
    public const int Lines = FirstPciLine + PciSlots;

    /// <summary>The line of PCI slot 0.</summary>
    public const int FirstPciLine = 16;

    private const int PciSlots = 32;

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
    // Lines and vectors that the hypervisor has set for a domain that may not: nobody else changes them.
    private readonly bool[] _dedicated = new bool[Lines];
    private readonly Vector[] _vectors = new Vector[256];

    private struct Vector
    {
        public List<XenDomain>? Guests;
        public List<XenDomain>? Waiting;
        public bool IsShared;
        public XenDomain? AllocatedBy;
    }

    /// <summary>Sets a line of a device's. An edge-triggered one is sent when it becomes asserted.</summary>
    public void SetLine(int line, bool level)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual((uint)line, (uint)Lines, nameof(line));
        lock (_gate)
        {
            bool rises = level && !_asserted[line];
            _asserted[line] = level;
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
            if (line >= Lines || _dedicated[line] || IsDedicated(vector) || vector is >= FirstVector and <= LastVector && !IsAllocated(vector))
                return -Errno.EINVAL;
            uint before = _entries[line] & VectorMask;
            _entries[line] = value;
            TellWhoEnds((int)before);
            TellWhoEnds((int)vector);
            if ((value & (Level | Masked)) == Level && _asserted[line])
                Send((int)line);
            return 0;
        }
    }

    /// <summary>Allocates a vector, or -ENOSPC. It goes with the domain that asked for it.</summary>
    internal int Allocate(XenDomain? domain = null)
    {
        lock (_gate)
        {
            for (uint vector = FirstVector; vector <= LastVector; vector++)
            {
                if (IsAllocated(vector))
                    continue;
                _allocated[vector >> 6] |= 1UL << (int)vector;
                _vectors[vector].AllocatedBy = domain;
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
            if (_vectors[vector].Guests is not [_, ..] && !IsDedicated(vector))
                _allocated[vector >> 6] &= ~(1UL << (int)vector);
            return 0;
        }
    }

    /// <summary>
    /// Sends a line, level-triggered, as a vector of its own from now on, for a domain that may not do so itself. Returns the vector, or -ENOSPC.
    /// </summary>
    internal int Dedicate(int line)
    {
        lock (_gate)
        {
            int vector = Allocate();
            if (vector < 0)
                return vector;
            _dedicated[line] = true;
            _entries[line] = (uint)vector | Level;
            return vector;
        }
    }

    /// <summary>Undoes <see cref="Dedicate"/>; the domain has the vector no longer.</summary>
    internal void Withdraw(int line)
    {
        lock (_gate)
        {
            uint vector = _entries[line] & VectorMask;
            _dedicated[line] = false;
            _entries[line] = Masked;
            _asserted[line] = false;
            Free(vector);
        }
    }

    /// <summary>A domain has ended: its vectors that nobody else has bound are free, and their lines as they were before it set them up.</summary>
    internal void Release(XenDomain domain)
    {
        lock (_gate)
        {
            for (uint vector = FirstVector; vector <= LastVector; vector++)
            {
                if (_vectors[vector].AllocatedBy != domain)
                    continue;
                _vectors[vector].AllocatedBy = null;
                if (_vectors[vector].Guests is [_, ..])
                    continue;
                _allocated[vector >> 6] &= ~(1UL << (int)vector);
                for (int line = 0; line < Lines; line++)
                    _entries[line] = (_entries[line] & VectorMask) == vector ? Masked : _entries[line];
            }
        }
    }

    /// <summary>The vector as which a line is sent; 0 where none was chosen.</summary>
    internal int VectorOf(int line)
    {
        lock (_gate)
            return (int)(_entries[line] & VectorMask);
    }

    /// <summary>Tells a domain that has a page for it of the interrupts that it has bound.</summary>
    internal void Tell(XenDomain domain)
    {
        lock (_gate)
        {
            for (int vector = 0; vector < _vectors.Length; vector++)
            {
                if (_vectors[vector].Guests?.Contains(domain) == true)
                    TellWhoEnds(vector);
            }
        }
    }

    /// <summary>True where whoever gets the interrupt has to end it.</summary>
    internal bool NeedsEnd(int vector)
    {
        lock (_gate)
            return LinesOf(vector, level: true) != 0;
    }

    /// <summary>
    /// A domain binds a vector: 0, or -EBUSY where another one has it for itself, or too many have it. The first one that binds it unmasks its lines, the last one that
    /// lets go of it masks them: Linux/ia64 sets a line up masked, and leaves the rest to the hypervisor.
    /// </summary>
    internal int Bind(XenDomain domain, int vector, bool willShare)
    {
        lock (_gate)
        {
            ref Vector v = ref _vectors[vector];
            v.Guests ??= [];
            if (v.Guests.Count != 0 && !(willShare && v.IsShared) || v.Guests.Count == MostGuests)
                return -Errno.EBUSY;
            v.IsShared = willShare;
            if (v.Guests.Count == 0)
                SetMask(vector, masked: false);
            v.Guests.Add(domain);
            TellWhoEnds(vector);
            return 0;
        }
    }

    /// <summary>A domain that binds a vector can be sent it now: a line that was asserted before is.</summary>
    internal void Bound(int vector)
    {
        lock (_gate)
        {
            if (_vectors[vector].Waiting is not [_, ..])
                SendAsserted(vector);
        }
    }

    /// <summary>A domain has a vector no longer; what it had not ended is ended.</summary>
    internal void Unbind(XenDomain domain, int vector)
    {
        lock (_gate)
        {
            _vectors[vector].Guests?.Remove(domain);
            if (_vectors[vector].Guests is [])
                SetMask(vector, masked: true);
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
        if (_vectors[vector].Waiting is not { } waiting || !waiting.Remove(domain) || waiting.Count != 0)
            return;
        SendAsserted(vector);
    }

    private void SendAsserted(int vector)
    {
        for (ulong lines = LinesOf(vector, level: true); lines != 0; lines &= lines - 1)
        {
            int line = BitOperations.TrailingZeroCount(lines);
            if (_asserted[line])
                Send(line);
        }
    }

    private void SetMask(int vector, bool masked)
    {
        // Lines that nobody has set up have vector 0.
        for (int line = 0; line < Lines && vector >= FirstVector; line++)
        {
            if ((_entries[line] & VectorMask) == (uint)vector)
                _entries[line] = masked ? _entries[line] | Masked : _entries[line] & ~Masked;
        }
    }

    // In the pages in which domains look whether they have to end an interrupt (pirq_eoi_gmfn).
    private void TellWhoEnds(int vector)
    {
        if (_vectors[vector].Guests is not [_, ..] guests)
            return;
        bool needsEnd = LinesOf(vector, level: true) != 0;
        foreach (XenDomain guest in guests)
            guest.EndMap?.Set(vector, needsEnd);
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
    private ulong LinesOf(int vector, bool level)
    {
        ulong lines = 0;
        for (int line = 0; line < Lines; line++)
        {
            if ((_entries[line] & VectorMask) == (uint)vector && (_entries[line] & Level) != 0 == level)
                lines |= 1UL << line;
        }

        return lines;
    }

    private bool IsDedicated(uint vector)
    {
        for (int line = FirstPciLine; line < Lines; line++)
        {
            if (_dedicated[line] && (_entries[line] & VectorMask) == vector)
                return true;
        }

        return false;
    }

    private bool IsAllocated(uint vector) => (_allocated[vector >> 6] >> (int)vector & 1) != 0;
}
