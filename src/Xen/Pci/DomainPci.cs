using FastXen.Mmu;
using FastXen.Platform;
using FastXen.Platform.Pci;
using FastXen.Platform.Ports;
using FastXen.Platform.Virtio;
using FastXen.Xen.Memory;
using FastXen.Xen.Physdev;

namespace FastXen.Xen.Pci;

/// <summary>
/// The machine's buses as a domain has them: its configuration space and memory window have the devices in them that it was given, and nothing of others.
/// </summary>
internal sealed class DomainPci
{
    private const int InterruptLineRegister = 0x3c;
    private readonly PciRoot _root;

    /// <summary>Puts the PCI root's window, the ports and the IOSAPIC's page into a domain's space of device registers; they show when the domain maps them.</summary>
    public DomainPci(PhysicalMemory arena, MachineInterrupts interrupts)
    {
        _root = new PciRoot(MachineMap.PciMemory, MachineMap.PciMemorySize, interrupts, static (slot, _) => MachineInterrupts.FirstPciLine + slot);
        arena.AddMmio(MachineMap.PciMemory, MachineMap.PciMemorySize, _root);
        arena.AddMmio(MachineInterrupts.Address, MachineMap.IosapicSize, new Unreachable());
        arena.AddMmio(MachineMap.PortSpace, MachineMap.PortSpaceSize, new PortSpace());
    }

    /// <summary>Configuration space, as SAL's procedures read and write it.</summary>
    public IPciConfigSpace ConfigSpace => _root;

    /// <summary>The registers of the devices.</summary>
    public IMmioRegion Registers => _root;

    /// <summary>Where the registers of a slot's device lie from.</summary>
    public static ulong MemoryOf(int slot) => MachineMap.PciMemory + (ulong)slot * SlotBytes;

    /// <summary>Machine frames of a slot's part of the window.</summary>
    public static (ulong First, ulong Last) FramesOf(int slot) => (MemoryOf(slot) >> Frame.Shift, (MemoryOf(slot) + SlotBytes >> Frame.Shift) - 1);

    private const ulong SlotBytes = MachineMap.PciMemorySize / MachinePci.Slots;

    /// <summary>Shows a function, as after power-on; <paramref name="interrupt"/> is what its interrupt line register says.</summary>
    public void Plug(int slot, VirtioPciFunction function, int interrupt)
    {
        _root.Plug(slot, function, MemoryOf(slot));
        function.WriteConfig(InterruptLineRegister, 1, (uint)interrupt);
    }

    /// <summary>Shows a function that another domain has.</summary>
    public void Share(int slot, VirtioPciFunction function) => _root.Share(slot, function);

    /// <summary>Takes away what is in a slot.</summary>
    public void Unplug(int slot) => _root.Unplug(slot);

    // The IOSAPIC's registers: physdev_op is the way to them.
    private sealed class Unreachable : IMmioRegion
    {
        public ulong Read(ulong offset, int size) => ulong.MaxValue >> (64 - 8 * size);

        public void Write(ulong offset, int size, ulong value)
        {
        }
    }
}
