using FastXen.Events;
using FastXen.Mmu;

namespace FastXen.Platform.Pci;

/// <summary>
/// The PCI root: bus 0 of segment 0 with one function a slot. As a memory region it is the root's window and decodes the BARs as the
/// guest has programmed them. <see cref="Reset"/> places all BARs, which on ia64 is firmware's work.
/// </summary>
public sealed class PciRoot : IPciConfigSpace, IMmioRegion
{
    private const int SlotCount = 32;

    private readonly record struct Window(ulong Start, ulong Size, PciFunction Function, int Bar);

    private readonly Lock gate = new();
    private readonly PciFunction?[] slots = new PciFunction?[SlotCount];
    private readonly ulong memoryBase;
    private readonly ulong memorySize;
    private readonly ILineSink interrupts;
    private readonly Func<int, int, int> interruptOf;

    // Replaced as a whole, so that accesses need no lock.
    private volatile Window[] windows = [];

    /// <summary>Makes an empty root with the window and the interrupt routing of <see cref="MachineMap"/>.</summary>
    public PciRoot(ILineSink interrupts)
        : this(MachineMap.PciMemory, MachineMap.PciMemorySize, interrupts, MachineMap.PciGsi)
    {
    }

    /// <summary>
    /// Makes an empty root whose memory window is <paramref name="memorySize"/> bytes from <paramref name="memoryBase"/>; pin p of
    /// slot d drives the line <paramref name="interruptOf"/>(d, p).
    /// </summary>
    public PciRoot(ulong memoryBase, ulong memorySize, ILineSink interrupts, Func<int, int, int> interruptOf)
    {
        this.memoryBase = memoryBase;
        this.memorySize = memorySize;
        this.interrupts = interrupts;
        this.interruptOf = interruptOf;
    }

    /// <summary>Puts a function into the first free slot from 1; returns the slot. Call <see cref="Reset"/> when all are there.</summary>
    public int Add(PciFunction function)
    {
        lock (gate)
        {
            int slot = Array.IndexOf(slots, null, 1);
            if (slot < 0)
                throw new DeviceConfigurationException($"there are too many PCI devices: at most {SlotCount - 1} are possible.");
            slots[slot] = function;
            function.ConnectIntx(new InterruptLine(interrupts, interruptOf(slot, 0)));
            return slot;
        }
    }

    /// <summary>Puts a function into a free slot of the caller's choice, in its state after power-on, with its BARs from <paramref name="memory"/> on. While the guest runs, too.</summary>
    internal void Plug(int slot, PciFunction function, ulong memory)
    {
        lock (gate)
        {
            if (slots[slot] is not null)
                throw new DeviceConfigurationException($"PCI slot {slot} is taken.");
            function.ConnectIntx(new InterruptLine(interrupts, interruptOf(slot, 0)));
            function.Reset();
            Place(function, memory, memory + memorySize / SlotCount);
            slots[slot] = function;
            Remap();
        }
    }

    /// <summary>Shows a function that is in a slot of another root, in the same slot.</summary>
    internal void Share(int slot, PciFunction function)
    {
        lock (gate)
        {
            slots[slot] = function;
            Remap();
        }
    }

    /// <summary>Takes a function out of its slot.</summary>
    internal void Unplug(int slot)
    {
        lock (gate)
        {
            slots[slot] = null;
            Remap();
        }
    }

    /// <summary>Resets all functions and places their BARs in the window.</summary>
    public void Reset()
    {
        lock (gate)
        {
            ulong next = memoryBase;
            foreach (PciFunction function in slots.OfType<PciFunction>())
            {
                function.Reset();
                next = Place(function, next, memoryBase + memorySize);
            }
            Remap();
        }
    }

    // Returns where there is room behind the function's BARs.
    private static ulong Place(PciFunction function, ulong next, ulong end)
    {
        for (int bar = 0; bar < PciFunction.BarCount; bar++)
        {
            ulong size = function.BarSize(bar);
            if (size == 0)
                continue;
            ulong start = (next + size - 1) & ~(size - 1);
            next = start + size;
            if (next > end)
                throw new DeviceConfigurationException("the PCI devices need more memory space than the root's window has.");
            function.PlaceBar(bar, (uint)start);
        }
        return next;
    }

    /// <inheritdoc/>
    public uint Read(int segment, int bus, int device, int function, int register, int size) =>
        Find(segment, bus, device, function) is { } found ? found.ReadConfig(register, size) : uint.MaxValue >> (32 - 8 * size);

    /// <inheritdoc/>
    public void Write(int segment, int bus, int device, int function, int register, int size, uint value)
    {
        if (Find(segment, bus, device, function) is not { } found)
            return;
        found.WriteConfig(register, size, value);
        if (!PciFunction.MovesBars(register))
            return;
        lock (gate)
            Remap();
    }

    /// <inheritdoc/>
    public string NameAt(ulong offset) => TryFind(offset, 1, out Window window, out _) ? window.Function.Name : "pci";

    /// <inheritdoc/>
    public ulong Read(ulong offset, int size) => TryFind(offset, size, out Window window, out ulong inside)
        ? window.Function.ReadBar(window.Bar, inside, size)
        : ulong.MaxValue >> (64 - 8 * size);

    /// <inheritdoc/>
    public void Write(ulong offset, int size, ulong value)
    {
        if (TryFind(offset, size, out Window window, out ulong inside))
            window.Function.WriteBar(window.Bar, inside, size, value);
    }

    private PciFunction? Find(int segment, int bus, int device, int function) =>
        segment == 0 && bus == 0 && function == 0 && (uint)device < SlotCount ? slots[device] : null;

    private bool TryFind(ulong offset, int size, out Window found, out ulong inside)
    {
        ulong address = memoryBase + offset;
        foreach (Window window in windows)
        {
            inside = address - window.Start;
            if (inside < window.Size && window.Size - inside >= (ulong)size)
            {
                found = window;
                return true;
            }
        }
        found = default;
        inside = 0;
        return false;
    }

    private void Remap()
    {
        List<Window> mapped = [];
        foreach (PciFunction function in slots.OfType<PciFunction>())
        {
            for (int bar = 0; bar < PciFunction.BarCount; bar++)
            {
                if (function.TryDecodeBar(bar, out ulong start))
                    mapped.Add(new Window(start, function.BarSize(bar), function, bar));
            }
        }
        windows = [.. mapped];
    }
}
