using FastXen.Core;
using FastXen.Core.State;
using FastXen.Events;
using FastXen.Mmu;
using FastXen.Platform.AcpiPm;
using FastXen.Platform.Block;
using FastXen.Platform.Boot;
using FastXen.Platform.Firmware;
using FastXen.Platform.Iosapic;
using FastXen.Platform.LocalSapic;
using FastXen.Platform.Net;
using FastXen.Platform.Pci;
using FastXen.Platform.Ports;
using FastXen.Platform.Uart;
using FastXen.Platform.Virtio;

namespace FastXen.Platform;

/// <summary>
/// The virtual Itanium machine, put together: memory, processors, firmware, interrupt controllers, a UART, a PCI root with
/// virtio devices. It lives from one power-on to the next reset or power-off; a reboot makes a new one over the same backends.
/// </summary>
public sealed unsafe partial class PlatformMachine : IInterruptSink, IDisposable
{
    private readonly Uart16550 uart;
    private readonly PowerManagement power;
    private readonly List<VirtioPciFunction> functions = [];

    /// <summary>Builds the machine; it is in the reset state.</summary>
    public PlatformMachine(PlatformConfiguration configuration)
    {
        ArgumentNullException.ThrowIfNull(configuration);
        Memory = new PhysicalMemory(MachineMap.RamSpan(configuration.Memory));
        foreach ((ulong start, ulong size) in MachineMap.Ram(configuration.Memory))
            Memory.AddRam(start, size);
        var coherence = new CoherenceDomain();
        Processors = [.. Enumerable.Range(0, configuration.Processors).Select(number =>
            new Vcpu(Memory, configuration.Deterministic, coherence) {
                Engine = configuration.Engine,
                TranslatorOptions = configuration.Translator,
                DomainNumber = configuration.Domain,
                Number = number,
            })];
        running = Processors.Count;
        Deterministic = configuration.Deterministic;

        TimeProvider time = configuration.Deterministic ? new MachineTime(Processor) : configuration.Time;
        var iosapic = new IosapicController(MachineMap.IosapicInputs, this);
        Memory.AddMmio(MachineMap.Iosapic, MachineMap.IosapicSize, iosapic);
        Memory.AddMmio(MachineMap.LocalSapic, MachineMap.LocalSapicSize, new ProcessorInterruptBlock(this));

        var ports = new PortSpace();
        Memory.AddMmio(MachineMap.PortSpace, MachineMap.PortSpaceSize, ports);
        uart = new Uart16550(MachineMap.UartPort, iosapic.Line(MachineMap.UartGsi), configuration.Console, DeviceFailed, configuration.Deterministic);
        ports.Add(MachineMap.UartPort, 8, uart);
        power = new PowerManagement(
            time, iosapic.Line(MachineMap.SciGsi), () => Processor.RequestStop(VcpuStop.PowerOff), () => Processor.RequestStop(VcpuStop.Reboot));
        ports.Add(MachineMap.PmEventPort, MachineMap.PmPortCount, power);

        var pci = new PciRoot(iosapic);
        Memory.AddMmio(MachineMap.PciMemory, MachineMap.PciMemorySize, pci);
        foreach (DiskDevice disk in configuration.Disks)
            Plug(pci, new VirtioBlock(disk.Backend, disk.Serial), configuration.Deterministic);
        foreach (NetworkDevice network in configuration.Networks)
            Plug(pci, new VirtioNet(network.Backend, network.Address), configuration.Deterministic);
        Plug(pci, configuration.Deterministic ? new VirtioRng(seed: 1) : new VirtioRng(), configuration.Deterministic);
        pci.Reset();

        Firmware = new MachineFirmware(Memory, Processors, new FirmwareConfiguration
        {
            RamSize = configuration.Memory,
            Pci = pci,
            Variables = configuration.Variables,
            Time = time,
            Report = configuration.Report,
        });
        Report = configuration.Report;
    }

    /// <summary>The physical address space.</summary>
    public PhysicalMemory Memory { get; }

    /// <summary>The processors, the boot processor first. The others wait in firmware until the operating system wakes them.</summary>
    public IReadOnlyList<Vcpu> Processors { get; }

    /// <summary>The boot processor.</summary>
    public Vcpu Processor => Processors[0];

    /// <summary>Firmware services and tables.</summary>
    public MachineFirmware Firmware { get; }

    private bool Deterministic { get; }

    private Action<string> Report { get; }

    /// <summary>Puts the processor at the entry of a kernel that is in memory.</summary>
    public void Boot(DirectBootImage image) => DirectBoot.Prepare(Memory, Firmware, image);

    /// <summary>
    /// Presses the power button. False when no driver of the guest listens to it: then it is not pressed, and a driver that comes later finds nothing. Any thread.
    /// </summary>
    public bool PressPowerButton()
    {
        if (!power.HasPowerButtonListener)
            return false;
        power.PressPowerButton();
        return true;
    }

    /// <inheritdoc/>
    public void Post(int id, int eid, int deliveryMode, byte vector)
    {
        // Fixed delivery and ExtINT reach IRR; NMI is vector 2; PMI and INIT have no taker in this firmware.
        if (Find((ulong)id << 8 | (uint)eid) is not { } processor)
            return;
        switch (deliveryMode)
        {
            case 0:
                if (vector >= 16)
                    processor.PostInterrupt(vector);
                break;
            case 4:
                processor.PostInterrupt(2);
                break;
            case 7:
                processor.PostInterrupt(0);
                break;
        }
    }

    // The processor whose CR.LID has this id and eid. Software may change it, but seldom does: then the id is its number.
    private Vcpu? Find(ulong address)
    {
        int number = (int)(address >> 8);
        if (number < Processors.Count && IsAt(Processors[number], address))
            return Processors[number];
        foreach (Vcpu processor in Processors)
        {
            if (IsAt(processor, address))
                return processor;
        }

        return null;
    }

    private static bool IsAt(Vcpu processor, ulong address) => processor.State != null && (processor.State->Cr[Cr.Lid] >> 16 & 0xFFFF) == address;

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (VirtioPciFunction function in functions)
            function.Dispose();
        uart.Dispose();
        foreach (Vcpu processor in Processors)
            processor.Dispose();
        Memory.Dispose();
    }

    private void Plug(PciRoot pci, VirtioDevice device, bool synchronous)
    {
        var function = new VirtioPciFunction(device, Memory, this, DeviceFailed, synchronous);
        functions.Add(function);
        pci.Add(function);
    }
}
