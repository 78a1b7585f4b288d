using System.Buffers.Binary;
using FastXen.Events;

namespace FastXen.Platform.Pci;

/// <summary>
/// A PCI function with a type 0 header: identity, memory BARs, capabilities and one INTx pin. The configuration space is a block of
/// bytes with a mask of those bits that the guest may write.
/// </summary>
public abstract class PciFunction
{
    /// <summary>Bytes of configuration space.</summary>
    public const int ConfigSize = 256;
    /// <summary>Base address registers of a function.</summary>
    public const int BarCount = 6;

    private const int CommandRegister = 0x04;
    private const int StatusRegister = 0x06;
    private const int FirstBar = 0x10;
    private const int CapabilityPointer = 0x34;
    private const int InterruptLineRegister = 0x3c;
    private const int InterruptPinRegister = 0x3d;
    private const int FirstCapability = 0x40;

    private const ushort MemorySpace = 1 << 1;
    private const ushort BusMasterEnable = 1 << 2;
    private const ushort IntxDisable = 1 << 10;
    // Memory space, bus master, parity and SERR# enables, INTx disable: all that this kind of function can do.
    private const ushort CommandWritable = MemorySpace | BusMasterEnable | 1 << 6 | 1 << 8 | IntxDisable;
    private const byte StatusCapabilities = 1 << 4;
    private const byte StatusInterrupt = 1 << 3;

    private readonly Lock gate = new();
    private readonly byte[] config = new byte[ConfigSize];
    private readonly byte[] writable = new byte[ConfigSize];
    private readonly byte[] initial = new byte[ConfigSize];
    private readonly uint[] barSizes = new uint[BarCount];
    private int nextCapability = FirstCapability;
    private int lastPointer = CapabilityPointer;
    private InterruptLine? intx;
    private bool intxRequested;

    /// <summary>Makes a function without BARs and capabilities.</summary>
    protected PciFunction(PciIdentity identity)
    {
        Set16(0x00, identity.Vendor);
        Set16(0x02, identity.Device);
        initial[0x08] = identity.Revision;
        initial[0x09] = (byte)identity.ClassCode;
        initial[0x0a] = (byte)(identity.ClassCode >> 8);
        initial[0x0b] = (byte)(identity.ClassCode >> 16);
        Set16(0x2c, identity.SubsystemVendor);
        Set16(0x2e, identity.Subsystem);
        initial[InterruptPinRegister] = 1;
        BinaryPrimitives.WriteUInt16LittleEndian(writable.AsSpan(CommandRegister), CommandWritable);
        writable[0x0c] = 0xff; // cache line size
        writable[InterruptLineRegister] = 0xff;
    }

    /// <summary>What traces call it.</summary>
    public virtual string Name => "pci";

    /// <summary>The function may read and write memory and send MSIs.</summary>
    protected bool IsBusMaster => (Command & BusMasterEnable) != 0;

    /// <summary>Reads a register of a BAR's window; the access is inside of the window.</summary>
    protected internal abstract ulong ReadBar(int bar, ulong offset, int size);

    /// <summary>Writes a register of a BAR's window; the access is inside of the window.</summary>
    protected internal abstract void WriteBar(int bar, ulong offset, int size, ulong value);

    /// <summary>Returns to the state after power-on. BARs and the command register are cleared.</summary>
    public virtual void Reset()
    {
        lock (gate)
        {
            initial.CopyTo(config, 0);
            intxRequested = false;
            DriveIntx();
        }
    }

    /// <summary>Reads 1, 2 or 4 bytes of configuration space.</summary>
    public virtual uint ReadConfig(int register, int size)
    {
        if (register < 0 || register + size > ConfigSize)
            return uint.MaxValue >> (32 - 8 * size);
        lock (gate)
        {
            uint value = 0;
            for (int i = 0; i < size; i++)
                value |= (uint)config[register + i] << (8 * i);
            return value;
        }
    }

    /// <summary>Writes the writable bits among 1, 2 or 4 bytes of configuration space.</summary>
    public virtual void WriteConfig(int register, int size, uint value)
    {
        if (register < 0 || register + size > ConfigSize)
            return;
        lock (gate)
        {
            for (int i = 0; i < size; i++)
            {
                int at = register + i;
                config[at] = (byte)((config[at] & ~writable[at]) | ((byte)(value >> (8 * i)) & writable[at]));
            }
            DriveIntx();
        }
    }

    /// <summary>Declares a 32-bit memory BAR. <paramref name="size"/> is a power of two, at least 16.</summary>
    protected void AddMemoryBar(int bar, uint size)
    {
        barSizes[bar] = size;
        BinaryPrimitives.WriteUInt32LittleEndian(writable.AsSpan(FirstBar + 4 * bar), ~(size - 1));
    }

    /// <summary>Appends a capability of <paramref name="length"/> bytes (with its two header bytes); returns where its registers start.</summary>
    protected int AddCapability(byte id, int length)
    {
        int at = nextCapability;
        nextCapability = (at + length + 3) & ~3;
        initial[lastPointer] = (byte)at;
        initial[at] = id;
        lastPointer = at + 1;
        initial[StatusRegister] |= StatusCapabilities;
        return at;
    }

    /// <summary>Gives a register its value after reset and the bits that the guest may write.</summary>
    protected void DefineRegister(int register, int size, uint value, uint writableBits = 0)
    {
        for (int i = 0; i < size; i++)
        {
            initial[register + i] = (byte)(value >> (8 * i));
            writable[register + i] = (byte)(writableBits >> (8 * i));
        }
    }

    /// <summary>Drives the INTx pin. Any thread.</summary>
    protected void SetIntx(bool level)
    {
        lock (gate)
        {
            intxRequested = level;
            DriveIntx();
        }
    }

    internal void ConnectIntx(InterruptLine line) => intx = line;

    internal uint BarSize(int bar) => barSizes[bar];

    /// <summary>Where a BAR is decoded now; false when memory decoding is off or the BAR does not exist.</summary>
    internal bool TryDecodeBar(int bar, out ulong start)
    {
        start = ReadConfig(FirstBar + 4 * bar, 4);
        return barSizes[bar] != 0 && (Command & MemorySpace) != 0;
    }

    /// <summary>Firmware's part: places a BAR and enables memory decoding.</summary>
    internal void PlaceBar(int bar, uint address)
    {
        WriteConfig(FirstBar + 4 * bar, 4, address);
        WriteConfig(CommandRegister, 2, Command | (uint)MemorySpace);
    }

    internal static bool MovesBars(int register) => register is >= CommandRegister and < StatusRegister or >= FirstBar and < FirstBar + 4 * BarCount;

    private ushort Command => (ushort)ReadConfig(CommandRegister, 2);

    private void DriveIntx()
    {
        ushort command = BinaryPrimitives.ReadUInt16LittleEndian(config.AsSpan(CommandRegister));
        config[StatusRegister] = (byte)(intxRequested ? config[StatusRegister] | StatusInterrupt : config[StatusRegister] & ~StatusInterrupt);
        intx?.Set(intxRequested && (command & IntxDisable) == 0);
    }

    private void Set16(int register, ushort value) => BinaryPrimitives.WriteUInt16LittleEndian(initial.AsSpan(register), value);
}
